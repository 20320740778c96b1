namespace DistDb.Tests.Support;

/// <summary>What SQLite asks of a file that can fail.</summary>
public enum FaultyCall
{
    Read,
    Write,
    Truncate,
    Sync,
}

/// <summary>
/// One fault of the disk under some files, until it is disposed. It also remembers what those files held when they were last synced, so that a power
/// loss can be played. See <see cref="FaultVfs"/>.
/// </summary>
internal sealed class DiskFault : IDisposable
{
    /// <summary>SQLITE_FULL.</summary>
    public const int Full = 13;

    private const int InputOutput = 10;

    private static readonly Lock _lock = new();
    private static volatile DiskFault[] _armed = [];

    private readonly string _pathPrefix;
    private readonly Func<string, FaultyCall, bool> _which;
    private readonly int _code;
    private readonly Dictionary<string, byte[]> _synced = [];
    private readonly ManualResetEventSlim _ended = new();
    private int _passes;
    private int _heldCount;

    private DiskFault(string pathPrefix, Func<string, FaultyCall, bool> which, int code, int passes)
    {
        _pathPrefix = pathPrefix;
        _which = which;
        _code = code;
        _passes = passes;
    }

    public static bool AnyArmed => _armed.Length > 0;

    /// <summary>How often it struck.</summary>
    public int Count { get; private set; }

    /// <summary>How often SQLite asked the failed thing of the same file again.</summary>
    public int RetryCount { get; private set; }

    /// <summary>How many calls it has held up.</summary>
    public int HeldCount => Volatile.Read(ref _heldCount);

    private bool Holds { get; init; }

    private string? StruckPath { get; set; }

    /// <summary>Makes a call fail once, and watches whether it is tried again.</summary>
    /// <param name="pathPrefix">Which files: a file's path also names its write-ahead log.</param>
    /// <param name="call">What fails.</param>
    /// <param name="code">SQLite's code; by default the I/O error that belongs to the call.</param>
    /// <param name="passes">So many calls succeed before.</param>
    /// <param name="suffix">Only the files that end so.</param>
    public static DiskFault Arm(string pathPrefix, FaultyCall call, int? code = null, int passes = 0, string suffix = "") =>
        Begin(pathPrefix, call, suffix, code ?? CodeOf(call), passes, holds: false);

    /// <summary>Makes a call take until the fault is disposed of, as a disk does that is busy or hangs. <see cref="Arm"/> says what the parameters are.</summary>
    public static DiskFault Hold(string pathPrefix, FaultyCall call, string suffix = "") => Begin(pathPrefix, call, suffix, code: 0, passes: 0, holds: true);

    /// <summary>The code that a call on a file is to fail with, or 0; takes as long as the call is to take.</summary>
    public static int Of(string path, FaultyCall call)
    {
        DiskFault[] holding;
        lock (_lock)
        {
            holding = [.. _armed.Where(f => f.Holds && f.IsMeant(path, call))];
            if (holding.Length == 0)
            {
                return _armed.Where(f => !f.Holds).Select(f => f.On(path, call)).FirstOrDefault(code => code != 0);
            }
        }

        foreach (var fault in holding)
        {
            Interlocked.Increment(ref fault._heldCount);
            fault._ended.Wait();
        }

        return 0;
    }

    public static void Synced(string path)
    {
        lock (_lock)
        {
            foreach (var fault in _armed.Where(f => path.StartsWith(f._pathPrefix, StringComparison.Ordinal)))
            {
                fault._synced[path] = ReadAll(path);
            }
        }
    }

    /// <summary>Gives the files, which nobody has open any more, the content that they were last synced with.</summary>
    public void LoseUnsynced()
    {
        foreach (var (path, content) in _synced)
        {
            File.WriteAllBytes(path, content);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _armed = [.. _armed.Where(f => f != this)];
        }

        _ended.Set();
    }

    private static DiskFault Begin(string pathPrefix, FaultyCall call, string suffix, int code, int passes, bool holds)
    {
        var fault = new DiskFault(pathPrefix, (path, c) => c == call && path.EndsWith(suffix, StringComparison.Ordinal), code, passes) { Holds = holds };
        lock (_lock)
        {
            _armed = [.. _armed, fault];
        }

        return fault;
    }

    private static int CodeOf(FaultyCall call) => InputOutput | (call switch
    {
        FaultyCall.Read => 1,
        FaultyCall.Write => 3,
        FaultyCall.Sync => 4,
        FaultyCall.Truncate => 6,
        _ => throw new ArgumentOutOfRangeException(nameof(call)),
    } << 8);

    private static byte[] ReadAll(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private bool IsMeant(string path, FaultyCall call) => path.StartsWith(_pathPrefix, StringComparison.Ordinal) && _which(path, call);

    private int On(string path, FaultyCall call)
    {
        if (!path.StartsWith(_pathPrefix, StringComparison.Ordinal))
        {
            return 0;
        }

        if (call is FaultyCall.Write or FaultyCall.Truncate && !_synced.ContainsKey(path))
        {
            // What it held when the fault was armed counts as synced.
            _synced[path] = ReadAll(path);
        }

        if (!_which(path, call))
        {
            return 0;
        }

        if (StruckPath is not null)
        {
            RetryCount += path == StruckPath ? 1 : 0;
            return 0;
        }

        if (_passes-- > 0)
        {
            return 0;
        }

        StruckPath = path;
        Count++;
        return _code;
    }
}
