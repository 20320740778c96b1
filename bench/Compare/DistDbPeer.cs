using System.Diagnostics;
using System.Globalization;
using DistDb.Tools;

namespace DistDb.Bench.Compare;

/// <summary>This project's own nodes.</summary>
/// <param name="folder">Where their files go.</param>
internal sealed class DistDbPeer(string folder) : IPeer
{
    private const int Nodes = 3;

    private static readonly TimeSpan _requestTimeout = TimeSpan.FromSeconds(30);

    private readonly ClusterClient _client = new(_requestTimeout);
    private readonly PeerProcess?[] _nodes = new PeerProcess?[Nodes];
    private readonly int _basePort = FreePorts.Find(Nodes);

    public string Name => "distdb";

    public bool HasFollowers => true;

    public long MemoryBytes => _nodes.Sum(node => node!.MemoryBytes);

    private IEnumerable<PeerProcess> Running => _nodes.OfType<PeerProcess>();

    public string? Describe(Job job) => job switch
    {
        Job.Write => "exec INSERT, JSON over HTTP",
        Job.Read => "query by key, local",
        Job.StrongRead => "query by key, strong",
        _ => null,
    };

    public async Task StartAsync(CancellationToken cancellation)
    {
        for (var id = 0; id < Nodes; id++)
        {
            Start(id);
        }

        await WaitUntilReadyAsync(cancellation).ConfigureAwait(false);
        await Workload.PrepareAsync(_client, await _client.GetClusterAsync(AddressOf(0), cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
    }

    public Task<Sample> RunAsync(Job job, bool throughFollower, int clients, LoadTime load, CancellationToken cancellation) =>
        RunAsync(Enum.Parse<Operation>(job.ToString()), throughFollower, clients, load, cancellation);

    /// <summary>The same for what only DistDb is asked.</summary>
    public async Task<Sample> RunAsync(Operation operation, bool throughFollower, int clients, LoadTime load, CancellationToken cancellation)
    {
        var leader = await FindLeaderAsync(cancellation).ConfigureAwait(false);
        return await HttpLoad.RunAsync(
            AddressOf(throughFollower ? (leader + 1) % Nodes : leader), clients, load, client => Workload.RequestsOf(operation, client), cancellation).ConfigureAwait(false);
    }

    public async Task<TimeSpan?> FailOverAsync(CancellationToken cancellation)
    {
        var leader = await FindLeaderAsync(cancellation).ConfigureAwait(false);
        var write = Workload.RequestsOf(Operation.Write, 0)[0];
        var started = Stopwatch.GetTimestamp();
        _nodes[leader]!.Kill();
        await HttpLoad.UntilTakenAsync(Enumerable.Range(0, Nodes).Where(id => id != leader).Select(AddressOf), write, cancellation).ConfigureAwait(false);
        var elapsed = Stopwatch.GetElapsedTime(started);
        _nodes[leader]!.Dispose();
        Start(leader);
        await WaitUntilReadyAsync(cancellation).ConfigureAwait(false);
        return elapsed;
    }

    public ValueTask DisposeAsync()
    {
        foreach (var node in Running)
        {
            node.Dispose();
        }

        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private Uri AddressOf(int id) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_basePort + id}"));

    private void Start(int id)
    {
        string[] role = id == 0 ? ["master", Text(Nodes - 1)] : ["node", Text(id), Text(Nodes - 1)];
        _nodes[id] = PeerProcess.Start(
            Path.Combine(folder, $"node-{id}.log"),
            null,
            Path.Combine(AppContext.BaseDirectory, "distdb"),
            [.. role, "--base-port", Text(_basePort), "--data", Path.Combine(folder, "data")]);
    }

    private async Task<int> FindLeaderAsync(CancellationToken cancellation)
    {
        int? leader = null;
        await Waiting.UntilAsync(
            "DistDb has a leader",
            async () => (leader = (await _client.GetClusterAsync(AddressOf(0), cancellation).ConfigureAwait(false)).Leader) is not null,
            Running,
            cancellation).ConfigureAwait(false);
        return leader!.Value;
    }

    private Task WaitUntilReadyAsync(CancellationToken cancellation) => Waiting.UntilAsync(
        "DistDb's nodes are ready",
        async () =>
        {
            try
            {
                for (var id = 0; id < Nodes; id++)
                {
                    if (!(await _client.GetStatusAsync(AddressOf(id), cancellation).ConfigureAwait(false)).Ready)
                    {
                        return false;
                    }
                }

                return true;
            }
            catch (NodeException)
            {
                return false;
            }
        },
        Running,
        cancellation);
}
