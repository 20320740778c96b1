using System.Collections.Concurrent;
using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Cluster;

/// <summary>Files of real nodes that somebody or something has changed: found, named and healed, while clients read on all nodes.</summary>
public sealed class VerificationTests(ITestOutputHelper output)
{
    private const int Rows = 3000;
    private const string Sum = "SELECT count(*), sum(v), count(DISTINCT name), min(name), max(name) FROM t NOT INDEXED";

    private enum Harm
    {
        ChangedRow,
        DroppedTable,
        OverwrittenPage,
        TruncatedFile,
        OlderCopy,
        DeletedFile,
        NoDatabase,
    }

    [Fact]
    public async Task What_was_done_to_a_file_is_found_named_and_healed_and_no_strong_read_is_wrong()
    {
        await using var cluster = await TestCluster.StartAsync(2, "--log-tail", "20");
        var victim = cluster[2];
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER, name TEXT)")).Status.Should().Be(200);
        await cluster.ConvergeAsync();
        (await victim.StopAsync()).Should().Be(0);
        File.Copy(victim.DatabasePath, OlderCopyIn(cluster));
        await cluster.RestartAsync(victim);
        (await cluster.Master.ExecAsync(
            $"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {Rows}) INSERT INTO t SELECT n, n * 2, 'row ' || n FROM c"))
            .Status.Should().Be(200);
        await WriteUntilCutAsync(cluster, victim);

        await FindAndHealAsync(cluster, victim, Harm.ChangedRow, "table t:", "id = 77");
        await FindAndHealAsync(cluster, victim, Harm.DroppedTable, "table t: node 2 does not have it", "type = 'table', name = 't'");
        await FindAndHealAsync(cluster, victim, Harm.OverwrittenPage, "node 2 is damaged", "id = ");
        await FindAndHealAsync(cluster, victim, Harm.TruncatedFile, "damaged", "Repair: asks node");
        await FindAndHealAsync(cluster, victim, Harm.OlderCopy, "older copy", "begins behind entry");
        await FindAndHealAsync(cluster, victim, Harm.DeletedFile, "is gone", "cannot be made anew");
        await FindAndHealAsync(cluster, victim, Harm.NoDatabase, "not a database", "is damaged");
    }

    [Fact]
    public async Task While_a_node_runs_the_sqlite3_program_can_read_and_cannot_write()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, v)")).Status.Should().Be(200);
        (await cluster.Master.ExecAsync("INSERT INTO t VALUES (1, 'right')")).Status.Should().Be(200);
        await cluster.ConvergeAsync();
        foreach (var node in cluster.Nodes)
        {
            (await SqliteProgram.RunAsync(node.DatabasePath, "SELECT v FROM t")).Trim().Should().Be("right");
            await this.Awaiting(_ => SqliteProgram.RunAsync(node.DatabasePath, "UPDATE t SET v = 'wrong'")).Should().ThrowAsync<Exception>().WithMessage("*database is locked*");
        }

        (await cluster[1].StrongQueryAsync("SELECT v FROM t")).Rows.Should().Be("""[["right"]]""");
        (await cluster[1].VerifyAsync(repair: false)).Json.GetProperty("outcome").GetString().Should().Be("equal");
    }

    [Fact]
    public async Task A_page_that_is_overwritten_while_the_node_runs_is_found_and_healed_without_a_restart()
    {
        await using var cluster = await TestCluster.StartAsync();
        var victim = cluster[1];
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER, name TEXT)")).Status.Should().Be(200);
        (await cluster.Master.ExecAsync(
            $"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {Rows}) INSERT INTO t SELECT n, n * 2, 'row ' || n FROM c"))
            .Status.Should().Be(200);
        await cluster.ConvergeAsync();
        await SqliteProgram.RunAsync(victim.DatabasePath, "PRAGMA wal_checkpoint(PASSIVE)");
        FilePages.Overwrite(victim.DatabasePath, "row 2345");
        var found = (await cluster.Master.VerifyAsync(repair: true)).Json;
        found.GetProperty("outcome").GetString().Should().Be("differs");
        found.GetProperty("nodes")[1].GetProperty("health").GetString().Should().Be("damaged");
        var table = found.GetProperty("databases")[0].GetProperty("tables")[0];
        table.GetProperty("table").GetString().Should().Be("t");
        table.GetProperty("keys")[0].GetString().Should().StartWith("id = 2");
        await cluster.WaitUntilAsync("the node is healed", async () => victim.QuarantineFiles.Any() && await victim.IsReadyAsync());
        (await victim.StrongQueryAsync("SELECT count(*) FROM t")).Scalar.GetInt32().Should().Be(Rows);
        await cluster.ConvergeAsync();
        victim.IsRunning.Should().BeTrue();
    }

    [Fact]
    public async Task A_running_leader_whose_file_goes_bad_is_healed_from_the_others_and_not_they_from_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER, name TEXT)")).Status.Should().Be(200);
        (await cluster.Master.ExecAsync(
            $"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {Rows}) INSERT INTO t SELECT n, n * 2, 'row ' || n FROM c"))
            .Status.Should().Be(200);
        await cluster.ConvergeAsync();

        // Stopped in order, all pages are in the file, and started again, none of the table's is in SQLite's caches.
        foreach (var node in cluster.Nodes)
        {
            (await node.StopAsync()).Should().Be(0);
        }

        cluster.StartAll();
        await cluster.WaitUntilReadyAsync();
        foreach (var node in cluster.Nodes)
        {
            (await node.StrongQueryAsync("SELECT 1")).Status.Should().Be(200, "the node is verified");
        }

        var leader = await cluster.FindLeaderAsync();
        TestNode[] others = [.. cluster.Nodes.Where(n => n != leader)];
        FilePages.Replace(leader.DatabasePath, "row 2345", "row 2O45");
        (await leader.QueryAsync("SELECT count(*) FROM t WHERE name = 'row 2345'")).Scalar.GetInt32().Should().Be(0, "the running node reads what is there now");

        var written = await others[0].ExecAsync("UPDATE t SET v = -1 WHERE name = 'row 2345'");
        written.Status.Should().Be(200);
        written.Json.GetProperty("rows_affected").GetInt64().Should().Be(1);
        await cluster.WaitUntilAsync("the leader is healed", async () => leader.QuarantineFiles.Any() && await leader.IsReadyAsync());
        foreach (var node in cluster.Nodes)
        {
            (await node.StrongQueryAsync("SELECT v FROM t WHERE name = 'row 2345'")).Scalar.GetInt32().Should().Be(-1);
            (await node.ExecAsync("INSERT INTO t VALUES (?, 0, 'more')", Rows + 1 + node.Id)).Status.Should().Be(200);
        }

        cluster.Logs.Should().Contain("what its leader recorded is wrong");
        others.Should().OnlyContain(n => !n.QuarantineFiles.Any());
        cluster.Nodes.Should().OnlyContain(n => n.IsRunning);
        await cluster.ConvergeAsync();
        (await leader.VerifyAsync(repair: false)).Json.GetProperty("outcome").GetString().Should().Be("equal");
    }

    /// <param name="cluster">Of which nobody's log has the table's beginning any more.</param>
    /// <param name="victim">Whose file is harmed, while it does not run.</param>
    /// <param name="harm">What is done to it.</param>
    /// <param name="finding">What some node says of it.</param>
    /// <param name="key">What else.</param>
    private async Task FindAndHealAsync(TestCluster cluster, TestNode victim, Harm harm, string finding, string key)
    {
        var told = cluster.Nodes.ToDictionary(node => node, node => node.Log.Length);
        var quarantined = victim.QuarantineFiles.ToHashSet();
        var expected = (await cluster.Master.StrongQueryAsync(Sum)).Rows;
        await using var readers = new Readers(cluster, expected);
        await readers.WaitForProgressAsync(cluster, cluster.Nodes);
        victim.Kill();
        await DoAsync(harm, cluster, victim);
        victim.Start();
        await cluster.WaitUntilAsync($"the bad file is kept aside: {harm}", () => victim.QuarantineFiles.Any(file => !quarantined.Contains(file)) || harm == Harm.DeletedFile);
        await cluster.WaitUntilAsync($"the node is healed, and verified: {harm}", async () =>
            await victim.StatusAsync() is { } status
            && status.GetProperty("repair").ValueKind == System.Text.Json.JsonValueKind.Null
            && status.GetProperty("ready").GetBoolean()
            && status.GetProperty("verification") is { ValueKind: System.Text.Json.JsonValueKind.Object } verification
            && verification.GetProperty("outcome").GetString() == "equal");
        await readers.WaitForProgressAsync(cluster, [victim]);
        output.WriteLine($"{harm}: {await readers.StopAsync()}");

        string.Concat(cluster.Nodes.Select(node => node.Log[told[node]..])).Should().Contain(finding).And.Contain(key).And.Contain("serves again");
        (await victim.StrongQueryAsync(Sum)).Rows.Should().Be(expected);
        (await victim.ExecAsync("INSERT INTO t(v, name) VALUES (0, 'after ' || ?)", harm.ToString())).Status.Should().Be(200);
        await cluster.ConvergeAsync();
        (await victim.VerifyAsync(repair: false)).Json.GetProperty("outcome").GetString().Should().Be("equal");
    }

    /// <summary>So many entries that none of the table's beginning is left in the log.</summary>
    private static async Task WriteUntilCutAsync(TestCluster cluster, TestNode node)
    {
        await cluster.WaitUntilAsync("the log is cut", async () =>
        {
            for (var i = 0; i < 10; i++)
            {
                (await cluster.Master.ExecAsync("UPDATE t SET v = v WHERE id = 1")).Status.Should().Be(200);
            }

            return await node.StatusAsync() is { } status && status.GetProperty("first_log_index").GetInt64() > 20;
        });
        await cluster.ConvergeAsync();
    }

    /// <summary>Beside the nodes' folders: what is among a node's databases goes aside with them.</summary>
    private static string OlderCopyIn(TestCluster cluster) => Path.Combine(cluster.Folder, "older.db");

    private static async Task DoAsync(Harm harm, TestCluster cluster, TestNode node)
    {
        var path = node.DatabasePath;
        switch (harm)
        {
            case Harm.ChangedRow:
                await SqliteProgram.RunAsync(path, "UPDATE t SET v = v + 1 WHERE id = 77");
                break;
            case Harm.DroppedTable:
                await SqliteProgram.RunAsync(path, "DROP TABLE t");
                break;
            case Harm.OverwrittenPage:
                await SqliteProgram.RunAsync(path, "PRAGMA wal_checkpoint(TRUNCATE)");
                FilePages.Overwrite(path, "row 2345");
                break;
            case Harm.TruncatedFile:
                await SqliteProgram.RunAsync(path, "PRAGMA wal_checkpoint(TRUNCATE)");
                using (var file = File.OpenWrite(path))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            case Harm.OlderCopy:
                File.Delete(path + "-wal");
                File.Delete(path + "-shm");
                File.Copy(OlderCopyIn(cluster), path, overwrite: true);
                break;
            case Harm.DeletedFile:
                File.Delete(path);
                break;
            default:
                File.Delete(path + "-wal");
                await File.WriteAllTextAsync(path, string.Concat(Enumerable.Repeat("this is not a database ", 1000)));
                break;
        }
    }

    /// <summary>Clients that read on all nodes all the time, and know what is right.</summary>
    private sealed class Readers : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly ConcurrentDictionary<int, int> _right = [];
        private readonly ConcurrentQueue<string> _wrong = [];
        private readonly Task _running;
        private int _refused;

        public Readers(TestCluster cluster, string expected) =>
            _running = Task.WhenAll(cluster.Nodes.Select(node => Task.Run(() => RunAsync(node, expected))));

        public async Task WaitForProgressAsync(TestCluster cluster, IEnumerable<TestNode> nodes)
        {
            var wanted = nodes.Select(n => (n.Id, Count: _right.GetValueOrDefault(n.Id) + 5)).ToList();
            await cluster.WaitUntilAsync("strong reads are answered", () => wanted.All(w => _right.GetValueOrDefault(w.Id) >= w.Count));
        }

        public async Task<string> StopAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _wrong.Should().BeEmpty("a strong read is right or refused");
            return $"{_right.Values.Sum()} strong reads were right, {_refused} were refused or not answered";
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running;
            _stop.Dispose();
        }

        private async Task RunAsync(TestNode node, string expected)
        {
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
            while (!_stop.IsCancellationRequested)
            {
                await pace.WaitForNextTickAsync();
                try
                {
                    var answer = await node.StrongQueryAsync(Sum);
                    if (!answer.IsOk)
                    {
                        Interlocked.Increment(ref _refused);
                    }
                    else if (answer.Rows == expected)
                    {
                        _right.AddOrUpdate(node.Id, 1, (_, count) => count + 1);
                    }
                    else
                    {
                        _wrong.Enqueue($"node {node.Id}: {answer.Rows}");
                    }
                }
                catch (HttpRequestException)
                {
                    // It is being killed, or started.
                    Interlocked.Increment(ref _refused);
                }
            }
        }
    }
}
