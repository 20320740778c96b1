using System.Diagnostics;
using System.Globalization;
using DistDb.Node.Database;

namespace DistDb.Tests.Database;

/// <summary>
/// A replica in a process of its own: <c>replay LOG DATABASE [--group N] [--hang-in N]</c> applies what the database does not
/// have yet. It reopens the database after every <c>--group</c> entries, and hangs in the middle of entry <c>--hang-in</c> until it is killed.
/// </summary>
internal static class ReplayProcess
{
    private const string Hanging = "hanging";

    public static int Replay(ReadOnlySpan<string> args)
    {
        if (args is not [var log, var path, .. var options])
        {
            Console.Error.WriteLine("usage: replay LOG DATABASE [--group N] [--hang-in N]");
            return 2;
        }

        SqliteLibrary.Initialize();
        var group = long.Parse(Option(options, "--group") ?? "1000000", CultureInfo.InvariantCulture);
        var hangIn = long.Parse(Option(options, "--hang-in") ?? "0", CultureInfo.InvariantCulture);
        var writer = DatabaseWriter.Open(path, new());
        try
        {
            foreach (var (index, batch) in LogFile.Read(log))
            {
                if (index <= writer.AppliedIndex)
                {
                    continue;
                }

                writer.Begin(new(index, batch.TimeMs, batch.Seed, batch.ChangesBytesMax));
                for (var i = 0; i < batch.Writes.Count; i++)
                {
                    writer.Replay(batch.Writes[i], i, collectRows: false);
                }

                if (index == hangIn)
                {
                    Console.WriteLine(Hanging);
                    Console.ReadLine();
                }

                writer.Commit();
                if (index % group == 0)
                {
                    writer.Dispose();
                    writer = DatabaseWriter.Open(path, new());
                }
            }
        }
        finally
        {
            writer.Dispose();
        }

        return 0;
    }

    /// <summary>Replays in a child process that ends by itself.</summary>
    public static async Task RunAsync(string log, string path, string timeZone, params string[] options)
    {
        using var process = Start(log, path, timeZone, options);
        var said = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0, because: said);
    }

    /// <summary>Replays in a child process that is killed in the middle of an entry.</summary>
    public static async Task RunAndKillAsync(string log, string path, string timeZone, long inEntry)
    {
        using var process = Start(log, path, timeZone, ["--hang-in", inEntry.ToString(CultureInfo.InvariantCulture)]);
        (await process.StandardOutput.ReadLineAsync()).Should().Be(Hanging);
        process.Kill();
        await process.WaitForExitAsync();
    }

    private static Process Start(string log, string path, string timeZone, string[] options)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["TZ"] = timeZone },
        };
        foreach (var argument in (string[])[typeof(ReplayProcess).Assembly.Location, "replay", log, path, .. options])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static string? Option(ReadOnlySpan<string> options, string name)
    {
        var at = options.IndexOf(name);
        return at >= 0 ? options[at + 1] : null;
    }
}
