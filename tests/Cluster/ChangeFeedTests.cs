using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>A follower that is never told anything twice and misses nothing, whoever dies.</summary>
public sealed class ChangeFeedTests
{
    private const int Kills = 4;
    private const int Keys = 40;

    [Fact]
    public async Task What_a_follower_makes_of_the_changes_is_the_table_though_leaders_are_killed()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await cluster.Master.ExecAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")).IsOk.Should().BeTrue();
        await cluster.ConvergeAsync();
        using var stop = new CancellationTokenSource();
        var model = new Model();
        var following = Task.Run(() => FollowAsync(cluster, model, stop.Token));
        using var enough = new CancellationTokenSource();
        var writing = cluster.Nodes.Select(n => Task.Run(() => WriteAsync(n, enough.Token))).ToList();
        for (var kill = 0; kill < Kills; kill++)
        {
            var told = model.EntryCount;
            await cluster.WaitUntilAsync("the follower has been told of more", () => model.EntryCount >= told + 100 || following.IsCompleted);
            following.IsCompleted.Should().BeFalse(following.Exception?.ToString());
            var leader = await cluster.FindLeaderAsync();
            leader.Kill();
            told = model.EntryCount;
            await cluster.WaitUntilAsync("and again without that node", () => model.EntryCount >= told + 20 || following.IsCompleted);
            leader.Start();
            await cluster.WaitUntilReadyAsync();
        }

        await enough.CancelAsync();
        await Task.WhenAll(writing);
        await cluster.ConvergeAsync();
        var rows = await cluster[1].QueryAsync("SELECT id, v FROM t ORDER BY id");
        await cluster.WaitUntilAsync("the follower has been told of all", () => model.ToString() == rows.Rows || following.IsCompleted, TimeSpan.FromSeconds(20));
        await stop.CancelAsync();
        await following;
        model.ToString().Should().Be(rows.Rows);
        (await cluster[2].VerifyAsync(repair: false)).Text.Should().Contain("\"outcome\":\"equal\"");
    }

    private static async Task WriteAsync(TestNode node, CancellationToken enough)
    {
        var random = new Random(node.Id);
        while (!enough.IsCancellationRequested)
        {
            try
            {
                var key = random.Next(Keys);
                await (random.Next(4) switch
                {
                    0 => node.ExecAsync("DELETE FROM t WHERE id = ?", key),
                    1 => node.ExecAsync("UPDATE OR REPLACE t SET id = ?, v = random() WHERE id = ?", random.Next(Keys), key),
                    2 => node.ExecAsync("UPDATE t SET v = v || 'x' WHERE id % 7 = ?", key % 7),
                    _ => node.ExecAsync("INSERT INTO t VALUES (?, random()) ON CONFLICT DO UPDATE SET v = excluded.v", key),
                });
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                // It was killed; what became of the write, the table and the follower must agree on.
                await Task.Delay(20, CancellationToken.None);
            }
        }
    }

    /// <summary>As a browser does it, but at another node each time.</summary>
    private static async Task FollowAsync(TestCluster cluster, Model model, CancellationToken stop)
    {
        string? lastId = null;
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            try
            {
                using var stream = await EventStream.OpenAsync(cluster[i % cluster.Nodes.Count].Address, "/changes?from=0&table=t", lastId, cancellationToken: stop);
                using var turn = CancellationTokenSource.CreateLinkedTokenSource(stop);

                // It also goes when nobody has died.
                turn.CancelAfter(TimeSpan.FromMilliseconds(700));
                try
                {
                    while (await stream.NextAsync(turn.Token) is var (name, data))
                    {
                        lastId = stream.LastId;
                        name.Should().Be("change");
                        model.Apply(data);
                    }
                }
                finally
                {
                    lastId = stream.LastId;
                }
            }
            catch (Exception e) when (e is HttpRequestException { StatusCode: null or System.Net.HttpStatusCode.ServiceUnavailable } or IOException or OperationCanceledException)
            {
                await Task.Delay(20, CancellationToken.None);
            }
        }
    }

    private sealed class Model
    {
        private readonly Lock _lock = new();
        private readonly SortedDictionary<long, string?> _rows = [];
        private long _index;
        private int _entryCount;

        public int EntryCount => Volatile.Read(ref _entryCount);

        public void Apply(JsonElement entry)
        {
            lock (_lock)
            {
                var index = entry.GetProperty("index").GetInt64();
                index.Should().BeGreaterThan(_index, "no entry is told twice");
                _index = index;
                foreach (var change in entry.GetProperty("changes").EnumerateArray())
                {
                    var operation = change.GetProperty("operation").GetString();
                    if (operation == "schema")
                    {
                        continue;
                    }

                    var key = KeyOf(change, "key");
                    switch (operation)
                    {
                        case "insert":
                            _rows.Should().NotContainKey(key, "nothing was missed");
                            _rows.Add(key, ValueOf(change));
                            break;
                        case "update":
                            var old = change.TryGetProperty("old_key", out _) ? KeyOf(change, "old_key") : key;
                            _rows.Remove(old).Should().BeTrue("nothing was missed");
                            _rows.Should().NotContainKey(key);
                            _rows.Add(key, ValueOf(change));
                            break;
                        case "delete":
                            _rows.Remove(key).Should().BeTrue("nothing was missed");
                            break;
                    }
                }
            }

            Interlocked.Increment(ref _entryCount);
        }

        /// <summary>As rows are answered.</summary>
        public override string ToString()
        {
            lock (_lock)
            {
                return JsonSerializer.Serialize(_rows.Select(r => new object?[] { r.Key, r.Value }));
            }
        }

        private static long KeyOf(JsonElement change, string name) => change.GetProperty(name).GetProperty("id").GetInt64();

        private static string? ValueOf(JsonElement change) => change.GetProperty("values").GetProperty("v").GetString();
    }
}
