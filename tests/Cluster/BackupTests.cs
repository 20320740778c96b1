using System.CommandLine;
using DistDb.Tests.Support;
using DistDb.Tools;
using DistDb.Tools.Backup;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Cluster;

/// <summary>Backups that are made while everything goes on, and what they are for.</summary>
public sealed class BackupTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-backup-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task What_was_backed_up_while_clients_wrote_comes_back_in_a_new_cluster()
    {
        var archive = Path.Combine(_folder.FullName, "all.tar");
        long rows;
        await using (var cluster = await TestCluster.StartAsync())
        {
            await using var writers = await ClusterWriters.StartAsync(cluster, "drill");
            await ShouldWriteAsync(cluster, """{"command":"create_db","database":"books"}""");
            await ShouldWriteAsync(cluster, """{"command":"exec","database":"books","query":"CREATE TABLE t(a)"}""");
            await ShouldWriteAsync(cluster, """{"command":"exec","database":"books","query":"INSERT INTO t VALUES (1), (x'00'), (NULL)"}""");
            rows = (await cluster[1].QueryAsync("SELECT count(*) FROM rows_drill")).Scalar.GetInt64();

            (await RunAsync(BackupTool.Create(), cluster[1], "--to", archive)).Should().Be((ExitCode.Success, ""));
        }

        await using var fresh = await TestCluster.StartAsync();
        (await RunAsync(RestoreTool.Create(), fresh[2], "--from", archive, "--replace")).Should().Be((ExitCode.Success, ""));
        await fresh.ConvergeAsync();

        (await fresh[2].QueryAsync("SELECT count(*) >= ? FROM rows_drill", rows)).Scalar.GetInt64().Should().Be(1);
        (await fresh[1].QueryAsync("SELECT count(DISTINCT key) = count(*) FROM rows_drill")).Scalar.GetInt64().Should().Be(1);
        (await fresh[1].PostAsync("""{"command":"query","database":"books","query":"SELECT * FROM t"}""")).Rows.Should().Be("""[[1],[{"base64":"AA=="}],[null]]""");
        (await fresh.Master.ExecAsync("INSERT INTO rows_drill VALUES ('later', 0)")).IsOk.Should().BeTrue();
        (await fresh[1].VerifyAsync(repair: false)).Json.GetProperty("outcome").GetString().Should().Be("equal");
    }

    [Fact]
    public async Task A_restore_whose_nodes_die_is_done_as_a_whole_or_not_at_all()
    {
        await using var cluster = await TestCluster.StartAsync(2, "--log-tail", "30");
        await ShouldWriteAsync(cluster, """{"command":"exec","query":"CREATE TABLE old(a)"}""");
        var file = MakeFile(megabytes: 12);
        for (var round = 0; round < 3; round++)
        {
            // The leader dies, at another moment each time; the master, who has the file, stays.
            var restore = RunAsync(RestoreTool.Create(), cluster.Master, "main", "--from", file, "--replace");
            var victim = (await cluster.FindLeaderAsync()) is { } leader && leader != cluster.Master ? leader : cluster[1 + (round % 2)];
            await cluster.WaitUntilAsync("some of the file is there, or all of it", async () =>
                restore.IsCompleted || (await victim.StatusAsync())?.GetProperty("applied_index").GetInt64() % 5 == round);
            victim.Kill();
            var (exitCode, error) = await restore;
            var isThere = (await cluster.Master.QueryAsync("SELECT count(*) FROM sqlite_master WHERE name = 'big'")).Scalar.GetInt64() == 1;
            (exitCode == ExitCode.Success).Should().Be(isThere, error);
            victim.Start();
            await cluster.WaitUntilReadyAsync();
            await cluster.ConvergeAsync();
            if (isThere)
            {
                (await victim.QueryAsync("SELECT count(*), sum(length(b)) FROM big")).Rows.Should().Be($"[[12,{12 << 20}]]");
                await ShouldWriteAsync(cluster, """{"command":"exec","query":"DROP TABLE big"}""");
            }
        }

        await cluster.WaitUntilAsync("nothing is left of files on their way", () => cluster.Nodes.All(n =>
            Directory.GetFiles(Path.Combine(n.Folder, "databases"), "*staging*").Length == 0));
    }

    [Fact]
    public async Task Who_must_not_or_cannot_is_told_so_and_nothing_is_changed()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await ShouldWriteAsync(cluster, """{"command":"exec","query":"CREATE TABLE t(a)"}""");
        var file = MakeFile(megabytes: 1);
        (await RunAsync(RestoreTool.Create(), cluster[1], "main", "--from", file)).Should().Match<(int, string)>(r => r.Item1 == ExitCode.BadNews && r.Item2.Contains("not empty"));
        (await RunAsync(BackupTool.Create(), cluster[1], "main", "--to", Path.Combine(_folder.FullName, "none", "main.db"))).Should()
            .Match<(int, string)>(r => r.Item1 == ExitCode.WrongUsage && r.Item2.Contains("The backup cannot be written"));
        (await cluster[1].PostAsync("/restore/main?replace", "x")).Code.Should().Be("not_master");
        (await cluster.Master.PostAsync("/restore/main?replace", "x")).Code.Should().Be("bad_request");
        (await cluster.Master.PostAsync("/restore/main?replace=perhaps", "x")).Detail.Should().Contain("perhaps");
        (await cluster.Master.PostAsync("/restore/history_query?replace", "x")).Code.Should().Be("forbidden");
        (await cluster.Master.PostAsync("/restore/_distdb_staging_1", "x")).Code.Should().Be("bad_request");
        (await cluster[1].GetAsync("/backup/nothing")).Code.Should().Be("no_such_database");
        (await cluster[1].PostAsync("""{"command":"query","database":"_distdb_staging_1","query":"SELECT 1"}""")).Code.Should().Be("no_such_database");
        (await cluster.Master.QueryAsync("SELECT count(*) FROM t")).Scalar.GetInt64().Should().Be(0);
        cluster.Nodes.Select(n => Path.Combine(n.Folder, "transfers")).Where(Directory.Exists).SelectMany(Directory.GetFileSystemEntries).Should().BeEmpty();
    }

    [Fact]
    public async Task Csv_comes_in_all_or_not_at_all()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var csv = Path.Combine(_folder.FullName, "people.csv");
        await File.WriteAllTextAsync(csv, "id,name,zip,score\r\n1,\"a \"\"b\"\",\nc\",007,1.5\r\n2,,008,2\r\n3,\"\",,\r\n");
        (await RunAsync(ImportTool.Create(), cluster[1], "main", csv, "--table", "people")).Should().Be((ExitCode.Success, ""));
        await cluster.ConvergeAsync();
        (await cluster[1].QueryAsync("SELECT * FROM people")).Rows.Should().Be("""[[1,"a \"b\",\nc","007",1.5],[2,null,"008",2.0],[3,"",null,null]]""");

        await ShouldWriteAsync(cluster, """{"command":"exec","query":"CREATE UNIQUE INDEX i ON people(id)"}""");
        await File.WriteAllTextAsync(csv, "id\n4\n3\n");
        (await RunAsync(ImportTool.Create(), cluster[1], "main", csv, "--table", "people")).Should().Match<(int, string)>(r => r.Item1 == ExitCode.BadNews && r.Item2.Contains("UNIQUE"));
        await File.WriteAllTextAsync(csv, "id\n4\n5,6\n");
        (await RunAsync(ImportTool.Create(), cluster[1], "main", csv, "--table", "people")).Should().Match<(int, string)>(r => r.Item1 == ExitCode.BadNews && r.Item2.Contains("line 3 has 2 fields"));
        (await cluster.Master.QueryAsync("SELECT count(*) FROM people")).Scalar.GetInt64().Should().Be(3);
        (await cluster.Master.QueryAsync("SELECT count(*) FROM sqlite_master WHERE name LIKE '%import%'")).Scalar.GetInt64().Should().Be(0);

        var sql = Path.Combine(_folder.FullName, "shop.sql");
        await File.WriteAllTextAsync(sql, "PRAGMA foreign_keys=OFF;\nBEGIN;\nCREATE TABLE t(a);\nINSERT INTO t VALUES(1),(2);\nCOMMIT;\n");
        (await RunAsync(ImportTool.Create(), cluster[1], "shop", sql)).Should().Be((ExitCode.Success, ""));
        (await cluster.Master.PostAsync("""{"command":"query","database":"shop","query":"SELECT sum(a) FROM t"}""")).Scalar.GetInt64().Should().Be(3);
        await File.WriteAllTextAsync(sql, "BEGIN;\nCREATE TABLE t(a);\nATTACH 'elsewhere.db' AS e;\n");
        (await RunAsync(ImportTool.Create(), cluster[1], "shop", sql, "--replace")).Should().Match<(int, string)>(r => r.Item1 == ExitCode.BadNews && r.Item2.Contains("line 3"));
    }

    [Fact]
    public async Task A_database_comes_back_as_it_was_at_a_point_of_the_archived_log()
    {
        var archive = Path.Combine(_folder.FullName, "archive");
        await using var cluster = await TestCluster.StartAsync(2, "--archive", archive, "--archive-every", "1s");
        await ShouldWriteAsync(cluster, """{"command":"exec","query":"CREATE TABLE t(a)"}""");
        await cluster.ConvergeAsync();
        var (single, all) = (Path.Combine(_folder.FullName, "main.db"), Path.Combine(_folder.FullName, "all.tar"));
        (await RunAsync(BackupTool.Create(), cluster[1], "main", "--to", single)).ExitCode.Should().Be(ExitCode.Success);
        (await RunAsync(BackupTool.Create(), cluster[1], "--to", all)).ExitCode.Should().Be(ExitCode.Success);
        await ShouldWriteAsync(cluster, """{"command":"exec","query":"INSERT INTO t VALUES (random()), (strftime('%s','now'))"}""");
        var rows = (await cluster.Master.QueryAsync("SELECT * FROM t")).Rows;
        var index = (await cluster.Master.ExecAsync("DELETE FROM t")).Json.GetProperty("index").GetInt64();

        // It waits for the piece with that entry.
        (int ExitCode, string Error) restored = default;
        await cluster.WaitUntilAsync("the entry is archived", async () =>
            (restored = await RunAsync(RestoreTool.Create(), cluster[2], "before", "--from", single, "--archive", archive, "--at", $"{index - 1}")).ExitCode == ExitCode.Success);
        restored.Error.Should().Contain($"main: as of entry {index - 1}").And.Contain("1 entry since");
        (await cluster[2].PostAsync("""{"command":"query","database":"before","query":"SELECT * FROM t","consistency":"strong"}""")).Rows.Should().Be(rows);

        // The whole of an archive, in the place of what is there; and after that on to what was then.
        await cluster.WaitUntilAsync("the entry is archived", async () =>
            (restored = await RunAsync(RestoreTool.Create(), cluster[2], "main", "--from", all, "--archive", archive, "--at", $"{index}", "--replace")).ExitCode == ExitCode.Success);
        (await cluster[2].StrongQueryAsync("SELECT count(*) FROM t")).Scalar.GetInt64().Should().Be(0);
        var time = DateTimeOffset.UtcNow.AddHours(1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        (await RunAsync(RestoreTool.Create(), cluster[2], "main", "--from", single, "--archive", archive, "--at", time)).Should()
            .Match<(int, string)>(r => r.Item1 == ExitCode.BadNews && r.Item2.Contains("The archive ends at") && r.Item2.Contains("Nothing was restored"));

        foreach (var (arguments, reason) in (IEnumerable<(string[], string)>)
        [
            (["--at", "last"], "--archive"),
            (["--archive", archive], "add --at"),
            (["--archive", archive, "--at", "noon"], "neither a time"),
            (["--archive", archive, "--at", "2026-01-31T12:00:00"], "with its zone"),
            (["--archive", archive, "--at", "0"], "neither a time"),
        ])
        {
            (await RunAsync(RestoreTool.Create(), cluster[2], ["main", "--from", single, .. arguments])).Should()
                .Match<(int, string)>(r => r.Item1 == ExitCode.WrongUsage && r.Item2.Contains(reason));
        }
    }

    private string MakeFile(int megabytes)
    {
        var path = Path.Combine(_folder.FullName, "file.db");
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"CREATE TABLE big(id INTEGER PRIMARY KEY, b BLOB); WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT {megabytes}) INSERT INTO big SELECT n, randomblob(1048576) FROM s";
        command.ExecuteNonQuery();
        return path;
    }

    private static async Task ShouldWriteAsync(TestCluster cluster, string body)
    {
        var answer = await cluster.Master.PostAsync(body);
        answer.IsOk.Should().BeTrue(answer.Text);
    }

    private static async Task<(int ExitCode, string Error)> RunAsync(Command tool, TestNode node, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = new RootCommand { tool };
        var exitCode = await ToolRunner.InvokeAsync(root, [tool.Name, .. arguments, "--url", node.Address.ToString()], new() { Output = output, Error = error });
        return (exitCode, error.ToString());
    }
}
