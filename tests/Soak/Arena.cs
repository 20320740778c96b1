using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak;

/// <summary>
/// A cluster in which everything can be broken: each node reaches each other through a proxy of its own, clients reach nodes directly or
/// through another proxy, and each node's clock can be moved. Faults claim the nodes that they impair, so that no two get in each
/// other's way, and so that it is known when a majority is well.
/// </summary>
internal sealed class Arena : IAsyncDisposable
{
    private readonly Dictionary<(int From, int To), TcpProxy> _links = [];
    private readonly TcpProxy[] _clientLinks;
    private readonly string _clockFolder;
    private readonly Lock _lock = new();
    private readonly HashSet<int> _claimed = [];
    private readonly HashSet<int> _recovering = [];
    private readonly int[] _incarnations;
    private readonly ConcurrentDictionary<long, string> _activeFaults = [];
    private long _majorityImpairedAt;
    private long _nextFault;
    private int _isDestroying;

    private Arena(int nodeCount)
    {
        _incarnations = new int[nodeCount];
        _clockFolder = Directory.CreateTempSubdirectory("distdb-clocks-").FullName;
        foreach (var (from, to) in from a in Enumerable.Range(0, nodeCount) from b in Enumerable.Range(0, nodeCount) where a != b select (a, b))
        {
            _links[(from, to)] = new();
        }

        _clientLinks = [.. Enumerable.Range(0, nodeCount).Select(_ => new TcpProxy())];
        Cluster = TestCluster.Create(nodeCount - 1, Arguments);
        foreach (var ((_, to), link) in _links)
        {
            link.Target = EndPointOf(to);
        }

        foreach (var (node, link) in _clientLinks.Index())
        {
            link.Target = EndPointOf(node);
        }

        LogPath = Path.Combine(Cluster.Folder, "soak.log");
    }

    public TestCluster Cluster { get; }

    public int NodeCount => Cluster.Nodes.Count;

    /// <summary>What happened, and when.</summary>
    public string LogPath { get; }

    /// <summary>The faults that are under way.</summary>
    public string ActiveFaults => string.Join(", ", _activeFaults.Values.Order());

    /// <summary>Starts a cluster and returns when it serves.</summary>
    public static async Task<Arena> StartAsync(int nodeCount)
    {
        for (var attempt = 1; ; attempt++)
        {
            var arena = new Arena(nodeCount);
            try
            {
                arena.Cluster.StartAll();
                await arena.Cluster.WaitUntilReadyAsync();
                return arena;
            }
            catch (InvalidOperationException) when (attempt < 5 && arena.Cluster.Logs.Contains(" is in use by another process", StringComparison.Ordinal))
            {
                // Somebody else took a port between our look and the node's.
                await arena.DisposeAsync();
            }
            catch
            {
                await arena.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>Claims nodes that a fault is about to impair.</summary>
    /// <returns>What gives them back; null where another fault has one of them.</returns>
    public IDisposable? TryClaim(params IReadOnlyCollection<int> nodes)
    {
        lock (_lock)
        {
            if (nodes.Any(_claimed.Contains))
            {
                return null;
            }

            _claimed.UnionWith(nodes);
        }

        return new Ending(() =>
        {
            lock (_lock)
            {
                NoteMajority();
                _claimed.ExceptWith(nodes);
                _recovering.UnionWith(nodes);
            }
        });
    }

    /// <summary>Claims one node that no fault has yet.</summary>
    public (int Node, IDisposable Claim)? TryClaimAny(Random random)
    {
        int[] nodes = [.. Enumerable.Range(0, NodeCount)];
        random.Shuffle(nodes);
        foreach (var node in nodes)
        {
            if (TryClaim(node) is { } claim)
            {
                return (node, claim);
            }
        }

        return null;
    }

    /// <summary>To be called now and then: counts nodes whose faults are over as well again once they are ready.</summary>
    public async Task NoteRecoveriesAsync()
    {
        int[] recovering;
        lock (_lock)
        {
            recovering = [.. _recovering.Except(_claimed)];
        }

        foreach (var node in recovering)
        {
            if (await Cluster[node].IsReadyAsync())
            {
                lock (_lock)
                {
                    NoteMajority();
                    _recovering.Remove(node);
                }
            }
        }
    }

    /// <summary>Whether a majority has been free of faults, and of what they leave behind, since a moment.</summary>
    public bool MajorityWasWellSince(long moment)
    {
        lock (_lock)
        {
            NoteMajority();
            return _majorityImpairedAt < moment;
        }
    }

    /// <summary>Says in the log, and in <see cref="ActiveFaults"/>, that a fault is under way.</summary>
    /// <returns>What says that it is over.</returns>
    public IDisposable Announce(string fault)
    {
        var number = Interlocked.Increment(ref _nextFault);
        _activeFaults[number] = fault;
        Log(fault);
        return new Ending(() =>
        {
            _activeFaults.TryRemove(number, out _);
            Log($"over: {fault}");
        });
    }

    public void Log(string text)
    {
        lock (_lock)
        {
            File.AppendAllText(LogPath, string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:O} {text}\n"));
        }
    }

    /// <summary>Counts the lives of a node's process: two equal answers mean that it ran all the time in between.</summary>
    public int IncarnationOf(int node) => Volatile.Read(ref _incarnations[node]);

    public void Kill(int node)
    {
        Interlocked.Increment(ref _incarnations[node]);
        Cluster[node].Kill();
    }

    /// <param name="node">The node.</param>
    /// <param name="more">Arguments for this run alone.</param>
    public void Start(int node, params IEnumerable<string> more) => Cluster[node].Start(more);

    /// <summary>The base address at which a node reaches another.</summary>
    public string AddressFor(int from, int to) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_links[(from, to)].Port}");

    /// <summary>
    /// Claims the right to destroy what one node has: the others' copies must stay whole until it is well again, so only one such fault at a
    /// time. Null where another has it.
    /// </summary>
    public IDisposable? TryClaimDestruction() =>
        Interlocked.CompareExchange(ref _isDestroying, 1, 0) == 0 ? new Ending(() => Volatile.Write(ref _isDestroying, 0)) : null;

    /// <summary>Whether a verification finds all nodes equal; where it does not, it has them healed.</summary>
    public async Task<bool> IsEqualAsync()
    {
        try
        {
            var answer = await Cluster[0].PostAsync("/cluster/verify", """{"repair":true}""");
            return answer.IsOk && answer.Json.GetProperty("outcome").GetString() == "equal";
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Whether a node serves, as a voter that is known by its log.</summary>
    public async Task<bool> IsVoterAsync(int node) =>
        await Cluster[node].IsReadyAsync() && (await Cluster[node].StatusAsync())?.GetProperty("suffrage").GetString() == "voter";

    /// <summary>An orderly stop.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync(int node)
    {
        Interlocked.Increment(ref _incarnations[node]);
        return await Cluster[node].StopAsync();
    }

    /// <summary>The link over which a node sends to another.</summary>
    public TcpProxy Link(int from, int to) => _links[(from, to)];

    /// <summary>The port at which clients find a node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="isLossy">Through a proxy, instead of its own port.</param>
    public int PortOf(int node, bool isLossy) => isLossy ? _clientLinks[node].Port : Cluster[node].Address.Port;

    public TcpProxy ClientLink(int node) => _clientLinks[node];

    /// <summary>Moves a node's clock to so much ahead of the machine's, or behind it.</summary>
    public void SetClock(int node, TimeSpan offset)
    {
        // In one step, lest the node reads half a number.
        var file = ClockFile(node);
        File.WriteAllText(file + ".new", ((long)offset.TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
        File.Move(file + ".new", file, overwrite: true);
    }

    /// <summary>Who leads, by the word of the node that knows of the latest term; null where nobody says.</summary>
    public async Task<int?> FindLeaderAsync()
    {
        (long Term, int? Leader) latest = (0, null);
        foreach (var status in await Task.WhenAll(Cluster.Nodes.Select(n => n.StatusAsync())))
        {
            if (status is { } known
                && known.GetProperty("term").GetInt64() is var term && term >= latest.Term
                && known.GetProperty("leader") is { ValueKind: JsonValueKind.Number } leader)
            {
                latest = (term, leader.GetInt32());
            }
        }

        return latest.Leader;
    }

    /// <summary>Nodes that ended though no fault had to do with it.</summary>
    public IEnumerable<TestNode> EndedByThemselves()
    {
        lock (_lock)
        {
            return [.. Cluster.Nodes.Where(n => !_claimed.Contains(n.Id) && !n.IsRunning)];
        }
    }

    /// <summary>Moves what the nodes printed into files beside their data.</summary>
    public void MoveLogs()
    {
        foreach (var node in Cluster.Nodes)
        {
            node.MoveLogTo(Path.Combine(Cluster.Folder, $"node-{node.Id}.log"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        foreach (var link in _links.Values.Concat(_clientLinks))
        {
            await link.DisposeAsync();
        }

        Directory.Delete(_clockFolder, recursive: true);
    }

    private IPEndPoint EndPointOf(int node) => new(IPAddress.Loopback, Cluster[node].Address.Port);

    private string ClockFile(int node) => Path.Combine(_clockFolder, $"clock-{node}");

    private IEnumerable<string> Arguments(int id)
    {
        var peers = _links.Where(l => l.Key.From == id).Select(l => $"{l.Key.To}=http://127.0.0.1:{l.Value.Port}");

        // Short, so that faults show in answers; and a log so short that nodes that were away need snapshots.
        return ["--peers", string.Join(',', peers), "--clock-offset-file", ClockFile(id), "--timeout", "3s", "--log-tail", "300"];
    }

    /// <summary>Remembers that just now a majority is not well, if so. The caller holds the lock.</summary>
    private void NoteMajority()
    {
        if (_claimed.Union(_recovering).Count() > (NodeCount - 1) / 2)
        {
            _majorityImpairedAt = Stopwatch.GetTimestamp();
        }
    }

    private sealed class Ending(Action end) : IDisposable
    {
        private int _isOver;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) == 0)
            {
                end();
            }
        }
    }
}
