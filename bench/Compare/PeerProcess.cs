using System.Diagnostics;
using System.Globalization;
using DistDb.Tools;

namespace DistDb.Bench.Compare;

/// <summary>A process of a system that is compared. Disposing kills it; what it printed is kept in a file for who looks for a reason.</summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process _process;
    private readonly StreamWriter _log;

    private PeerProcess(Process process, string logPath)
    {
        _process = process;
        LogPath = logPath;
        _log = new(logPath, append: true) { AutoFlush = true };
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Where its output is.</summary>
    public string LogPath { get; }

    public bool HasExited => _process.HasExited;

    /// <summary>What it has in memory, in bytes; pages that several processes share count in parts. With its children.</summary>
    public long MemoryBytes => ChildrenAndSelf(_process.Id).Sum(MemoryOf);

    /// <summary>Starts it.</summary>
    /// <param name="logPath">Where its output goes.</param>
    /// <param name="user">As which system user where this process runs as root, which the program refuses; null for the same.</param>
    /// <param name="program">What to run.</param>
    /// <param name="arguments">Its command line.</param>
    public static PeerProcess Start(string logPath, string? user, string program, params IEnumerable<string> arguments) =>
        new(Process.Start(StartInfo(user, program, arguments))!, logPath);

    /// <summary>Runs a program to its end.</summary>
    /// <returns>What it printed to its standard output.</returns>
    /// <exception cref="ToolException">It failed.</exception>
    public static async Task<string> RunAsync(string? user, string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        using var process = Process.Start(StartInfo(user, program, arguments))!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellation);
            var output = await process.StandardOutput.ReadToEndAsync(cancellation).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
            return process.ExitCode == 0
                ? output
                : throw new ToolException($"{program} failed with {process.ExitCode}: {output}{await errors.ConfigureAwait(false)}", ExitCode.BadNews);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>As <c>kill -9</c> does, its children too; returns when it is gone.</summary>
    public void Kill()
    {
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
        lock (_log)
        {
            _log.Dispose();
        }
    }

    private static ProcessStartInfo StartInfo(string? user, string program, IEnumerable<string> arguments)
    {
        var start = Environment.IsPrivilegedProcess && user is not null
            ? new ProcessStartInfo("runuser", ["-u", user, "--", program, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.RedirectStandardOutput = start.RedirectStandardError = true;

        // A folder that every user may enter.
        start.WorkingDirectory = "/";
        return start;
    }

    private static IEnumerable<int> ChildrenAndSelf(int id)
    {
        var parents = Directory.EnumerateDirectories("/proc")
            .Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0)
            .ToLookup(ParentOf);
        return Below(id);

        IEnumerable<int> Below(int parent) => [parent, .. parents[parent].SelectMany(Below)];
    }

    private static int ParentOf(int id)
    {
        try
        {
            // "pid (name) state parent ...", where a name may hold anything.
            var text = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // Gone meanwhile.
            return 0;
        }
    }

    private static long MemoryOf(int id)
    {
        var line = File.ReadLines($"/proc/{id}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private void Keep(string? line)
    {
        lock (_log)
        {
            if (line is not null && _log.BaseStream is not null)
            {
                _log.WriteLine(line);
            }
        }
    }
}
