using System.Globalization;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>What an entry of the log does, judged from what it did on the nodes: what a majority of the voters observed is right.</summary>
internal sealed class ReplayJudge
{
    private readonly Membership _members;
    private readonly IReadOnlyDictionary<NodeId, ulong> _opinions;

    /// <param name="members">Whose voters count.</param>
    /// <param name="opinions">What nodes observed, <see cref="OwnOpinions.AsRecorded"/> or a digest; nodes without an opinion are left out.</param>
    public ReplayJudge(Membership members, IReadOnlyDictionary<NodeId, ulong> opinions)
    {
        _members = members;
        _opinions = opinions;
        VoterCount = members.Voters.Count();
        Quorum = (VoterCount / 2) + 1;
        Majority = opinions.Where(o => members.IsVoter(o.Key)).GroupBy(o => o.Value).FirstOrDefault(g => g.Count() >= Quorum)?.Key;
    }

    public int VoterCount { get; }

    /// <summary>How many voters must have observed the same.</summary>
    public int Quorum { get; }

    /// <summary>What a majority of the voters observed, or null where there is no such majority (yet).</summary>
    public ulong? Majority { get; }

    /// <summary>Voters that observed this.</summary>
    public IReadOnlyList<NodeId> Observers(ulong observation) =>
        [.. _members.Voters.Where(v => _opinions.TryGetValue(v, out var its) && its == observation)];

    /// <summary>Members that observed something else than this.</summary>
    public IReadOnlyList<NodeId> Opponents(ulong observation) =>
        [.. _members.Members.Select(m => m.Id).Where(m => _opinions.TryGetValue(m, out var its) && its != observation)];

    /// <summary>For an operator: each voter's part in it, as <c>node 0 has it as recorded, nodes 1 and 2 have not said</c>.</summary>
    public string Describe()
    {
        List<string> parts = [];
        foreach (var group in _members.Voters.GroupBy(v => _opinions.TryGetValue(v, out var its) ? its : (ulong?)null).OrderBy(g => g.First()))
        {
            NodeId[] nodes = [.. group];
            var (has, names) = nodes.Length == 1
                ? ("has", $"node {nodes[0]}")
                : ("have", $"nodes {string.Join(", ", nodes.SkipLast(1))} and {nodes[^1]}");
            parts.Add(group.Key switch
            {
                null => $"{names} {has} not said",
                OwnOpinions.AsRecorded => $"{names} {has} it as recorded",
                var digest => string.Create(CultureInfo.InvariantCulture, $"{names} observed something else ({digest:x16})"),
            });
        }

        return string.Join(", ", parts);
    }
}
