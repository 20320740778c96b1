using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>Transactions, writes that may be sent again, and reads that must be fresh.</summary>
[Collection(nameof(ApiTests))]
public sealed class WriteTests(ApiCluster api) : IAsyncLifetime
{
    private TestCluster Cluster => api.Cluster;

    public async Task InitializeAsync()
    {
        (await Cluster.Master.ExecAsync("CREATE TABLE IF NOT EXISTS account (name TEXT PRIMARY KEY, balance INTEGER CHECK (balance >= 0))")).IsOk.Should().BeTrue();
        (await Cluster.Master.ExecAsync("INSERT OR REPLACE INTO account VALUES ('ann', 100), ('bob', 0)")).IsOk.Should().BeTrue();
        await Cluster.ConvergeAsync();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task A_transaction_does_all_and_answers_for_each_statement()
    {
        foreach (var node in Cluster.Nodes)
        {
            var answer = await node.PostAsync("""
                {"command":"exec","transaction":[
                  {"query":"UPDATE account SET balance = balance - ? WHERE name = ?","params":[10,"ann"]},
                  {"query":"UPDATE account SET balance = balance + :n WHERE name = :who","params":{"n":10,"who":"bob"}},
                  {"query":"SELECT sum(balance) AS total FROM account"}]}
                """);
            answer.IsOk.Should().BeTrue(answer.Text);
            var results = answer.Json.GetProperty("results");
            results.GetArrayLength().Should().Be(3);
            results[0].GetProperty("rows_affected").GetInt32().Should().Be(1);
            results[2].GetProperty("columns").GetRawText().Should().Be("""["total"]""");
            results[2].GetProperty("rows").GetRawText().Should().Be("[[100]]");
        }

        await Cluster.ConvergeAsync();
        (await Cluster[1].QueryAsync("SELECT balance FROM account ORDER BY name")).Rows.Should().Be("[[70],[30]]");
    }

    [Theory]
    [InlineData("UPDATE account SET balance = balance - 1000", 409, "constraint")]
    [InlineData("UPDATE nobody SET balance = 0", 400, "sql_error")]
    [InlineData("nonsense", 400, "sql_error")]
    [InlineData("", 400, "bad_request")]
    [InlineData("SELECT ?", 400, "bad_request")]
    [InlineData("COMMIT", 403, "forbidden")]
    [InlineData("ROLLBACK", 403, "forbidden")]
    [InlineData("RELEASE write", 403, "forbidden")]
    [InlineData("PRAGMA user_version", 403, "forbidden")]
    [InlineData("DELETE FROM _distdb_state", 403, "forbidden")]
    [InlineData("INSERT OR ROLLBACK INTO account VALUES ('ann', 1)", 409, "constraint")]
    public async Task A_failing_statement_is_named_and_nothing_of_its_transaction_kept(string failing, int status, string code)
    {
        foreach (var node in Cluster.Nodes)
        {
            var answer = await api.ShouldRefuseAsync(
                () => node.PostAsync($$"""
                    {"command":"exec","transaction":[
                      {"query":"INSERT INTO account VALUES ('carl', 1)"},
                      {"query":"SELECT 1"},
                      {"query":"{{failing}}"},
                      {"query":"DELETE FROM account"}]}
                    """),
                status,
                code,
                failing);
            answer.Json.GetProperty("statement").GetInt32().Should().Be(2);
        }
    }

    [Fact]
    public async Task A_write_that_is_lost_with_another_is_done_all_the_same()
    {
        // ON CONFLICT ROLLBACK makes SQLite undo everything that shares its transaction.
        var bad = Enumerable.Range(0, 40).Select(_ => Cluster[1].ExecAsync("INSERT OR ROLLBACK INTO account VALUES ('ann', 1)"));
        var good = Enumerable.Range(0, 40).Select(i => Cluster[i % 3].ExecAsync("INSERT INTO account VALUES (?, 1)", $"beside {i}"));
        var answers = await Task.WhenAll(bad.Zip(good, (b, g) => Task.WhenAll(b, g)));
        answers.Should().OnlyContain(pair => pair[0].Code == "constraint" && pair[1].IsOk);
        await Cluster.ConvergeAsync();
        (await Cluster[2].QueryAsync("SELECT count(*) FROM account WHERE name LIKE 'beside %'")).Scalar.GetInt32().Should().Be(40);
        (await Cluster[2].ExecAsync("DELETE FROM account WHERE name LIKE 'beside %'")).RowsAffected.Should().Be(40);
    }

    [Fact]
    public async Task A_write_with_an_id_is_done_once_wherever_it_is_sent_again()
    {
        var id = Guid.NewGuid().ToString();
        const string Sql = "UPDATE account SET balance = balance + 1 WHERE name = 'ann' RETURNING balance";
        var first = await Cluster[0].ExecOnceAsync(id, Sql);
        first.Rows.Should().Be("[[101]]");
        foreach (var node in Cluster.Nodes)
        {
            var again = await node.ExecOnceAsync(id, Sql);
            again.Rows.Should().Be("[[101]]", again.Text);
            again.Index.Should().Be(first.Index);
            again.RowsAffected.Should().Be(1);
        }

        await Cluster.ConvergeAsync();
        (await Cluster[1].QueryAsync("SELECT balance FROM account WHERE name = 'ann'")).Scalar.GetInt32().Should().Be(101);

        var other = await api.ShouldRefuseAsync(() => Cluster[2].ExecOnceAsync(id, "DELETE FROM account"), 409, "id_reused");
        other.Detail.Should().Contain(id);
    }

    [Fact]
    public async Task A_write_with_an_id_that_arrives_many_times_at_once_is_done_once()
    {
        var id = Guid.NewGuid().ToString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(
            i => Cluster[i % 3].ExecOnceAsync(id, "UPDATE account SET balance = balance + 1 WHERE name = 'bob'")));
        answers.Should().OnlyContain(a => a.IsOk);
        answers.Select(a => a.Index).Distinct().Should().ContainSingle();
        await Cluster.ConvergeAsync();
        (await Cluster[1].QueryAsync("SELECT balance FROM account WHERE name = 'bob'")).Scalar.GetInt32().Should().Be(1);
    }

    [Fact]
    public async Task A_failed_write_leaves_its_id_free()
    {
        var id = Guid.NewGuid().ToString();
        await api.ShouldRefuseAsync(() => Cluster[1].ExecOnceAsync(id, "INSERT INTO account VALUES ('ann', 1)"), 409, "constraint");
        (await Cluster[1].ExecOnceAsync(id, "UPDATE account SET balance = 5 WHERE name = 'ann'")).RowsAffected.Should().Be(1);
    }

    [Fact]
    public async Task A_strong_read_and_a_read_from_an_index_see_what_another_node_answered()
    {
        for (var i = 1; i <= 30; i++)
        {
            var write = await Cluster[i % 3].ExecAsync("UPDATE account SET balance = ? WHERE name = 'bob'", i);
            var other = Cluster[(i + 1) % 3];
            var fresh = await other.PostAsync(
                $$"""{"command":"query","query":"SELECT balance FROM account WHERE name = 'bob'","min_index":{{write.Index}}}""");
            fresh.Scalar.GetInt32().Should().Be(i);
            fresh.Index.Should().BeGreaterThanOrEqualTo(write.Index);
            var strong = await Cluster[(i + 2) % 3].PostAsync(
                """{"command":"query","query":"SELECT balance FROM account WHERE name = 'bob'","consistency":"strong"}""");
            strong.Scalar.GetInt32().Should().Be(i);
        }
    }

    [Fact]
    public async Task A_node_reads_the_writes_that_it_answered()
    {
        foreach (var node in Cluster.Nodes)
        {
            for (var i = 0; i < 30; i++)
            {
                (await node.ExecAsync("UPDATE account SET balance = ? WHERE name = 'bob'", i)).IsOk.Should().BeTrue();
                (await node.QueryAsync("SELECT balance FROM account WHERE name = 'bob'")).Scalar.GetInt32().Should().Be(i);
            }
        }
    }
}
