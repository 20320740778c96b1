using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary><c>GET /databases</c>.</summary>
[Collection(nameof(ApiTests))]
public sealed class DatabasesTests(ApiCluster api)
{
    private TestCluster Cluster => api.Cluster;

    [Fact]
    public async Task Every_node_lists_what_users_have_defined_and_nothing_else()
    {
        await DoAsync("main", "CREATE DATABASE listed WITH foreign_keys = off");
        await DoAsync("listed", "CREATE TABLE \"Żółw 'x'\" (id INTEGER PRIMARY KEY AUTOINCREMENT, name varchar(20) NOT NULL DEFAULT 'a', twice AS (id * 2), free)");
        await DoAsync("listed", "CREATE TABLE pairs (a TEXT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID");
        await DoAsync("listed", "CREATE INDEX by_a ON pairs (a)");
        await DoAsync("listed", "CREATE VIRTUAL TABLE docs USING fts5 (body)");
        await DoAsync("listed", "CREATE TABLE gone (x)");
        await DoAsync("listed", "CREATE VIEW broken AS SELECT x FROM gone");
        await DoAsync("listed", "DROP TABLE gone");
        var index = await DoAsync("listed", "CREATE VIEW shown AS SELECT b, b + 1 AS more FROM pairs");
        foreach (var node in Cluster.Nodes)
        {
            (await node.PostAsync($$"""{"command":"query","query":"SELECT 1","min_index":{{index}}}""")).IsOk.Should().BeTrue();
            var answer = await node.GetAsync("/databases");
            answer.Status.Should().Be(200, answer.Text);
            answer.Index.Should().BeGreaterThanOrEqualTo(index);
            answer.Json.GetProperty("node").GetInt32().Should().Be(node.Id);
            Names(answer.Json.GetProperty("databases")).Should().BeInAscendingOrder(StringComparer.Ordinal).And.Contain(["main", "listed"]);

            var database = Find(answer, "listed");
            database.GetProperty("bytes").GetInt64().Should().BePositive();
            database.GetProperty("foreign_keys").GetBoolean().Should().BeFalse();
            Find(answer, "main").GetProperty("foreign_keys").GetBoolean().Should().BeTrue();
            database.GetProperty("tables").EnumerateArray().Select(Describe).Should().Equal(
                "broken view: ",
                "docs virtual: body ",
                "pairs table: a TEXT not null key, b INT not null key",
                "shown view: b INT, more ",
                "Żółw 'x' table: id INTEGER key, name VARCHAR(20) not null = 'a', twice  generated, free ");
            database.GetProperty("tables")[0].GetProperty("problem").GetString().Should().Contain("no such table: main.gone");
            Names(Find(answer, "main").GetProperty("tables")).Should().Contain("t").And.NotContain(n => n.StartsWith('_') || n.StartsWith("sqlite", StringComparison.Ordinal));
        }

        await DoAsync("main", "DROP DATABASE listed");
        Names((await Cluster.Master.GetAsync("/databases")).Json.GetProperty("databases")).Should().NotContain("listed");
    }

    private static string?[] Names(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetProperty("name").GetString())];

    private static JsonElement Find(Answer answer, string database) =>
        answer.Json.GetProperty("databases").EnumerateArray().Single(d => d.GetProperty("name").GetString() == database);

    private static string Describe(JsonElement table) =>
        $"{table.GetProperty("name")} {table.GetProperty("kind")}: {string.Join(", ", table.GetProperty("columns").EnumerateArray().Select(DescribeColumn))}";

    private static string DescribeColumn(JsonElement column) =>
        $"{column.GetProperty("name")} {column.GetProperty("type")}"
        + (column.GetProperty("not_null").GetBoolean() ? " not null" : "")
        + (column.GetProperty("primary_key").GetBoolean() ? " key" : "")
        + (column.GetProperty("default") is { ValueKind: JsonValueKind.String } text ? $" = {text}" : "")
        + (column.GetProperty("generated").GetBoolean() ? " generated" : "");

    private async Task<long> DoAsync(string database, string sql)
    {
        var answer = await Cluster.Master.PostAsync(JsonSerializer.SerializeToUtf8Bytes(new { command = "exec", query = sql, database }));
        answer.IsOk.Should().BeTrue(answer.Text);
        return answer.Index;
    }
}
