using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>Databases beside <c>main</c>, by structured commands and by SQL.</summary>
public sealed class StructuredDatabaseTests
{
    [Fact]
    public async Task The_original_systems_example_works_on_every_node_also_with_the_master_stopped()
    {
        await using var cluster = await TestCluster.StartAsync();
        await ShouldDoAsync(cluster.Master, """{"command":"CREATE_DB","database":"mydb"}""", rowsAffected: 0);
        await ShouldDoAsync(cluster.Master, """{"command":"CREATE_TABLE","database":"mydb","table":"users","columns":{"id":"int","name":"string"}}""", rowsAffected: 0);
        await ShouldDoAsync(cluster.Master, """{"command":"INSERT","database":"mydb","table":"users","data":{"id":1,"name":"Alice"}}""", rowsAffected: 1);
        await ShouldFindAsync(cluster, """[{"id":1,"name":"Alice"}]""");
        (await cluster[1].PostAsync("""{"command":"SEARCH","table":"users"}""")).Code.Should().Be("sql_error", "main has no such table");

        (await cluster.Master.StopAsync()).Should().Be(0);
        await ShouldDoAsync(cluster[2], """{"command":"UPDATE","database":"MyDb","table":"users","data":{"name":"Ann"},"condition":{"id":1}}""", rowsAffected: 1);
        await ShouldFindAsync(cluster, """[{"id":1,"name":"Ann"}]""");
        foreach (var body in (string[])["""{"command":"CREATE_DB","database":"other"}""", """{"command":"exec","query":"DROP DATABASE mydb"}"""])
        {
            (await cluster[1].PostAsync(body)).Code.Should().Be("not_master", body);
        }

        await cluster.RestartAsync(cluster.Master);
        await ShouldFindAsync(cluster, """[{"id":1,"name":"Ann"}]""");
    }

    [Fact]
    public async Task A_database_is_there_once_and_gone_when_dropped()
    {
        await using var cluster = await TestCluster.StartAsync();
        var master = cluster.Master;
        (await master.ExecAsync("CREATE DATABASE \"my-db\";")).IsOk.Should().BeTrue();
        (await master.ExecAsync("CREATE DATABASE \"My-Db\"")).Code.Should().Be("conflict");
        (await master.PostAsync("""{"command":"create_db","database":"MY-DB","if_not_exists":true}""")).IsOk.Should().BeTrue();
        (await master.PostAsync("""{"command":"create_db","database":"main","if_not_exists":true}""")).IsOk.Should().BeTrue();
        (await master.ExecAsync("DROP DATABASE other")).Code.Should().Be("no_such_database");
        (await master.ExecAsync("DROP DATABASE IF EXISTS other")).IsOk.Should().BeTrue();

        // The same wish again, under its key, is no conflict.
        (await master.PostAsync("""{"command":"create_db","database":"once","id":"k"}""")).IsOk.Should().BeTrue();
        (await master.PostAsync("""{"command":"create_db","database":"once","id":"k"}""")).IsOk.Should().BeTrue();

        var dropped = await master.PostAsync("""{"command":"drop_db","database":"my-db"}""");
        dropped.IsOk.Should().BeTrue(dropped.Text);
        foreach (var node in cluster.Nodes)
        {
            var answer = await node.PostAsync($$"""{"command":"query","query":"SELECT 1","database":"my-db","min_index":{{dropped.Index}}}""");
            answer.Code.Should().Be("no_such_database", answer.Text);
        }
    }

    private static async Task ShouldDoAsync(TestNode node, string body, long rowsAffected)
    {
        var answer = await node.PostAsync(body);
        answer.IsOk.Should().BeTrue(answer.Text);
        answer.RowsAffected.Should().Be(rowsAffected);
    }

    private static async Task ShouldFindAsync(TestCluster cluster, string rows)
    {
        foreach (var node in cluster.Nodes.Where(n => n.IsRunning))
        {
            var answer = await node.PostAsync(
                "/query?objects", """{"command":"SEARCH","database":"mydb","table":"users","condition":{"id":1},"consistency":"strong"}""");
            answer.IsOk.Should().BeTrue(answer.Text);
            answer.Rows.Should().Be(rows);
        }
    }
}
