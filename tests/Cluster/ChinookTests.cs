using System.Collections.Concurrent;
using System.Diagnostics;
using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Cluster;

/// <summary>A database that somebody else wrote: Chinook, a music shop with eleven tables and 15,607 rows (see data/Chinook_LICENSE.md).</summary>
public sealed class ChinookTests(ITestOutputHelper output)
{
    private const int RequestsAtOncePerNode = 32;

    private static readonly string _script = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "data", "Chinook_Sqlite.sql"));

    [Fact]
    public async Task The_script_gives_every_replica_what_sqlite3_makes_of_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        var nextNode = 0;
        foreach (var statement in SqlText.SplitStatements(_script))
        {
            var node = IsSchema(statement) ? cluster.Master : cluster[nextNode++ % 3];
            var answer = await node.ExecAsync(statement);
            answer.IsOk.Should().BeTrue($"{answer.Text}\n{statement[..Math.Min(200, statement.Length)]}");
        }

        await cluster.ConvergeAsync();
        await ShouldEqualWhatSqliteMakesAsync(cluster);
    }

    [Fact]
    public async Task Row_by_row_through_all_nodes_with_a_follower_and_then_the_leader_killed_on_the_way()
    {
        await using var cluster = await TestCluster.StartAsync();
        var statements = SqlText.SplitStatements(_script);
        var rowCount = statements.SelectMany(SqlText.SplitRows).Count(s => !IsSchema(s));
        var written = 0;
        var outage = Task.CompletedTask;
        var started = Stopwatch.GetTimestamp();

        // One table after the other: rows refer to rows of earlier tables, and within Employee to earlier rows.
        foreach (var statement in statements)
        {
            if (IsSchema(statement))
            {
                // The master may be the one that is away.
                await WriteOnceAsync(cluster, [cluster.Master], statement);
                continue;
            }

            var rows = new ConcurrentQueue<string>(SqlText.SplitRows(statement));
            var workers = statement.StartsWith("INSERT INTO [Employee]", StringComparison.Ordinal) ? 1 : 3 * RequestsAtOncePerNode;
            await Task.WhenAll(Enumerable.Range(0, workers).Select(async worker =>
            {
                // Each has its own node, and goes to the others while that is away.
                TestNode[] nodes = [cluster[worker % 3], cluster[(worker + 1) % 3], cluster[(worker + 2) % 3]];
                while (rows.TryDequeue(out var row))
                {
                    await WriteOnceAsync(cluster, nodes, row);
                    switch (Interlocked.Increment(ref written))
                    {
                        case var n when n == rowCount / 3:
                            outage = OutageAsync(cluster, outage, ofLeader: false);
                            break;
                        case var n when n == rowCount * 2 / 3:
                            outage = OutageAsync(cluster, outage, ofLeader: true);
                            break;
                    }
                }
            }));
        }

        await outage;
        var elapsed = Stopwatch.GetElapsedTime(started);
        output.WriteLine($"{rowCount} rows in {elapsed.TotalSeconds:F1} s, {rowCount / elapsed.TotalSeconds:F0}/s, with two nodes killed");
        rowCount.Should().Be(15_607);
        await cluster.ConvergeAsync();
        await ShouldEqualWhatSqliteMakesAsync(cluster);
    }

    /// <summary>Kills a node when the one before is back, and starts it again.</summary>
    private static async Task OutageAsync(TestCluster cluster, Task before, bool ofLeader)
    {
        await before;
        var leader = await cluster.FindLeaderAsync();
        var victim = ofLeader ? leader : cluster.Nodes.First(n => n != leader && n != cluster.Master);
        victim.Kill();
        await cluster.RestartAsync(victim);
    }

    private static bool IsSchema(string statement) => !statement.StartsWith("INSERT ", StringComparison.Ordinal);

    /// <summary>Sends a write until it is answered, under one id so that it is done once.</summary>
    private static async Task WriteOnceAsync(TestCluster cluster, TestNode[] nodes, string statement)
    {
        var id = Guid.NewGuid().ToString("N");
        var attempt = 0;
        await cluster.WaitUntilAsync("a row is written", async () =>
        {
            try
            {
                var answer = await nodes[attempt++ % nodes.Length].ExecOnceAsync(id, statement);
                answer.IsOk.Should().BeTrue(answer.Text);
                return true;
            }
            catch (HttpRequestException)
            {
                // This node is down; perhaps it has done the write.
                return false;
            }
        });
    }

    private static async Task ShouldEqualWhatSqliteMakesAsync(TestCluster cluster)
    {
        var folder = Directory.CreateTempSubdirectory("distdb-chinook-");
        try
        {
            var expectedPath = Path.Combine(folder.FullName, "expected.db");
            await SqliteProgram.RunAsync(expectedPath, "BEGIN;\n" + _script + "\nCOMMIT;");
            var expected = await SqliteProgram.DumpSortedAsync(expectedPath);
            expected.Count.Should().BeGreaterThan(15_607);
            foreach (var node in cluster.Nodes)
            {
                var actual = await SqliteProgram.DumpSortedAsync(node.DatabasePath);
                actual.SequenceEqual(expected).Should().BeTrue(
                    $"node {node.Id} has what sqlite3 has, but for: {string.Join("\n", actual.Except(expected).Concat(expected.Except(actual)).Take(10))}");
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
