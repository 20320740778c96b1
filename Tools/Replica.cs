namespace DistDb.Tools;

/// <summary>One node's copy of the data, as a comparison sees it.</summary>
internal sealed class Replica(int id, Uri address)
{
    public int Id { get; } = id;

    public Uri Address { get; } = address;

    /// <summary>Why it cannot be compared, as a phrase such as "cannot be reached: ..."; null while it can.</summary>
    public string? Failure { get; set; }

    /// <summary>E.g. "node 2".</summary>
    public string Name => $"node {Id}";

    /// <summary>E.g. "node 2" or "nodes 0 and 1".</summary>
    public static string NamesOf(IEnumerable<Replica> replicas)
    {
        var ids = replicas.Select(replica => replica.Id).Order().ToArray();
        return ids.Length == 1 ? $"node {ids[0]}" : $"nodes {string.Join(", ", ids[..^1])} and {ids[^1]}";
    }
}
