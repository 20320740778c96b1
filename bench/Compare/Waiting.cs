using DistDb.Tools;

namespace DistDb.Bench.Compare;

/// <summary>Waits for other processes.</summary>
internal static class Waiting
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(200);

    /// <exception cref="ToolException">It does not come true in two minutes, or the process ends before.</exception>
    public static async Task UntilAsync(string what, Func<Task<bool>> condition, IEnumerable<PeerProcess> processes, CancellationToken cancellation)
    {
        using var patience = new CancellationTokenSource(_patience);
        while (!await condition().ConfigureAwait(false))
        {
            cancellation.ThrowIfCancellationRequested();
            if (processes.FirstOrDefault(process => process.HasExited) is { } ended)
            {
                throw new ToolException($"A process ended, and {what} is not true: {await LastLinesAsync(ended, cancellation).ConfigureAwait(false)}", ExitCode.BadNews);
            }

            if (patience.IsCancellationRequested)
            {
                throw new ToolException($"In {_patience.TotalSeconds} s it has not come true that {what}.", ExitCode.BadNews);
            }

            await Task.Delay(_pause, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task<string> LastLinesAsync(PeerProcess process, CancellationToken cancellation)
    {
        var lines = await File.ReadAllLinesAsync(process.LogPath, cancellation).ConfigureAwait(false);
        return string.Join('\n', lines[^Math.Min(lines.Length, 10)..]);
    }
}
