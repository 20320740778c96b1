using System.Globalization;

namespace DistDb.Node;

/// <summary>
/// The machine's clock plus what a file says, a signed number of milliseconds: for tests that let the clocks of nodes on one machine jump and
/// disagree. Only the time of day is moved, not what durations are measured with. A file that is missing or holds no number counts as 0,
/// since a test may be writing it just now.
/// </summary>
/// <param name="path">Read again at most every <see cref="ReadIntervalMs"/>.</param>
internal sealed class OffsetTimeProvider(string path) : TimeProvider
{
    /// <summary>So often that a test need not wait for it, and seldom enough to cost nothing.</summary>
    public const int ReadIntervalMs = 100;

    private readonly Lock _lock = new();
    private long? _readAtMs;
    private TimeSpan _offset;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock)
        {
            var now = Environment.TickCount64;
            if (_readAtMs is not { } readAt || now - readAt >= ReadIntervalMs)
            {
                _readAtMs = now;
                _offset = Read();
            }

            return DateTimeOffset.UtcNow + _offset;
        }
    }

    private TimeSpan Read()
    {
        try
        {
            return long.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out var ms) ? TimeSpan.FromMilliseconds(ms) : TimeSpan.Zero;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return TimeSpan.Zero;
        }
    }
}
