using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>Structured commands at real nodes.</summary>
public sealed class StructuredTests
{
    [Fact]
    public async Task What_one_node_inserts_every_node_finds_also_with_the_master_stopped()
    {
        await using var cluster = await TestCluster.StartAsync();
        await ShouldDoAsync(cluster.Master, """{"command":"CREATE_TABLE","table":"users","columns":{"id":"int primary key","name":"string"}}""", rowsAffected: 0);
        await ShouldDoAsync(cluster[1], """{"command":"INSERT","table":"users","data":{"id":1,"name":"Alice"}}""", rowsAffected: 1);
        await ShouldFindAsync(cluster, """[{"id":1,"name":"Alice"}]""");

        // No row is a schema change: the master is not needed.
        (await cluster.Master.StopAsync()).Should().Be(0);
        await ShouldDoAsync(cluster[2], """{"command":"INSERT","table":"users","data":[{"id":2,"name":"Bob"},{"name":"Eve","id":3}]}""", rowsAffected: 2);
        await ShouldDoAsync(cluster[1], """{"command":"UPDATE","table":"users","data":{"name":"Ann"},"condition":{"id":1}}""", rowsAffected: 1);
        await ShouldDoAsync(cluster[2], """{"command":"DELETE","table":"users","condition":{"id":{"gt":2}}}""", rowsAffected: 1);
        await ShouldFindAsync(cluster, """[{"id":1,"name":"Ann"}]""");
        foreach (var node in cluster.Nodes.Skip(1))
        {
            var refused = await node.PostAsync("""{"command":"create_table","table":"other","columns":{"a":"int"}}""");
            refused.Code.Should().Be("not_master", refused.Text);
        }

        await cluster.RestartAsync(cluster.Master);
        await cluster.ConvergeAsync();
        await ShouldFindAsync(cluster, """[{"id":1,"name":"Ann"}]""");
        await ShouldDoAsync(cluster.Master, """{"command":"drop_table","table":"users"}""", rowsAffected: 0);
    }

    [Fact]
    public async Task Rows_of_many_statements_are_one_write()
    {
        await using var cluster = await TestCluster.StartAsync();
        const int RowCount = 40_000;
        await ShouldDoAsync(cluster.Master, """{"command":"create_table","table":"t","columns":{"a":"int primary key"}}""", rowsAffected: 0);
        var rows = string.Join(',', Enumerable.Range(1, RowCount).Select(i => $$"""{"a":{{i}}}"""));
        var answer = await cluster[1].PostAsync($$"""{"command":"insert","table":"t","data":[{{rows}}],"id":"many"}""");
        answer.IsOk.Should().BeTrue(answer.Text);
        answer.RowsAffected.Should().Be(RowCount);
        answer.Json.GetProperty("last_insert_id").GetInt64().Should().Be(RowCount);
        answer.Json.TryGetProperty("results", out _).Should().BeFalse("the client asked for one thing");

        // Again, by another node, under the same key; then under none, when nothing of it may stay.
        var again = await cluster[2].PostAsync($$"""{"command":"insert","table":"t","data":[{{rows}}],"id":"many"}""");
        again.RowsAffected.Should().Be(RowCount);
        again.Index.Should().Be(answer.Index);
        var failed = await cluster[2].PostAsync($$"""{"command":"insert","table":"t","data":[{"a":0},{{rows}}]}""");
        failed.Code.Should().Be("constraint");
        failed.Json.TryGetProperty("statement", out _).Should().BeFalse("the client knows of no statements");
        await cluster.ConvergeAsync();
        (await cluster[1].QueryAsync("SELECT count(*) FROM t")).Scalar.GetInt32().Should().Be(RowCount);
    }

    private static async Task ShouldDoAsync(TestNode node, string body, long rowsAffected)
    {
        var answer = await node.PostAsync(body);
        answer.IsOk.Should().BeTrue(answer.Text);
        answer.RowsAffected.Should().Be(rowsAffected);
        answer.Json.GetProperty("node").GetInt32().Should().Be(node.Id);
    }

    private static async Task ShouldFindAsync(TestCluster cluster, string rows)
    {
        foreach (var node in cluster.Nodes.Where(n => n.IsRunning))
        {
            var answer = await node.PostAsync("/query?objects", """{"command":"SEARCH","table":"users","condition":{"id":1},"consistency":"strong"}""");
            answer.IsOk.Should().BeTrue(answer.Text);
            answer.Rows.Should().Be(rows);
            answer.Json.GetProperty("types").GetRawText().Should().Be("""["INTEGER","TEXT"]""");
        }
    }
}
