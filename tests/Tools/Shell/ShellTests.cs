using DistDb.Tools;
using DistDb.Tools.Shell;

namespace DistDb.Tests.Tools.Shell;

public sealed class ShellTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-shell-");

    [Fact]
    public async Task A_script_stops_at_the_first_error_and_says_where()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        var script = WriteFile("CREATE TABLE t (a);\n\nINSERT INTO t VALUES (1);\nSELECT nothing\n FROM t;\nINSERT INTO t VALUES (2);");

        var result = await cluster.RunAsync("shell", "-c", $".read {script}");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Error.Should().Be($"distdb: {script}:4: detail of sql_error.\n");
        cluster.Nodes[0].Scalar("SELECT count(*) FROM t").Should().Be(1);
    }

    [Fact]
    public async Task Rows_come_in_the_format_that_was_asked_for()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        const string Sql = "SELECT 1 AS a, NULL AS b, x'00ff' AS c, 'x' || char(10) AS d, 2.0 AS e";

        (await cluster.RunAsync("shell", "--json", "-c", Sql)).Output.Should().Be("""[{"a":1,"b":null,"c":{"base64":"AP8="},"d":"x\n","e":2.0}]""" + "\n");
        (await cluster.RunAsync("shell", "--csv", "-c", Sql)).Output.Should().Be("a,b,c,d,e\r\n1,,AP8=,\"x\n\",2.0\r\n");
        (await cluster.RunAsync("shell", "-c", ".mode line", "-c", Sql)).Output.Should().Be("a = 1\nb = NULL\nc = x'00FF'\nd = x\\n\ne = 2.0\n");
        (await cluster.RunAsync("shell", "-c", Sql)).Output.Should().Contain("│ NULL │ x'00FF' │ x\\n │");
    }

    [Fact]
    public async Task A_statement_is_sent_to_another_node_with_the_same_id_when_one_does_not_serve()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE TABLE t (a)");
        cluster.Nodes[1].Intercept = _ => new(504, "outcome_unknown", Apply: true);

        var result = await cluster.RunAsync("shell", "-c", "INSERT INTO t VALUES (1)");

        result.ExitCode.Should().Be(ExitCode.Success, result.Error);
        result.Error.Should().Be($"distdb: going on at {cluster.Nodes[0].Address}, since the node before does not serve.\n");
        cluster.Nodes.SelectMany(node => node.Requests).Select(request => request.Id).Distinct().Should().ContainSingle().Which.Should().NotBeNull();
    }

    [Fact]
    public async Task A_transaction_that_is_not_committed_is_bad_news()
    {
        await using var cluster = await FakeCluster.StartAsync(1);

        var result = await cluster.RunAsync("shell", "-c", "BEGIN; INSERT INTO t VALUES (1);");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Error.Should().Be("distdb: 1 statement since BEGIN was not committed, and nothing of them is done.\n");
        cluster.Nodes[0].Requests.Should().BeEmpty();
    }

    [Theory]
    [InlineData(".nothing", "There is no command .nothing")]
    [InlineData(".use", "Usage: .use DB")]
    [InlineData(".mode fancy", "\"fancy\" is not one of table, json, csv, line.")]
    [InlineData(".read /nowhere/at/all", "/nowhere/at/all cannot be read")]
    [InlineData("COMMIT", "No transaction has begun.")]
    public async Task What_makes_no_sense_is_said(string command, string message)
    {
        await using var cluster = await FakeCluster.StartAsync(1);

        var result = await cluster.RunAsync("shell", "-c", command);

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Error.Should().StartWith("distdb: -c:1: " + message);
    }

    [Fact]
    public async Task A_dump_makes_the_same_database_again()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.Nodes[1].Execute(
            """
            CREATE TABLE child (id INTEGER PRIMARY KEY AUTOINCREMENT, p REFERENCES parent(k), g AS (id + 1));
            CREATE TABLE parent (k TEXT, rowid, v, "odd ""name");
            CREATE UNIQUE INDEX parent_k ON parent (k);
            CREATE TABLE norow (k PRIMARY KEY, v) WITHOUT ROWID;
            CREATE VIRTUAL TABLE words USING fts5(w);
            CREATE VIRTUAL TABLE outside USING fts5(k, content='parent', content_rowid='_rowid_');
            CREATE VIRTUAL TABLE boxes USING rtree(id, x1, x2);
            CREATE VIEW v AS SELECT * FROM parent;
            CREATE TRIGGER tr AFTER INSERT ON parent BEGIN INSERT INTO norow VALUES (new.k, 1); END;
            CREATE INDEX child_p ON child (p);
            INSERT INTO parent (_rowid_, k, rowid, v, "odd ""name") VALUES
                (77, 'a''b', 9223372036854775807, 0.1, x'00ff'), (5, 'nul' || char(0) || 'nul', -9223372036854775808, 9e999, NULL), (6, 'line' || char(10), 1e-300, 3.0, '');
            INSERT INTO child (id, p) VALUES (3, 'a''b'), (1000, NULL);
            DELETE FROM child WHERE id = 1000;
            INSERT INTO words (rowid, w) VALUES (7, 'hello world');
            INSERT INTO outside (outside) VALUES ('rebuild');
            INSERT INTO boxes VALUES (1, 0.5, 1.5);
            """);
        var path = Path.Combine(_folder.FullName, "dump.sql");

        var result = await cluster.RunAsync("shell", "-c", $".dump {path}");
        result.ExitCode.Should().Be(ExitCode.Success, result.Error);
        cluster.Nodes[0].Execute("PRAGMA foreign_keys = ON");
        var loaded = await FakeCluster.RunToolAsync("shell", "--url", cluster.Nodes[0].Address, "-c", $".read {path}");
        loaded.ExitCode.Should().Be(ExitCode.Success, loaded.Error);

        var compared = await cluster.RunAsync("show-all");
        compared.ExitCode.Should().Be(ExitCode.Success, compared.Output);
        cluster.Nodes[0].Scalar("SELECT _rowid_ FROM parent WHERE k = 'a''b'").Should().Be(77);
        cluster.Nodes[0].Scalar("SELECT seq FROM sqlite_sequence").Should().Be(1000);
        cluster.Nodes[0].Scalar("SELECT rowid FROM outside WHERE outside MATCH 'line'").Should().Be(6);
    }

    [Fact]
    public void History_is_kept_for_its_user_alone()
    {
        var path = Path.Combine(_folder.FullName, "state", "shell_history");
        var history = ShellHistory.Open(path, out var problem);
        problem.Should().BeNull();
        history.Add("SELECT 1;");
        history.Add("SELECT 'a\\n'\n;");
        history.Add("SELECT 'a\\n'\n;");
        history.Add(" SELECT 'secret';");

        ShellHistory.Open(path, out _).Entries.Should().Equal("SELECT 1;", "SELECT 'a\\n'\n;");
        new FileInfo(path).UnixFileMode.Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        ShellHistory.Open("/proc/nowhere/history", out problem).Entries.Should().BeEmpty();
        problem.Should().NotBeNull();
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string WriteFile(string text)
    {
        var path = Path.Combine(_folder.FullName, "script.sql");
        File.WriteAllText(path, text);
        return path;
    }
}
