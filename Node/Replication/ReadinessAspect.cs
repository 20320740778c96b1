namespace DistDb.Node.Replication;

/// <summary>What must be as it should be for a node to serve; see <see cref="ClusterNode.ProblemWith"/>.</summary>
public enum ReadinessAspect
{
    /// <summary>A leader is known.</summary>
    Leader,

    /// <summary>This node belongs to the cluster.</summary>
    Membership,

    /// <summary>It is not far behind.</summary>
    Progress,

    /// <summary>Its content is good, as far as it knows.</summary>
    Content,
}
