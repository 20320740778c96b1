using System.Text.Json;
using DistDb.Tools;

namespace DistDb.Tests.Tools;

public sealed class ShowAllTests
{
    [Fact]
    public async Task Identical_replicas_are_good_news()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.ExecuteEverywhere("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, score REAL, photo BLOB)");
        cluster.ExecuteEverywhere("INSERT INTO users VALUES (1, 'ann', 1.0, x'00ff'), (2, NULL, 9e999, x'')");

        var result = await cluster.RunAsync("show-all");

        result.Should().BeEquivalentTo(new { ExitCode = ExitCode.Success, Error = "" });
        result.LastLine.Should().Be("Replicas are identical: 3 nodes, 1 table, 2 rows, at index 10.");
        result.Output.Should().Contain("Table users").And.Contain("ann").And.Contain("x'00FF'").And.Contain("Node 2: 2 rows");
    }

    [Theory]
    [InlineData("1", "'1'", "1 on nodes 0 and 1 but '1' on node 2")]
    [InlineData("1", "1.0", "1 on nodes 0 and 1 but 1.0 on node 2")]
    [InlineData("'a'", "x'61'", "'a' on nodes 0 and 1 but x'61' on node 2")]
    [InlineData("'a'", "NULL", "'a' on nodes 0 and 1 but NULL on node 2")]
    [InlineData("9007199254740993", "9007199254740992", "9007199254740993 on nodes 0 and 1 but 9007199254740992 on node 2")]
    public async Task A_value_or_its_storage_class_that_differs_is_named(string here, string there, string expected)
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.ExecuteEverywhere("CREATE TABLE t (id INTEGER PRIMARY KEY, v)");
        cluster.ExecuteEverywhere($"INSERT INTO t VALUES (1, 0), (7, {here})");
        cluster.Nodes[2].Execute($"UPDATE t SET v = {there} WHERE id = 7");

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain($"table t: v of the row with rowid 7 is {expected}.");
        result.LastLine.Should().Be("Replicas differ.");
    }

    [Fact]
    public async Task A_missing_row_is_named_however_far_down_it_is()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.ExecuteEverywhere("CREATE TABLE t (v TEXT)");
        cluster.ExecuteEverywhere("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1700) INSERT INTO t SELECT i FROM n");
        cluster.Nodes[1].Execute("DELETE FROM t WHERE rowid = 1650");

        var result = await cluster.RunAsync("show-all", "--limit", "3");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain("table t: the row with rowid 1650 is missing on node 1.");
        result.Output.Should().Contain("Node 0: 1,700 rows").And.Contain("Node 1: 1,699 rows").And.Contain("and 1,697 more rows");
    }

    [Fact]
    public async Task Pages_of_a_table_without_rowid_miss_no_row_whatever_its_collation()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE TABLE t (k TEXT COLLATE NOCASE, n INTEGER, PRIMARY KEY (k COLLATE BINARY, n)) WITHOUT ROWID");
        cluster.ExecuteEverywhere("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) INSERT INTO t SELECT 'a', i FROM n");
        cluster.ExecuteEverywhere("INSERT INTO t SELECT 'A', n FROM t UNION ALL SELECT 'b', n FROM t");
        cluster.Nodes[0].Execute("DELETE FROM t WHERE k = 'b' COLLATE BINARY AND n = 299");

        var result = await cluster.RunAsync("show-all", "--limit", "1");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain("where the keys go apart, the next row is that with k 'b', n 300 on node 0, that with k 'b', n 299 on node 1.");
        result.Output.Should().Contain("Node 1: 900 rows");
    }

    [Fact]
    public async Task Schema_that_differs_is_named()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.ExecuteEverywhere("CREATE TABLE t (v TEXT)");
        cluster.Nodes[0].Execute("CREATE TABLE extra (v TEXT)");
        cluster.Nodes[0].Execute("CREATE INDEX i ON t (v)");
        cluster.Nodes[1].Execute("CREATE INDEX i ON t (v DESC)");
        cluster.Nodes[2].Execute("CREATE INDEX i ON t (v)");

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain("table extra: missing on nodes 1 and 2.");
        result.Output.Should().Contain("index i: defined differently on nodes 0 and 2 and on node 1.");
    }

    [Fact]
    public async Task Counters_of_autoincrement_are_compared()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT)");
        cluster.ExecuteEverywhere("INSERT INTO t DEFAULT VALUES");
        cluster.Nodes[1].Execute("UPDATE sqlite_sequence SET seq = 5");

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain("table t: its AUTOINCREMENT counter is 1 on node 0, 5 on node 1.");
    }

    [Fact]
    public async Task The_clusters_own_tables_are_left_out()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.Nodes[0].Execute("CREATE TABLE _distdb_state (v)");

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.Success);
        result.Output.Should().NotContain("_distdb_");
    }

    [Fact]
    public async Task Rows_of_a_virtual_table_are_compared_where_it_keeps_them()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE VIRTUAL TABLE f USING fts5(t)");
        cluster.Nodes[1].Execute("INSERT INTO f VALUES ('more')");

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain("table f_content: the row with rowid 1 is missing on node 0.");
    }

    [Fact]
    public async Task A_replica_that_lags_is_awaited()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.ExecuteEverywhere("CREATE TABLE t (v)");
        cluster.Nodes[0].Execute("INSERT INTO t VALUES (1)");
        cluster.Nodes[1].Execute("INSERT INTO t VALUES (1)");
        cluster.Nodes[2].ExecuteLate("INSERT INTO t VALUES (1)");
        cluster.Nodes[2].Index = 9;

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.Success);
        result.LastLine.Should().Be("Replicas are identical: 3 nodes, 1 table, 1 row, at index 10.");
    }

    [Fact]
    public async Task A_replica_that_a_write_reaches_between_two_answers_does_not_differ()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE TABLE t (v)");
        cluster.Nodes[0].Execute("INSERT INTO t VALUES (1)");
        cluster.Nodes[0].Index = 10;
        cluster.Nodes[1].ExecuteLate("INSERT INTO t VALUES (1)");

        // The row is there before the index that promises it.
        var asked = 0;
        cluster.Nodes[0].Intercept = request =>
        {
            if (request.Query.Contains("FROM \"t\"", StringComparison.Ordinal) && Interlocked.Increment(ref asked) == 3)
            {
                cluster.Nodes[0].Index = 11;
            }

            return null;
        };

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.Success);
        result.LastLine.Should().EndWith("at index 10 to 11 (writes came in meanwhile).");
    }

    [Fact]
    public async Task Replicas_that_change_all_the_time_are_said_to_be_unknown()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE TABLE t (v)");
        cluster.Nodes[0].Intercept = request =>
        {
            cluster.Nodes[0].Execute("INSERT INTO t VALUES (1)");
            cluster.Nodes[0].Index++;
            return null;
        };

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain("table t: written to all the time, so the replicas could not be read at one point.");
        result.LastLine.Should().Be("Cannot tell whether the replicas are identical.");
    }

    [Fact]
    public async Task A_node_that_is_down_is_bad_news_and_the_others_are_compared()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.ExecuteEverywhere("CREATE TABLE t (v)");
        await cluster.Nodes[1].DisposeAsync();

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain("cannot be reached: connection refused");
        result.LastLine.Should().Be("Replicas of nodes 0 and 2 are identical; 1 of 3 nodes could not be compared.");
    }

    [Fact]
    public async Task Pages_become_smaller_where_rows_are_large()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE TABLE t (v)");
        cluster.ExecuteEverywhere("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) INSERT INTO t SELECT i FROM n");
        foreach (var node in cluster.Nodes)
        {
            node.Intercept = request => request.Query.Contains("ORDER BY rowid LIMIT", StringComparison.Ordinal) && request.Parameters[^1].Integer > 10
                ? new(413, "too_large")
                : null;
        }

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.Success);
        result.LastLine.Should().Contain("40 rows");
    }

    [Fact]
    public async Task A_row_that_no_node_sends_is_said_to_be_unknown()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE TABLE t (v)");
        cluster.Nodes[1].Intercept = request =>
            request.Query.Contains("ORDER BY rowid LIMIT", StringComparison.Ordinal) ? new(413, "too_large") : null;

        var result = await cluster.RunAsync("show-all");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Output.Should().Contain("table t: node 1 does not send row 1: detail of too_large.");
        result.LastLine.Should().StartWith("Cannot tell");
    }

    [Fact]
    public async Task Json_says_the_same_to_programs()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere("CREATE TABLE t (v)");
        cluster.ExecuteEverywhere("INSERT INTO t VALUES (1.0), ('x'), (x'01')");
        cluster.Nodes[1].Execute("INSERT INTO t VALUES (2)");

        var result = await cluster.RunAsync("show-all", "--json", "--limit", "2");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        using var json = JsonDocument.Parse(result.Output);
        json.RootElement.GetProperty("identical").GetBoolean().Should().BeFalse();
        json.RootElement.GetProperty("complete").GetBoolean().Should().BeTrue();
        json.RootElement.GetProperty("findings")[0].GetProperty("detail").GetString().Should().Be("table t: the row with rowid 4 is missing on node 0");
        var replica = json.RootElement.GetProperty("tables")[0].GetProperty("replicas")[1];
        replica.GetProperty("row_count").GetInt64().Should().Be(4);
        replica.GetProperty("rows").GetRawText().Should().Be("""[[1.0],["x"]]""");
    }

    [Fact]
    public async Task Data_does_not_reach_the_terminal_as_control_characters()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        cluster.ExecuteEverywhere("CREATE TABLE t (v)");
        cluster.ExecuteEverywhere("INSERT INTO t VALUES ('a' || char(27) || '[31m' || char(10) || '[b]')");

        var result = await cluster.RunAsync("show-all");

        result.Output.Should().NotContain("\u001b").And.Contain(@"a\u001b[31m\n[b]");
    }

    [Fact]
    public async Task No_node_at_all_is_another_exit_code()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        var address = cluster.Nodes[0].Address;
        await cluster.Nodes[0].DisposeAsync();

        var result = await FakeCluster.RunToolAsync("show-all", "--url", address);

        result.Should().BeEquivalentTo(new
        {
            ExitCode = ExitCode.Unreachable,
            Output = "",
            Error = $"distdb: {address} cannot be reached: connection refused, nothing listens there.{Environment.NewLine}",
        });
    }

    [Fact]
    public async Task A_count_that_is_not_the_clusters_is_bad_news()
    {
        await using var cluster = await FakeCluster.StartAsync(3);

        var result = await cluster.RunAsync("show-all", "1");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Error.Should().Contain("The cluster has 3 nodes, not the 2");
    }

    [Theory]
    [InlineData("show-all", "x")]
    [InlineData("show-all", "-1")]
    [InlineData("show-all", "--limit=-1")]
    [InlineData("show-all", "--limit=99999999999")]
    [InlineData("show-all", "--url=localhost:8080")]
    [InlineData("show-all", "--base-port=70000")]
    [InlineData("send-dummy", "--count=0")]
    [InlineData("send-dummy", "--concurrency=many")]
    [InlineData("send-dummy", "--to=-1")]
    [InlineData("send-dummy", "--unknown")]
    public async Task Wrong_usage_is_told_in_words(params string[] arguments)
    {
        var result = await FakeCluster.RunToolAsync(arguments);

        result.ExitCode.Should().Be(ExitCode.WrongUsage);
        result.Error.Should().StartWith("distdb: ").And.Contain($"See: distdb {arguments[0]} --help").And.NotContain("Exception");
    }
}
