using System.Diagnostics;
using System.Globalization;
using System.Text;
using DistDb.Node.Tls;

namespace DistDb.Tests.Support;

/// <summary>
/// A cluster of real processes on free ports of the loopback, with its files in a temporary folder. Disposing kills the processes and
/// removes the folder.
/// </summary>
internal sealed class TestCluster : IAsyncDisposable
{
    /// <summary>Longer than anything here takes, even on a machine that is busy with other things.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder;
    private readonly List<TestNode> _nodes;

    private TestCluster(DirectoryInfo folder, int basePort, IEnumerable<TestNode> nodes)
    {
        _folder = folder;
        BasePort = basePort;
        _nodes = [.. nodes];
    }

    public IReadOnlyList<TestNode> Nodes => _nodes;

    public int BasePort { get; }

    /// <summary>Where all nodes have their files.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Whether the files stay when the cluster is disposed of; for somebody to look at.</summary>
    public bool KeepsFiles { get; set; }

    /// <summary>The node that may change the schema.</summary>
    public TestNode Master => Nodes[0];

    public TestNode this[int id] => Nodes[id];

    /// <summary>All files of all nodes.</summary>
    public IEnumerable<string> Files => _folder.EnumerateFiles("*", SearchOption.AllDirectories).Select(f => f.FullName);

    /// <summary>All nodes' logs, for a test that fails.</summary>
    public string Logs
    {
        get
        {
            var text = new StringBuilder();
            foreach (var node in Nodes)
            {
                text.Append(CultureInfo.InvariantCulture, $"--- node {node.Id} ---\n{node.Log}\n");
            }

            return text.ToString();
        }
    }

    /// <summary>Starts a master and <paramref name="nodeCount"/> nodes, and returns when all are ready.</summary>
    public static async Task<TestCluster> StartAsync(int nodeCount = 2, params string[] options)
    {
        for (var attempt = 1; ; attempt++)
        {
            var cluster = Create(nodeCount, _ => options);
            try
            {
                cluster.StartAll();
                await cluster.WaitUntilReadyAsync();
                return cluster;
            }
            catch (InvalidOperationException) when (attempt < 5 && cluster.Logs.Contains(" is in use by another process", StringComparison.Ordinal))
            {
                // Somebody else took a port between our look and the node's.
                await cluster.DisposeAsync();
            }
            catch
            {
                await cluster.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>A cluster of which no node runs yet.</summary>
    /// <param name="nodeCount">Nodes beside the master.</param>
    /// <param name="options">Further arguments for each node.</param>
    /// <param name="environment">Variables for each node.</param>
    /// <param name="trust">By which CA to judge the nodes' certificates, which are among the options; null for http.</param>
    public static TestCluster Create(
        int nodeCount,
        Func<int, IEnumerable<string>> options,
        Func<int, IReadOnlyDictionary<string, string>>? environment = null,
        CertificateTrust? trust = null)
    {
        var folder = Directory.CreateTempSubdirectory("distdb-cluster-");
        var basePort = FreePorts.Find(nodeCount + 1);
        return new(folder, basePort, [.. Enumerable.Range(0, nodeCount + 1).Select(CreateNode)]);

        TestNode CreateNode(int id)
        {
            var count = nodeCount.ToString(CultureInfo.InvariantCulture);
            string[] role = id == 0 ? ["master", count] : ["node", id.ToString(CultureInfo.InvariantCulture), count];
            string[] common = ["--base-port", basePort.ToString(CultureInfo.InvariantCulture), "--data", folder.FullName];
            return new(
                id,
                new(string.Create(CultureInfo.InvariantCulture, $"{(trust is null ? "http" : "https")}://127.0.0.1:{basePort + id}")),
                folder.FullName,
                [.. role, .. common, .. options(id)],
                environment?.Invoke(id) ?? new Dictionary<string, string>(),
                trust);
        }
    }

    /// <summary>Adds a node that is not started yet, at a port of its own.</summary>
    /// <param name="id">One that the cluster does not have, or no longer.</param>
    /// <param name="options">Further arguments, such as <c>--join</c>.</param>
    public TestNode Add(int id, params IEnumerable<string> options)
    {
        var first = FreePorts.Find(1);
        var node = new TestNode(
            id,
            new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{first}")),
            _folder.FullName,
            ["node", $"{id}", "2", "--base-port", $"{first - id}", "--data", _folder.FullName, .. options],
            new Dictionary<string, string>());
        _nodes.Add(node);
        return node;
    }

    /// <summary>A running node as it is reached by https; to be disposed of, which leaves the node alone.</summary>
    public TestNode Secured(int id, CertificateTrust trust) => new(
        id, new UriBuilder(this[id].Address) { Scheme = Uri.UriSchemeHttps }.Uri, _folder.FullName, [], new Dictionary<string, string>(), trust);

    /// <summary>Leaves out a node that is not to run any more.</summary>
    public void Forget(TestNode node)
    {
        node.Dispose();
        _nodes.Remove(node);
    }

    public void StartAll()
    {
        foreach (var node in Nodes)
        {
            node.Start();
        }
    }

    /// <summary>Waits until every node is ready.</summary>
    /// <exception cref="InvalidOperationException">One has ended instead.</exception>
    public Task WaitUntilReadyAsync() => WaitUntilAsync("all nodes are ready", async () =>
    {
        if (Nodes.FirstOrDefault(n => !n.IsRunning) is { } dead)
        {
            throw new InvalidOperationException($"Node {dead.Id} has ended.\n{Logs}");
        }

        foreach (var node in Nodes)
        {
            if (!await node.IsReadyAsync())
            {
                return false;
            }
        }

        return true;
    });

    /// <summary>Starts a node again and waits until it serves.</summary>
    public async Task RestartAsync(TestNode node)
    {
        node.Start();
        await WaitUntilAsync($"node {node.Id} is ready", node.IsReadyAsync);
    }

    /// <summary>The node that leads, by the word of all running nodes.</summary>
    public async Task<TestNode> FindLeaderAsync()
    {
        TestNode? leader = null;
        await WaitUntilAsync("all running nodes follow one leader", async () =>
        {
            var leaders = new HashSet<int?>();
            foreach (var node in Nodes.Where(n => n.IsRunning))
            {
                var status = await node.StatusAsync();
                leaders.Add(status?.GetProperty("leader") is { ValueKind: System.Text.Json.JsonValueKind.Number } id ? id.GetInt32() : null);
            }

            leader = leaders.Count == 1 && leaders.Single() is { } only ? Nodes.FirstOrDefault(n => n.Id == only) : null;
            return leader is { IsRunning: true };
        });
        return leader!;
    }

    /// <summary>Waits until every running node knows these members, <c>0 1 (2)</c> with learners in brackets.</summary>
    public Task WaitForMembersAsync(string members) => WaitUntilAsync($"the members are {members}", async () =>
    {
        foreach (var node in Nodes.Where(n => n.IsRunning))
        {
            if (await node.StatusAsync() is not { } || await MembersAsync(node) != members)
            {
                return false;
            }
        }

        return true;
    });

    private static async Task<string> MembersAsync(TestNode node)
    {
        var members = (await node.GetAsync("/cluster/members")).Json.GetProperty("members").EnumerateArray();
        return string.Join(' ', members.Select(m => m.GetProperty("suffrage").GetString() == "voter" ? $"{m.GetProperty("id")}" : $"({m.GetProperty("id")})"));
    }

    /// <summary>Waits for a condition.</summary>
    /// <exception cref="TimeoutException">It did not come true; the message has the nodes' logs.</exception>
    public async Task WaitUntilAsync(string condition, Func<Task<bool>> isTrue, TimeSpan? limit = null)
    {
        var started = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await isTrue())
        {
            if (Stopwatch.GetElapsedTime(started) > (limit ?? _patience))
            {
                throw new TimeoutException($"Waited in vain until {condition}.\n{Logs}");
            }

            await timer.WaitForNextTickAsync();
        }
    }

    public Task WaitUntilAsync(string condition, Func<bool> isTrue, TimeSpan? limit = null) =>
        WaitUntilAsync(condition, () => Task.FromResult(isTrue()), limit);

    /// <summary>
    /// Waits until every node runs and has applied all there is, and checks that all files have the same content.
    /// </summary>
    /// <returns>The hash of that content.</returns>
    public async Task<string> ConvergeAsync()
    {
        await WaitUntilAsync("every node has applied everything", async () =>
        {
            var positions = new HashSet<long?>();
            foreach (var node in Nodes)
            {
                var status = await node.StatusAsync();
                positions.Add(status?.GetProperty("applied_index").GetInt64());
                positions.Add(status?.GetProperty("last_log_index").GetInt64());
            }

            return positions.Count == 1 && positions.Single() is not null;
        });
        var hashes = Nodes.Select(n => ContentHash.Of(n.DatabasePath)).ToList();
        hashes.Should().AllBe(hashes[0], "all replicas have the same content");
        return hashes[0];
    }

    public ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            node.Dispose();
        }

        if (!KeepsFiles)
        {
            _folder.Delete(recursive: true);
        }

        return ValueTask.CompletedTask;
    }
}
