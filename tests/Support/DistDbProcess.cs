using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DistDb.Tests.Support;

/// <summary>
/// One run of the executable, with what it printed. It never outlives the tests: disposing kills it, and so does the end of this process
/// where a test could not dispose.
/// </summary>
internal sealed class DistDbProcess : IDisposable
{
    private static readonly ConcurrentDictionary<int, Process> _running = [];

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();

    static DistDbProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var process in _running.Values)
        {
            process.Kill();
        }
    };

    private DistDbProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_errors, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _running[process.Id] = process;
    }

    private static string Executable => Path.Combine(AppContext.BaseDirectory, "distdb");

    /// <summary>The most memory that it had resident so far, in bytes.</summary>
    public long PeakMemoryBytes => ReadMemory("VmHWM:");

    /// <summary>The memory that it has resident, in bytes.</summary>
    public long MemoryBytes => ReadMemory("VmRSS:");

    public bool HasExited => _process.HasExited;

    /// <summary>Of a process that has ended; 128 and the signal's number if that was how.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>What it has printed to its standard output so far.</summary>
    public string Output => Read(_output);

    public string Errors => Read(_errors);

    /// <summary>What it has printed since this was last called; for long runs, whose output would fill the memory.</summary>
    public string Take() => Clear(_output) + Clear(_errors);

    /// <param name="workingFolder">Where it runs; a folder without a <c>.env</c> file.</param>
    /// <param name="environment">Variables beside this process's own, of which none that sets a node's option is passed on.</param>
    /// <param name="arguments">Its command line.</param>
    public static DistDbProcess Start(string workingFolder, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments) =>
        Start(workingFolder, environment, Executable, arguments);

    /// <summary>Runs it where no file can grow beyond a size, as if the disk were full.</summary>
    public static DistDbProcess StartOnSmallDisk(string workingFolder, int fileKiBMax, params IEnumerable<string> arguments) => Start(
        workingFolder,
        new Dictionary<string, string>
        {
            // The runtime's own code pages would count as a file.
            ["DOTNET_EnableWriteXorExecute"] = "0",
        },
        "/bin/bash",
        ["-c", "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"", "bash", fileKiBMax.ToString(CultureInfo.InvariantCulture), Executable, .. arguments]);

    private long ReadMemory(string name)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status").Single(l => l.StartsWith(name, StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private static DistDbProcess Start(
        string workingFolder, IReadOnlyDictionary<string, string> environment, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = workingFolder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("DISTDB_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new(Process.Start(start)!);
    }

    /// <summary>Runs to the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"distdb did not end within {limit.TotalSeconds} s. It printed:\n{Output}\n{Errors}");
        }

        return _process.ExitCode;
    }

    /// <summary>As <c>kill -9</c>; returns when the process is gone.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Pause() => Posix.Pause(_process);

    public void Resume() => Posix.Resume(_process);

    public void Terminate() => Posix.Terminate(_process);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _running.TryRemove(_process.Id, out _);
        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.AppendLine(line);
            }
        }
    }

    private static string Clear(StringBuilder text)
    {
        lock (text)
        {
            var taken = text.ToString();
            text.Clear();
            return taken;
        }
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
