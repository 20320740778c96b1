using System.Collections.Concurrent;
using System.Diagnostics;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>
/// Clients that write through all nodes of a cluster without a pause, never send anything twice, and remember what they were told:
/// in turn they insert a row with a key of its own, and count a shared counter up. In the end the replicas must hold every write that
/// was acknowledged, once, and nothing that was refused.
/// </summary>
internal sealed class ClusterWriters : IAsyncDisposable
{
    private const int WritersPerNode = 3;

    private readonly TestCluster _cluster;
    private readonly string _rows;
    private readonly string _counter;
    private readonly ConcurrentQueue<Write> _writes = [];
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private int _acknowledgedCount;

    private ClusterWriters(TestCluster cluster, string name)
    {
        _cluster = cluster;
        _rows = "rows_" + name;
        _counter = "counter_" + name;
    }

    private enum Fate
    {
        Acknowledged,
        Refused,
        Unknown,
    }

    public int AcknowledgedCount => Volatile.Read(ref _acknowledgedCount);

    /// <summary>The answers other than 200 that nodes gave.</summary>
    public IReadOnlyList<(int Node, string Answer)> Failures => [.. _writes.Where(w => w.Answer is not null).Select(w => (w.Node, w.Answer!))];

    /// <summary>Makes the tables and starts to write; returns when writes have gone through each node.</summary>
    public static async Task<ClusterWriters> StartAsync(TestCluster cluster, string name)
    {
        var writers = new ClusterWriters(cluster, name);
        foreach (var sql in (string[])
            [
                $"CREATE TABLE {writers._rows} (key TEXT, node INTEGER)",
                $"CREATE TABLE {writers._counter} (n INTEGER)",
                $"INSERT INTO {writers._counter} VALUES (0)",
            ])
        {
            var answer = await cluster.Master.ExecAsync(sql);
            answer.IsOk.Should().BeTrue(answer.Text);
        }

        await cluster.ConvergeAsync();
        writers._running = Task.WhenAll(
            from node in cluster.Nodes from i in Enumerable.Range(0, WritersPerNode) select Task.Run(() => writers.RunAsync(node, i)));
        await writers.WaitForProgressAsync(50);
        return writers;
    }

    /// <summary>Waits until each running node has acknowledged so many more writes that were sent from now on.</summary>
    public async Task WaitForProgressAsync(int count)
    {
        var now = Stopwatch.GetTimestamp();
        await _cluster.WaitUntilAsync($"each node has done {count} more writes", () =>
        {
            EnsureRunning();
            var counts = _writes.Where(w => w.Fate == Fate.Acknowledged && w.Sent >= now).CountBy(w => w.Node).ToDictionary();
            return _cluster.Nodes.Where(n => n.IsRunning).All(n => counts.GetValueOrDefault(n.Id) >= count);
        });
    }

    /// <summary>Waits until the cluster as a whole has acknowledged so many more.</summary>
    public Task WaitForTotalAsync(int count)
    {
        var wanted = AcknowledgedCount + count;
        return _cluster.WaitUntilAsync($"{count} more writes are done", () =>
        {
            EnsureRunning();
            return AcknowledgedCount >= wanted;
        });
    }

    /// <summary>
    /// Waits until each of the nodes has done a write that was sent after a moment.
    /// </summary>
    /// <returns>How long after that moment the last of them did.</returns>
    public async Task<TimeSpan> WaitForServiceAsync(long since, params IReadOnlyList<TestNode> nodes)
    {
        var recovery = TimeSpan.Zero;
        await _cluster.WaitUntilAsync(
            "writes go on",
            () =>
            {
                EnsureRunning();
                var first = nodes.Select(n => _writes.Where(w => w.Node == n.Id && w.Fate == Fate.Acknowledged && w.Sent >= since).MinBy(w => w.Answered)).ToList();
                if (first.Contains(null))
                {
                    return false;
                }

                recovery = first.Max(w => Stopwatch.GetElapsedTime(since, w!.Answered));
                return true;
            },
            TimeSpan.FromSeconds(15));
        return recovery;
    }

    /// <summary>The longest that an acknowledged write of these nodes took, of those answered after a moment.</summary>
    public TimeSpan LongestWrite(long since, params IReadOnlyList<TestNode> nodes) =>
        _writes.Where(w => w.Fate == Fate.Acknowledged && w.Answered >= since && nodes.Any(n => n.Id == w.Node))
            .Max(w => Stopwatch.GetElapsedTime(w.Sent, w.Answered));

    /// <summary>Stops writing, and compares what the clients were told with what every replica holds.</summary>
    /// <returns>The figures, for the test's output.</returns>
    public async Task<string> StopAndCheckAsync()
    {
        await StopAsync();
        await _cluster.ConvergeAsync();

        var inserts = _writes.Where(w => w.Key is not null).ToLookup(w => w.Fate, w => w.Key!);
        var answer = await _cluster[0].QueryAsync($"SELECT key FROM {_rows}");
        var stored = answer.Json.GetProperty("rows").EnumerateArray().Select(r => r[0].GetString()!).ToList();
        stored.Should().OnlyHaveUniqueItems("no write is applied twice");
        inserts[Fate.Acknowledged].Except(stored).Should().BeEmpty("what was acknowledged is kept");
        stored.Except(inserts[Fate.Acknowledged]).Except(inserts[Fate.Unknown]).Should().BeEmpty("what was refused is not done");

        var updates = _writes.Where(w => w.Key is null).CountBy(w => w.Fate).ToDictionary();
        var (acknowledged, unknown) = (updates.GetValueOrDefault(Fate.Acknowledged), updates.GetValueOrDefault(Fate.Unknown));
        var counter = (await _cluster[0].QueryAsync($"SELECT n FROM {_counter}")).Scalar.GetInt32();
        counter.Should().BeInRange(acknowledged, acknowledged + unknown, "each update is applied once");

        var refused = _writes.Count(w => w.Fate == Fate.Refused);
        return $"{AcknowledgedCount} writes acknowledged, {inserts[Fate.Unknown].Count() + unknown} of unknown fate, {refused} refused";
    }

    /// <summary>Ends the clients of a test that failed.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private async Task RunAsync(TestNode node, int writer)
    {
        for (var i = 0; !_stop.IsCancellationRequested; i++)
        {
            var key = i % 2 == 0 ? $"{node.Id}-{writer}-{i}" : null;
            var sent = Stopwatch.GetTimestamp();
            var (fate, text) = await SendAsync(node, key);
            _writes.Enqueue(new(node.Id, key, fate, text, sent, Stopwatch.GetTimestamp()));
            if (fate == Fate.Acknowledged)
            {
                Interlocked.Increment(ref _acknowledgedCount);
            }
            else
            {
                await _cluster.WaitUntilAsync($"node {node.Id} serves", async () => _stop.IsCancellationRequested || await node.IsReadyAsync());
            }
        }
    }

    private async Task<(Fate Fate, string? Answer)> SendAsync(TestNode node, string? key)
    {
        try
        {
            var answer = await (key is null
                ? node.ExecAsync($"UPDATE {_counter} SET n = n + 1")
                : node.ExecAsync($"INSERT INTO {_rows} VALUES (?, ?)", key, node.Id));
            return answer switch
            {
                { IsOk: true } => (Fate.Acknowledged, null),
                { Status: 504 or 500 } => (Fate.Unknown, answer.Text),
                _ => (Fate.Refused, answer.Text),
            };
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
        {
            // Nobody was there to send it to.
            return (Fate.Refused, null);
        }
        catch (HttpRequestException)
        {
            // The connection broke: the write may have been done before.
            return (Fate.Unknown, null);
        }
    }

    /// <summary>A writer that ended by itself has failed, and says why.</summary>
    private void EnsureRunning()
    {
        if (_running.IsFaulted)
        {
            _running.GetAwaiter().GetResult();
        }
    }

    /// <param name="Node">Where it was sent.</param>
    /// <param name="Key">The inserted key; null for an update of the counter.</param>
    /// <param name="Fate">What its client knows.</param>
    /// <param name="Answer">The answer, if there was one and it was not 200.</param>
    /// <param name="Sent">When, by the stopwatch.</param>
    /// <param name="Answered">When.</param>
    private sealed record Write(int Node, string? Key, Fate Fate, string? Answer, long Sent, long Answered);
}
