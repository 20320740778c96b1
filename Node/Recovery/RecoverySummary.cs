using DistDb.Node.Raft;

namespace DistDb.Node.Recovery;

/// <summary>What a stopped node holds, for whoever must decide whether the cluster is to go on from it.</summary>
public sealed record RecoverySummary
{
    public required NodeId Node { get; init; }

    /// <summary>Entries in its log.</summary>
    public required long EntryCount { get; init; }

    /// <summary>The last of them: of two nodes, the one with the higher (term, index) holds everything that was acknowledged and the other holds.</summary>
    public required LogIndex LastIndex { get; init; }

    public required Term LastTerm { get; init; }

    /// <summary>The entry that its database is at. What follows may or may not have been acknowledged; all of it is applied by the recovery.</summary>
    public required LogIndex AppliedIndex { get; init; }

    /// <summary>Who belonged to the cluster as far as this node knows; null where that never changed, so that only the settings say it.</summary>
    public required Membership? OldMembership { get; init; }

    /// <summary>Null where the log does not say.</summary>
    public required Guid? OldClusterId { get; init; }

    /// <summary>Null while nothing was done.</summary>
    public Guid? NewClusterId { get; init; }
}
