using System.Text.Json.Serialization;

namespace DistDb.Tools;

/// <summary>What the tools read of <c>GET /status</c>.</summary>
public sealed record NodeStatus
{
    public required int Id { get; init; }

    public required string RaftRole { get; init; }

    public required int Master { get; init; }

    /// <summary>Null while there is none, or none is known here.</summary>
    public int? Leader { get; init; }

    public required long AppliedIndex { get; init; }

    public required bool Ready { get; init; }

    public string? ClusterId { get; init; }

    public IReadOnlyList<DatabaseStatus> Databases { get; init; } = [];

    public CounterStatus Counters { get; init; } = new();
}

/// <summary>One database of a node.</summary>
public sealed record DatabaseStatus(string Name);

/// <summary>What a node counted since its start.</summary>
public sealed record CounterStatus
{
    /// <summary>How often the log waited for the disk.</summary>
    public long LogSyncs { get; init; }

    /// <summary>Clients' writes applied.</summary>
    public long Writes { get; init; }

    /// <summary>Log entries that held them.</summary>
    public long Batches { get; init; }
}

/// <summary>What the tools read of <c>GET /cluster</c>.</summary>
public sealed record ClusterStatus
{
    /// <summary>The node that answered.</summary>
    public required int Node { get; init; }

    public required int Master { get; init; }

    public int? Leader { get; init; }

    public required IReadOnlyList<ClusterNodeStatus> Nodes { get; init; }
}

/// <summary>One node, as the answering node sees it.</summary>
public sealed record ClusterNodeStatus
{
    public required int Id { get; init; }

    public required Uri Address { get; init; }

    public required bool Reachable { get; init; }

    /// <summary>Null when the node did not answer.</summary>
    public NodeStatus? Status { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NodeStatus))]
[JsonSerializable(typeof(ClusterStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
