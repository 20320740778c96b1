using System.Text.Json;
using DistDb.Tests.Database;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>What SQLite can do, at real nodes: schema changes at the master alone, rows at every node, and the same content everywhere.</summary>
public sealed class SqlFeatureTests
{
    /// <summary>Each feature has a database of its own, and waits for the disk most of its time.</summary>
    private const int AtOnce = 8;

    [Fact]
    public async Task Every_feature_works_through_every_node_and_the_schema_is_the_masters()
    {
        await using var cluster = await TestCluster.StartAsync();
        var features = SqlFeatures.All.Where(f => f.Module is null).ToList();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, features.Count),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (i, _) => await ShouldWorkAsync(cluster, features[i], $"feature{i}", cluster[1 + (i % 2)]));

        await cluster.ConvergeAsync();
        for (var i = 0; i < features.Count; i++)
        {
            var hashes = cluster.Nodes.Select(n => ContentHash.Of(Path.Combine(n.Folder, "databases", $"feature{i}.db"))).ToList();
            hashes.Should().AllBe(hashes[0], features[i].Name);
        }

        var verified = await cluster[1].VerifyAsync(repair: false);
        verified.Json.GetProperty("outcome").GetString().Should().Be("equal", verified.Text);
    }

    private static async Task ShouldWorkAsync(TestCluster cluster, SqlFeature feature, string database, TestNode node)
    {
        var last = await cluster.Master.ExecAsync($"CREATE DATABASE {database}");
        last.IsOk.Should().BeTrue(last.Text);
        foreach (var step in feature.Steps)
        {
            var body = JsonSerializer.Serialize(step.IsTransaction
                ? (object)new { command = "exec", database, transaction = step.Statements.Select(query => new { query }) }
                : new { command = "exec", database, query = step.Statements[0] });
            var because = $"{feature.Name}: {body}";
            if (step.Fails)
            {
                (await cluster.Master.PostAsync(body)).Code.Should().BeOneOf(["sql_error", "constraint"], because);
                continue;
            }

            if (step.IsSchema)
            {
                var refused = await node.PostAsync(body);
                refused.Code.Should().Be("not_master", $"{because} gave {refused.Text}");
            }

            last = await (step.IsSchema ? cluster.Master : node).PostAsync(body);
            last.IsOk.Should().BeTrue($"{because} gave {last.Text}");
        }

        string? rows = null;
        foreach (var reader in cluster.Nodes)
        {
            var read = await reader.PostAsync(JsonSerializer.Serialize(new { command = "query", database, query = feature.Query, min_index = last.Index }));
            read.IsOk.Should().BeTrue($"{feature.Name} gave {read.Text}");
            (rows ??= read.Rows).Should().Be(read.Rows, feature.Name);
        }
    }
}
