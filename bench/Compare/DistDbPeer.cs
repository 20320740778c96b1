using DistDb.Tools;

namespace DistDb.Bench.Compare;

/// <summary>This project's own nodes.</summary>
/// <param name="folder">Where their files go.</param>
internal sealed class DistDbPeer(string folder) : HttpPeer(portsPerNode: 1)
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
