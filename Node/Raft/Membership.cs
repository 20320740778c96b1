namespace DistDb.Node.Raft;

/// <summary>
/// Who belongs to the cluster: an immutable picture, changed by configuration entries of the log, each of which holds the whole of it
/// (thesis §4.1). A node uses the newest one in its log, committed or not.
/// </summary>
public sealed class Membership : IEquatable<Membership>
{
    private readonly SortedDictionary<NodeId, Member> _members = [];
    private readonly SortedDictionary<NodeId, ulong> _removed = [];

    /// <param name="members">Each id once.</param>
    /// <param name="removed">Those that were members and are not any more, with the identity of the log that each had.</param>
    public Membership(IEnumerable<Member> members, IEnumerable<KeyValuePair<NodeId, ulong>>? removed = null)
    {
        foreach (var member in members)
        {
            _members.Add(member.Id, member);
        }

        foreach (var (id, logId) in removed ?? [])
        {
            _removed.Add(id, logId);
        }
    }

    /// <summary>Nobody: what a node knows that is about to join.</summary>
    public static Membership Empty { get; } = new([]);

    /// <summary>All members, by id.</summary>
    public IReadOnlyCollection<Member> Members => _members.Values;

    /// <summary>Who was removed, and the identity of the log that it had then: that log must not come back.</summary>
    public IReadOnlyDictionary<NodeId, ulong> Removed => _removed;

    public IEnumerable<NodeId> Voters => _members.Values.Where(m => m.IsVoter).Select(m => m.Id);

    public IEnumerable<NodeId> Learners => _members.Values.Where(m => !m.IsVoter).Select(m => m.Id);

    /// <summary>Voters of whom nothing more is known yet.</summary>
    public static Membership OfVoters(IEnumerable<NodeId> voters) => new(voters.Select(v => new Member(v, IsVoter: true, LogId: 0, Address: "")));

    /// <summary>The member of that id, or null.</summary>
    public Member? Find(NodeId id) => _members.GetValueOrDefault(id);

    public bool IsVoter(NodeId id) => Find(id) is { IsVoter: true };

    /// <summary>With a member added or replaced.</summary>
    public Membership With(Member member) =>
        new([.. Members.Where(m => m.Id != member.Id), member], _removed.Where(r => r.Key != member.Id));

    /// <summary>Without a member, who is remembered as removed.</summary>
    public Membership Without(NodeId id) => new(
        Members.Where(m => m.Id != id),
        Find(id) is { LogId: var logId } ? [.. _removed.Where(r => r.Key != id), new(id, logId)] : _removed);

    public bool Equals(Membership? other) =>
        other is not null && Members.SequenceEqual(other.Members) && _removed.SequenceEqual(other._removed);

    public override bool Equals(object? obj) => Equals(obj as Membership);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var member in Members)
        {
            hash.Add(member);
        }

        return hash.ToHashCode();
    }

    public override string ToString() => string.Join(", ", Members.Select(m => m.IsVoter ? $"{m.Id}" : $"({m.Id})"));
}
