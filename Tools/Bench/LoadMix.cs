using System.CommandLine.Parsing;
using System.Globalization;
using System.Security.Cryptography;
using DistDb.Node.Commands;

namespace DistDb.Tools.Bench;

/// <summary>What the clients of <c>distdb bench</c> do, each kind with its weight, on a table of their own.</summary>
/// <param name="Parts">The kinds, by their names, and their weights.</param>
internal sealed record LoadMix(IReadOnlyList<(string Operation, int Weight)> Parts)
{
    /// <summary>What there is.</summary>
    public static readonly string[] Operations = ["insert", "update", "read", "transaction"];

    private const int WeightMax = 1_000_000;

    /// <summary>How many different requests of one kind a client has ready: it is the servers that are to work.</summary>
    private const int RequestsOfKind = 64;

    /// <summary>Reads <c>insert=70,read=30</c>; a name alone has the weight 1.</summary>
    public static LoadMix Parse(ArgumentResult result, string text)
    {
        var parts = new List<(string Operation, int Weight)>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var (name, weight) = part.Split('=', 2) is [var left, var right] ? (left, right) : (part, "1");
            if (!Operations.Contains(name) || !int.TryParse(weight, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is 0 or > WeightMax
                || parts.Exists(other => other.Operation == name))
            {
                result.AddError($"--mix takes {string.Join(", ", Operations)}, each at most once and with a weight, such as insert=70,read=30; not '{text}'.");
                break;
            }

            parts.Add((name, number));
        }

        return new(parts);
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString() => string.Join(',', Parts.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Operation}={part.Weight}")));

    /// <summary>What gives a client its requests, chosen by chance as the weights say.</summary>
    public Func<LoadRequest> SourceOf(int client, LoadTable table)
    {
        // A seed of its own, so that every run asks the same.
#pragma warning disable CA5394 // No secret depends on it.
        var random = new Random(client);
        var requests = Parts.Select(part => Enumerable.Range(0, part.Operation == "insert" ? 1 : RequestsOfKind)
            .Select(_ => table.Request(part.Operation, 1 + random.Next(table.Rows), 1 + random.Next(table.Rows))).ToArray()).ToArray();
        var total = Parts.Sum(part => part.Weight);
        return () =>
        {
            var at = random.Next(total);
            var kind = 0;
            while ((at -= Parts[kind].Weight) >= 0)
            {
                kind++;
            }

            return new(kind, requests[kind][random.Next(requests[kind].Length)]);
        };
#pragma warning restore CA5394
    }
}

/// <summary>The table that a load works on, in a database of its own or in one that is there.</summary>
internal sealed class LoadTable
{
    private readonly string _table;
    private readonly string _value;
    private readonly bool _isStrong;
    private readonly string? _token;
    private readonly bool _ownsDatabase;

    /// <param name="database">Where to make the table; null for a database of its own.</param>
    /// <param name="rows">How many rows there are for updates and reads.</param>
    /// <param name="valueBytes">How long their text is.</param>
    /// <param name="isStrong">Whether reads see what was answered anywhere before.</param>
    /// <param name="token">What the clients show, or null.</param>
    public LoadTable(string? database, int rows, int valueBytes, bool isStrong, string? token)
    {
        var name = "bench_" + RandomNumberGenerator.GetHexString(8, lowercase: true);
        (_ownsDatabase, Database, _table) = database is null ? (true, name, "rows") : (false, database, name);
        (Rows, _isStrong, _token, _value) = (rows, isStrong, token, new('v', valueBytes));
    }

    public string Database { get; }

    public int Rows { get; }

    /// <summary>Whether there may be something to drop.</summary>
    public bool MayExist { get; private set; }

    /// <summary>What is made, and dropped in the end.</summary>
    public string Description => _ownsDatabase ? $"the database {Database}" : $"the table {_table} in the database {Database}";

    /// <summary>How to drop it by hand.</summary>
    public string DropStatement => _ownsDatabase ? $"DROP DATABASE IF EXISTS {Database}" : $"DROP TABLE IF EXISTS {_table}";

    /// <summary>Makes it, and waits until every node that answers has it.</summary>
    /// <exception cref="NodeException">It could not be made.</exception>
    public async Task CreateAsync(ClusterConnection cluster, TimeSpan patience, CancellationToken cancellation)
    {
        if (_ownsDatabase)
        {
            await BeginAsync($"CREATE DATABASE {Database}", "main").ConfigureAwait(false);
        }

        await BeginAsync($"CREATE TABLE {_table} (id INTEGER PRIMARY KEY, client INTEGER, value TEXT)", Database).ConfigureAwait(false);
        var index = await ExecAsync(
            $"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO {_table} (id, value) SELECT i, ? FROM n",
            Database, SqlValue.From(Rows), SqlValue.From(_value)).ConfigureAwait(false);
        foreach (var node in cluster.Nodes)
        {
            try
            {
                await cluster.Client.QueryAsync(node, NodeRequest.Query("SELECT 1") with { Database = Database, MinIndex = index }, cancellation).ConfigureAwait(false);
            }
            catch (NodeException)
            {
                // A node that is down is a part of what is measured: its clients say so.
            }
        }

        async Task BeginAsync(string sql, string database)
        {
            try
            {
                await ExecAsync(sql, database).ConfigureAwait(false);
                MayExist = true;
            }
            catch (Exception e) when (e is not NodeProblemException { IsTransient: false })
            {
                // A refusal leaves nothing; anything else leaves it open.
                MayExist = true;
                throw;
            }
        }

        Task<long> ExecAsync(string sql, string database, params SqlValue[] parameters)
        {
            var request = NodeRequest.Exec(sql, parameters) with { Database = database, Id = RandomNumberGenerator.GetHexString(24, lowercase: true) };
            return cluster.AskAsync(node => cluster.Client.ExecAsync(node, request, cancellation), cancellation, patience);
        }
    }

    /// <summary>Drops it.</summary>
    /// <exception cref="NodeException">It is not known to be gone.</exception>
    public Task<long> DropAsync(ClusterConnection cluster, TimeSpan patience, CancellationToken cancellation)
    {
        var request = NodeRequest.Exec(DropStatement) with
        {
            Database = _ownsDatabase ? "main" : Database,
            Id = RandomNumberGenerator.GetHexString(24, lowercase: true),
        };
        return cluster.AskAsync(node => cluster.Client.ExecAsync(node, request, cancellation), cancellation, patience);
    }

    /// <summary>A request that does one thing, to one or two of the rows.</summary>
    public byte[] Request(string operation, int row, int other)
    {
        var insert = $"INSERT INTO {_table} (client, value) VALUES ({row}, '{_value}')";
        var update = $"UPDATE {_table} SET value = '{_value}', client = coalesce(client, 0) + 1 WHERE id = ";
        var request = operation switch
        {
            "insert" => NodeRequest.Exec($"INSERT INTO {_table} (client, value) VALUES (?, ?)", SqlValue.From(row), SqlValue.From(_value)),
            "update" => NodeRequest.Exec($"UPDATE {_table} SET value = ?, client = coalesce(client, 0) + 1 WHERE id = ?", SqlValue.From(_value), SqlValue.From(row)),
            "read" => NodeRequest.Query($"SELECT id, client, value FROM {_table} WHERE id = ?", SqlValue.From(row)) with { Consistency = _isStrong ? "strong" : null },
            "transaction" => NodeRequest.All([update + row, update + other, insert]),
            _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, null),
        };
        return LoadConnection.Request("POST", "/query", (request with { Database = Database }).ToJson().Span, _token);
    }
}
