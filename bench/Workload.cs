using System.Globalization;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using DistDb.Tools;
using DistDb.Tools.Bench;

namespace DistDb.Bench;

/// <summary>What the clients ask for.</summary>
internal enum Operation
{
    /// <summary>Insert one row of about 100 bytes.</summary>
    Write,

    /// <summary>Insert a hundred such rows, all or none.</summary>
    Rows,

    /// <summary>Read one row by its key from the node that is asked.</summary>
    Read,

    /// <summary>The same, linearizable.</summary>
    StrongRead,

    /// <summary>GET /health/live: what the web server does without a database.</summary>
    Live,
}

/// <summary>The tables and requests of the load.</summary>
internal static class Workload
{
    /// <summary>How many rows <see cref="Operation.Rows"/> inserts.</summary>
    public const int RowsPerRequest = 100;

    /// <summary>Rows that reads choose from.</summary>
    private const int ReadableRows = 1000;

    /// <summary>How many different rows one client reads in turn.</summary>
    private const int RowsPerClient = 16;

    private static readonly string _value = new('v', 100);

    /// <summary>Creates the tables anew, and waits until every node has them.</summary>
    public static async Task PrepareAsync(ClusterClient client, ClusterStatus cluster, CancellationToken cancellation)
    {
        await RemoveAsync(client, cluster, cancellation).ConfigureAwait(false);
        var master = Master(cluster);
        await client.ExecAsync(
            master, NodeRequest.Exec("CREATE TABLE bench_writes (id INTEGER PRIMARY KEY, client INTEGER, value TEXT)"), cancellation).ConfigureAwait(false);
        await client.ExecAsync(
            master, NodeRequest.Exec("CREATE TABLE bench_reads (id INTEGER PRIMARY KEY, value TEXT)"), cancellation).ConfigureAwait(false);
        var fill = NodeRequest.Exec(
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            INSERT INTO bench_reads (id, value) SELECT i, ? FROM n
            """,
            SqlValue.From(ReadableRows), SqlValue.From(_value));
        var index = await client.ExecAsync(master, fill, cancellation).ConfigureAwait(false);
        foreach (var node in cluster.Nodes)
        {
            await client.QueryAsync(new(node.Address), NodeRequest.Query("SELECT 1") with { MinIndex = index }, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Drops the tables.</summary>
    public static async Task RemoveAsync(ClusterClient client, ClusterStatus cluster, CancellationToken cancellation)
    {
        foreach (var table in new[] { "bench_writes", "bench_reads" })
        {
            await client.ExecAsync(Master(cluster), NodeRequest.Exec($"DROP TABLE IF EXISTS {table}"), cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>What gives a client its requests, round and round.</summary>
    public static Func<LoadRequest> SourceOf(Operation operation, int client)
    {
        var requests = RequestsOf(operation, client);
        var next = -1;
        return () => new(0, requests[next = (next + 1) % requests.Length]);
    }

    /// <summary>A client's requests.</summary>
    public static byte[][] RequestsOf(Operation operation, int client)
    {
        return operation switch
        {
            Operation.Write => [Post(NodeRequest.Exec(
                "INSERT INTO bench_writes (client, value) VALUES (?, ?)", SqlValue.From(client), SqlValue.From(_value)))],
            Operation.Rows => [LoadConnection.Request("POST", "/query", JsonSerializer.SerializeToUtf8Bytes(new
            {
                command = "insert",
                table = "bench_writes",
                data = Enumerable.Repeat(new { client, value = _value }, RowsPerRequest),
            }))],
            Operation.Read => Reads(null),
            Operation.StrongRead => Reads("strong"),
            Operation.Live => [LoadConnection.Request("GET", "/health/live", [])],
            _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, null),
        };

        byte[][] Reads(string? consistency) =>
        [
            .. Enumerable.Range(0, RowsPerClient).Select(i => Post(
                NodeRequest.Query("SELECT id, value FROM bench_reads WHERE id = ?", SqlValue.From(1 + (((client * RowsPerClient) + i) % ReadableRows)))
                    with { Consistency = consistency })),
        ];
    }

    /// <summary>An operation's name in options and results, e.g. <c>strong-read</c>.</summary>
    public static string NameOf(Operation operation) => operation switch
    {
        Operation.StrongRead => "strong-read",
        _ => operation.ToString().ToLower(CultureInfo.InvariantCulture),
    };

    private static Uri Master(ClusterStatus cluster) => new(cluster.Nodes.Single(node => node.Id == cluster.Master).Address);

    private static byte[] Post(NodeRequest request) => LoadConnection.Request("POST", "/query", request.ToJson().Span);
}
