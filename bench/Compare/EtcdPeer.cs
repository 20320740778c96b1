using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using DistDb.Tools.Bench;

namespace DistDb.Bench.Compare;

/// <summary>etcd, by its JSON gateway, as DistDb is spoken to.</summary>
/// <param name="folder">Where its files go.</param>
internal sealed class EtcdPeer(string folder) : HttpPeer(portsPerNode: 2)
{
    /// <summary>How many different keys one client writes or reads in turn.</summary>
    private const int KeysPerClient = 256;

    private static readonly byte[] _value = Encoding.ASCII.GetBytes(new string('v', 100));

    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(5) };

    public override string Name => "etcd";

    public override string? Describe(Job job) => job switch
    {
        Job.Write => "POST /v3/kv/put",
        Job.Read => "POST /v3/kv/range, serializable",
        Job.StrongRead => "POST /v3/kv/range, linearizable",
        _ => null,
    };

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
    }

    protected override async Task PrepareAsync(CancellationToken cancellation)
    {
        foreach (var request in RequestsOf(Job.Write, 0))
        {
            await HttpLoad.UntilTakenAsync([AddressOf(0)], request, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Clients write keys of their own; what they read, client 0 has written.</summary>
    protected override byte[][] RequestsOf(Job job, int client) =>
    [
        .. Enumerable.Range(0, KeysPerClient).Select(i => job == Job.Write
            ? LoadConnection.Request("POST", "/v3/kv/put", JsonSerializer.SerializeToUtf8Bytes(new { key = KeyOf(client, i), value = _value }))
            : LoadConnection.Request("POST", "/v3/kv/range", JsonSerializer.SerializeToUtf8Bytes(new { key = KeyOf(0, i), serializable = job == Job.Read }))),
    ];

    private static byte[] KeyOf(int client, int i) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"bench/{client:D4}/{i:D6}"));

    private string PeerAddressOf(int id) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{BasePort + NodeCount + id}");

    protected override void Start(int id)
    {
        var address = AddressOf(id).GetLeftPart(UriPartial.Authority);
        Nodes[id] = PeerProcess.Start(
            Path.Combine(folder, $"etcd-{id}.log"),
            null,
            "etcd",
            "--name", $"e{id}", "--data-dir", Path.Combine(folder, $"e{id}"),
            "--listen-client-urls", address, "--advertise-client-urls", address,
            "--listen-peer-urls", PeerAddressOf(id), "--initial-advertise-peer-urls", PeerAddressOf(id),
            "--initial-cluster", string.Join(',', Enumerable.Range(0, NodeCount).Select(other => $"e{other}={PeerAddressOf(other)}")));
    }

    protected override async Task<int> FindLeaderAsync(CancellationToken cancellation)
    {
        var leader = -1;
        await Waiting.UntilAsync(
            "etcd has a leader",
            async () =>
            {
                for (var id = 0; id < NodeCount; id++)
                {
                    using var status = await StatusAsync(id, cancellation).ConfigureAwait(false);
                    if (status is not null && status.RootElement.GetProperty("leader").GetString() == status.RootElement.GetProperty("header").GetProperty("member_id").GetString())
                    {
                        leader = id;
                        return true;
                    }
                }

                return false;
            },
            Running,
            cancellation).ConfigureAwait(false);
        return leader;
    }

    protected override Task WaitUntilReadyAsync(CancellationToken cancellation) => Waiting.UntilAsync(
        "etcd's nodes are healthy",
        async () =>
        {
            for (var id = 0; id < NodeCount; id++)
            {
                using var status = await StatusAsync(id, cancellation).ConfigureAwait(false);
                if (status is null || !status.RootElement.TryGetProperty("leader", out _))
                {
                    return false;
                }
            }

            return true;
        },
        Running,
        cancellation);

    private async Task<JsonDocument?> StatusAsync(int id, CancellationToken cancellation)
    {
        try
        {
            using var answer = await _client.PostAsJsonAsync(new Uri(AddressOf(id), "/v3/maintenance/status"), new object(), cancellation).ConfigureAwait(false);
            return answer.IsSuccessStatusCode
                ? await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false), cancellationToken: cancellation).ConfigureAwait(false)
                : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
