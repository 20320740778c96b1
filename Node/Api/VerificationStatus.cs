using System.Text.Json.Serialization;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary>The body of <c>POST /cluster/verify</c>; an empty one will do.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record VerifyRequest
{
    /// <summary>Nodes that differ from the majority, or whose files are damaged, replace their content.</summary>
    public bool Repair { get; init; }
}

/// <summary>What a verification found: the answer to <c>POST /cluster/verify</c>, and a part of <c>GET /status</c>.</summary>
/// <param name="Outcome"><c>equal</c>; <c>incomplete</c>: equal, but not all nodes reported; <c>differs</c>; <c>no_majority</c>.</param>
/// <param name="Index">The log entry at which the replicas were compared.</param>
/// <param name="At">When, in UTC.</param>
/// <param name="DurationMs">How long it took.</param>
/// <param name="Repair">Whether nodes that are not healthy replace their content.</param>
/// <param name="Nodes">Every member of the cluster.</param>
/// <param name="Databases">Those that differ somewhere.</param>
public sealed record VerificationStatus(
    string Outcome,
    long Index,
    DateTimeOffset At,
    long DurationMs,
    bool Repair,
    IReadOnlyList<NodeVerdictStatus> Nodes,
    IReadOnlyList<DatabaseDifferenceStatus> Databases)
{
    public static VerificationStatus Of(VerificationResult result) => new(
        result.Outcome switch
        {
            VerificationOutcome.Equal => "equal",
            VerificationOutcome.Incomplete => "incomplete",
            VerificationOutcome.Differs => "differs",
            _ => "no_majority",
        },
        result.Index.Value,
        result.At,
        (long)result.Duration.TotalMilliseconds,
        result.Repairs,
        [.. result.Nodes.Select(n => new NodeVerdictStatus(n.Node.Value, NameOf(n.Health), n.Damage))],
        [
            .. result.Differences.GroupBy(d => d.Database).Select(database => new DatabaseDifferenceStatus(
                database.Key, [.. database.Select(d => new TableDifferenceStatus(d.Table, [.. d.Nodes.Select(n => n.Value)], d.Keys, d.Detail))])),
        ]);

    private static string NameOf(NodeHealth health) => health switch
    {
        NodeHealth.Healthy => "healthy",
        NodeHealth.Differs => "differs",
        NodeHealth.Damaged => "damaged",
        NodeHealth.Silent => "silent",
        _ => "undecided",
    };
}

/// <summary>How one node came out of a verification.</summary>
/// <param name="Id">The node.</param>
/// <param name="Health"><c>healthy</c>, <c>differs</c>, <c>damaged</c>, <c>silent</c> (it did not report) or <c>undecided</c> (there is no majority).</param>
/// <param name="Damage">What SQLite found wrong with its file, or null.</param>
public sealed record NodeVerdictStatus(int Id, string Health, string? Damage);

/// <summary>A database that is not the same everywhere.</summary>
/// <param name="Name">The database.</param>
/// <param name="Tables">Its tables that are not the same.</param>
public sealed record DatabaseDifferenceStatus(string Name, IReadOnlyList<TableDifferenceStatus> Tables);

/// <summary>A table that is not the same everywhere.</summary>
/// <param name="Table">Its name; <c>sqlite_schema</c> for what is defined.</param>
/// <param name="Nodes">Where it is not what the majority has, or not what the first node has where there is no majority.</param>
/// <param name="Keys">The first differing rows, such as <c>id = 7</c>.</param>
/// <param name="Detail">In what way it differs.</param>
public sealed record TableDifferenceStatus(string Table, IReadOnlyList<int> Nodes, IReadOnlyList<string> Keys, string Detail);

/// <summary>That a node is replacing its content.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Since">Since when, in UTC.</param>
/// <param name="Step">How far it is.</param>
/// <param name="QuarantineFolder">Where the bad files are kept, or null while they are still in their place.</param>
public sealed record RepairStatus(string Reason, DateTimeOffset Since, string Step, string? QuarantineFolder);
