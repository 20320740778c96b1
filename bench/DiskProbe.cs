using System.Diagnostics;
using System.Runtime.InteropServices;
using DistDb.Tools.Bench;
using Microsoft.Win32.SafeHandles;

namespace DistDb.Bench;

/// <summary>How often this machine's disk can be synced: the ceiling of a log that syncs once for each write, by one client at a time.</summary>
internal static partial class DiskProbe
{
    private const int BlockBytes = 4096;

    /// <summary>The file is written round, in place, as a log that is laid out beforehand.</summary>
    private const int Blocks = 1024;

    /// <summary>Writes 4 KiB and syncs, again and again, on this thread.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static LoadResult Run(string folder, TimeSpan time)
    {
        var path = Path.Combine(folder, $"sync-probe-{Environment.ProcessId}");
        using var file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose);
        RandomAccess.Write(file, new byte[BlockBytes * Blocks], 0);
        Sync(file);

        var block = new byte[BlockBytes];
        Random.Shared.NextBytes(block);
        var latencies = new LatencyHistogram();
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            var before = Stopwatch.GetTimestamp();
            RandomAccess.Write(file, block, latencies.Count % Blocks * BlockBytes);
            Sync(file);
            latencies.Add(Stopwatch.GetElapsedTime(before));
        }

        return new(Stopwatch.GetElapsedTime(start), [latencies], new Dictionary<string, long>(), null);
    }

    private static void Sync(SafeFileHandle file)
    {
        if (Fdatasync(file) != 0)
        {
            throw new IOException($"fdatasync failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        }
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Fdatasync(SafeFileHandle file);
}
