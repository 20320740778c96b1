namespace DistDb.Node.Raft;

/// <summary>A node's number in its cluster, from 0; never reused for another node.</summary>
public readonly record struct NodeId(int Value) : IComparable<NodeId>
{
    public int CompareTo(NodeId other) => Value.CompareTo(other.Value);

    public static bool operator <(NodeId left, NodeId right) => left.Value < right.Value;

    public static bool operator >(NodeId left, NodeId right) => left.Value > right.Value;

    public static bool operator <=(NodeId left, NodeId right) => left.Value <= right.Value;

    public static bool operator >=(NodeId left, NodeId right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
