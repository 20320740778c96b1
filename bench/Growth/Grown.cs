using DistDb.Bench.Compare;
using DistDb.Node.Commands;
using DistDb.Tools;
using DistDb.Tools.Bench;

namespace DistDb.Bench.Growth;

/// <summary>A cluster at one size, and SQLite alone with the same rows.</summary>
/// <param name="Size">The size, e.g. <c>1,000,000 rows</c>.</param>
/// <param name="Peer">The cluster.</param>
/// <param name="Alone">SQLite.</param>
/// <param name="Load">How long each load runs.</param>
/// <param name="Loads">Where results go.</param>
internal sealed record Grown(string Size, DistDbPeer Peer, SqliteAlone Alone, LoadTime Load, ICollection<GrowthLoad> Loads)
{
    /// <summary>Executes one statement here and there.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="values">Its parameters: <see cref="long"/> and <see cref="string"/>.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task ExecuteAsync(string sql, object[] values, CancellationToken cancellation)
    {
        await Peer.ExecuteAsync(NodeRequest.Exec(sql, ToValues(values)), cancellation).ConfigureAwait(false);
        Alone.Execute(sql, values);
    }

    /// <summary>Runs a load of one statement on the cluster, and then on SQLite alone.</summary>
    /// <param name="what">What it is called.</param>
    /// <param name="sql">The statement.</param>
    /// <param name="values">Its parameters by chance: <see cref="long"/> and <see cref="string"/>.</param>
    /// <param name="clients">How many at once; of SQLite alone so many writes share a commit.</param>
    /// <param name="requestsPerClient">How many different ones each client sends, round and round.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task MeasureAsync(string what, string sql, Func<Random, object[]> values, int clients, int requestsPerClient, CancellationToken cancellation)
    {
        var isRead = sql.StartsWith("SELECT", StringComparison.Ordinal);
        var sample = await RunAsync(random => isRead ? NodeRequest.Query(sql, ToValues(values(random))) : NodeRequest.Exec(sql, ToValues(values(random))), clients, requestsPerClient, cancellation)
            .ConfigureAwait(false);
        var chance = new Random(1);
        Loads.Add(new(Size, what, clients, sample, Alone.Run(sql, () => values(chance), isRead ? 1 : clients, Load).PerSecond));
    }

    /// <summary>Runs a load that only the cluster knows.</summary>
    public async Task MeasureAsync(string what, Func<Random, NodeRequest> request, int clients, int requestsPerClient, CancellationToken cancellation) =>
        Loads.Add(new(Size, what, clients, await RunAsync(request, clients, requestsPerClient, cancellation).ConfigureAwait(false), null));

    private static SqlValue[] ToValues(object[] values) => Array.ConvertAll(values, value => value is string text ? SqlValue.From(text) : SqlValue.From((long)value));

    private Task<Sample> RunAsync(Func<Random, NodeRequest> request, int clients, int requestsPerClient, CancellationToken cancellation) => Peer.RunAsync(
        client =>
        {
            var random = new Random(client);
            return [.. Enumerable.Range(0, requestsPerClient).Select(_ => LoadConnection.Request("POST", "/query", request(random).ToJson().Span))];
        },
        clients,
        Load,
        cancellation);
}
