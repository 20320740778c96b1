using System.Diagnostics;
using System.Globalization;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>What the documents tell people to type works as it stands there.</summary>
public sealed class DocumentedCommandTests : IDisposable
{
    private const string Archive = "/var/lib/distdb/archive";
    private const string Time = "2026-01-31T11:59:59Z";
    private const string TokenVariable = "export DISTDB_TOKEN=";

    private static readonly string[] _documents = ["README.md", "docs/operating.md", "docs/performance.md"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-documents-");
    private string _token = "";

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_tool_of_the_documents_does_what_they_say()
    {
        var archive = Path.Combine(_folder.FullName, "archive");
        await using var cluster = await TestCluster.StartAsync(0, "--archive", archive, "--archive-every", "1s");
        (await cluster.Master.ExecAsync("CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT)")).IsOk.Should().BeTrue();
        await SqliteProgram.RunAsync(Path.Combine(_folder.FullName, "shop.db"), "CREATE TABLE articles (name TEXT); INSERT INTO articles VALUES ('a lamp');");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "people.csv"), "name,age\nAnn,41\n");
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "report.sql"), "SELECT count(*) AS users FROM users;\n");

        var commands = _documents.SelectMany(CommandsOf).ToList();
        commands.Should().HaveCountGreaterThan(15);
        string? time = null;
        foreach (var command in commands)
        {
            if (command.Contains(Time, StringComparison.Ordinal))
            {
                time ??= await NoteTimeAsync(cluster);
                var adapted = command.Replace(Archive, archive, StringComparison.Ordinal).Replace(Time, time, StringComparison.Ordinal);
                await cluster.WaitUntilAsync("the log is archived up to there, and the database restored", async () => (await RunAsync(cluster, adapted)).ExitCode == 0);
                continue;
            }

            if (command.StartsWith("distdb import shop ", StringComparison.Ordinal) && !File.Exists(Path.Combine(_folder.FullName, "shop.sql")))
            {
                (await RunAsync(cluster, "sqlite3 shop.db .dump > shop.sql")).ExitCode.Should().Be(0);
            }

            if (command.StartsWith(TokenVariable, StringComparison.Ordinal))
            {
                // Whoever types this has it in the commands after it.
                (await RunAsync(cluster, command + "\nprintf %s \"$DISTDB_TOKEN\" >token")).ExitCode.Should().Be(0);
                _token = await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "token"));
                _token.Should().NotBeEmpty();
                continue;
            }

            // Its result is what matters, and not how long it can be kept up.
            var (exitCode, output) = await RunAsync(cluster, command.Replace("--duration 60", "--duration 1", StringComparison.Ordinal));
            exitCode.Should().Be(0, $"{command}\n{output}");
        }

        (await RunAsync(cluster, """distdb shell --csv -c "SELECT username FROM users" """)).Output.Should().Contain("before").And.NotContain("after", "that was later than the point");
        (await RunAsync(cluster, """distdb shell --csv --database noon -c "SELECT username FROM users" """)).Output.Should().Contain("before").And.NotContain("after");
        (await RunAsync(cluster, """distdb shell --csv --database shop -c "SELECT name FROM articles" """)).Output.Should().Contain("a lamp");
        (await RunAsync(cluster, """distdb shell --csv -c "SELECT name, age + 1 FROM people" """)).Output.Should().Contain("Ann,42");
        (await RunAsync(cluster, "sqlite3 people.db 'SELECT name, age + 2 FROM people'")).Output.Should().Be("Ann|43\n");
        (await File.ReadAllTextAsync(Path.Combine(_folder.FullName, "report.csv"))).Should().StartWith("users");
    }

    /// <summary>The lines of code that run a tool. Nodes are started by other tests.</summary>
    private static IEnumerable<string> CommandsOf(string document)
    {
        var isShell = false;
        foreach (var line in File.ReadLines(Repository.PathOf(document)))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                isShell = line == "```sh";
            }
            else if (isShell && line.Contains("distdb ", StringComparison.Ordinal) && !line.Contains("distdb master ", StringComparison.Ordinal)
                && (line.StartsWith("distdb ", StringComparison.Ordinal) || line.StartsWith(TokenVariable, StringComparison.Ordinal)))
            {
                yield return line;
            }
        }
    }

    /// <summary>A moment between two writes.</summary>
    private async Task<string> NoteTimeAsync(TestCluster cluster)
    {
        (await RunAsync(cluster, """distdb shell -c "INSERT INTO users (username) VALUES ('before')" """)).ExitCode.Should().Be(0);
        var time = DateTime.UtcNow;
        await cluster.WaitUntilAsync("the clock shows another millisecond", () => Task.FromResult(DateTime.UtcNow > time.AddMilliseconds(2)));
        (await RunAsync(cluster, """distdb shell -c "INSERT INTO users (username) VALUES ('after')" """)).ExitCode.Should().Be(0);
        return time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
    }

    private async Task<(int ExitCode, string Output)> RunAsync(TestCluster cluster, string command)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-c", command + "\n"])
        {
            WorkingDirectory = _folder.FullName,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["PATH"] = $"{AppContext.BaseDirectory}:{start.Environment["PATH"]}";
        start.Environment["DISTDB_URL"] = cluster.Master.Address.ToString();
        start.Environment["DISTDB_TOKEN"] = _token;

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }
}
