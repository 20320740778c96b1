using System.Diagnostics;
using DistDb.Tools;
using DistDb.Tools.Bench;

namespace DistDb.Bench.Compare;

/// <summary>This project's own nodes.</summary>
/// <param name="folder">Where their files go.</param>
/// <param name="nodeCount">How many.</param>
internal sealed class DistDbPeer(string folder, int nodeCount = Peer.ComparedNodeCount) : HttpPeer(portsPerNode: 1, nodeCount)
{
    private static readonly TimeSpan _requestTimeout = TimeSpan.FromSeconds(30);

    private readonly ClusterClient _client = new(_requestTimeout);

    public override string Name => "distdb";

    public override string? Describe(Job job) => job switch
    {
        Job.Write => "exec INSERT, JSON over HTTP",
        Job.Read => "query by key, local",
        Job.StrongRead => "query by key, strong",
        _ => null,
    };

    /// <summary>Runs a load of what only DistDb is asked, through the leader.</summary>
    public Task<Sample> RunAsync(Operation operation, int clients, LoadTime load, CancellationToken cancellation) =>
        RunAsync(client => Workload.RequestsOf(operation, client), throughFollower: false, clients, load, cancellation);

    /// <summary>Runs a load of any requests through the leader; each client sends its own round and round.</summary>
    public Task<Sample> RunAsync(Func<int, byte[][]> requestsOf, int clients, LoadTime load, CancellationToken cancellation) =>
        RunAsync(requestsOf, throughFollower: false, clients, load, cancellation);

    /// <summary>Executes one statement, and waits until every node has it.</summary>
    public async Task ExecuteAsync(NodeRequest statement, CancellationToken cancellation)
    {
        var index = await _client.ExecAsync(AddressOf(0), statement, cancellation).ConfigureAwait(false);
        for (var id = 0; id < NodeCount; id++)
        {
            await _client.QueryAsync(AddressOf(id), NodeRequest.Query("SELECT 1") with { MinIndex = index }, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What a node has on disk.</summary>
    /// <param name="id">The node.</param>
    /// <returns>Bytes, each file by its path.</returns>
    public IReadOnlyDictionary<string, long> FilesOf(int id)
    {
        var own = new DirectoryInfo(Path.Combine(folder, "data", $"node-{id}"));
        return own.EnumerateFiles("*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(own.FullName, file.FullName), file => file.Length);
    }

    /// <summary>Kills a node that does not lead, as <c>kill -9</c> does, and starts it again.</summary>
    /// <returns>From its start until it serves.</returns>
    public async Task<TimeSpan> RestartFollowerAsync(CancellationToken cancellation)
    {
        var id = (await FindLeaderAsync(cancellation).ConfigureAwait(false) + 1) % NodeCount;
        Nodes[id]!.Kill();
        Nodes[id]!.Dispose();
        var started = Stopwatch.GetTimestamp();
        Start(id);
        await HttpLoad.UntilTakenAsync([AddressOf(id)], LoadConnection.Request("GET", "/health/ready", []), cancellation).ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(started);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
    }

    protected override void Start(int id)
    {
        string[] role = id == 0 ? ["master", Text(NodeCount - 1)] : ["node", Text(id), Text(NodeCount - 1)];
        Nodes[id] = PeerProcess.Start(
            Path.Combine(folder, $"node-{id}.log"),
            null,
            Path.Combine(AppContext.BaseDirectory, "distdb"),
            [.. role, "--base-port", Text(BasePort), "--data", Path.Combine(folder, "data")]);
    }

    protected override async Task PrepareAsync(CancellationToken cancellation) =>
        await Workload.PrepareAsync(_client, await _client.GetClusterAsync(AddressOf(0), cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);

    protected override byte[][] RequestsOf(Job job, int client) => Workload.RequestsOf(Enum.Parse<Operation>(job.ToString()), client);

    protected override async Task<int> FindLeaderAsync(CancellationToken cancellation)
    {
        int? leader = null;
        await Waiting.UntilAsync(
            "DistDb has a leader",
            async () => (leader = (await _client.GetClusterAsync(AddressOf(0), cancellation).ConfigureAwait(false)).Leader) is not null,
            Running,
            cancellation).ConfigureAwait(false);
        return leader!.Value;
    }

    protected override Task WaitUntilReadyAsync(CancellationToken cancellation) => Waiting.UntilAsync(
        "DistDb's nodes are ready",
        async () =>
        {
            try
            {
                for (var id = 0; id < NodeCount; id++)
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
