using System.Globalization;
using DistDb.Node.Database;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>Who is right, judged from what the nodes reported: a majority of the cluster's voters that hold the same, in undamaged files.</summary>
internal sealed class VerificationJudge
{
    private readonly Membership _members;
    private readonly IReadOnlyDictionary<NodeId, IReadOnlyList<DatabaseDigest>> _reports;

    public VerificationJudge(Membership members, IReadOnlyDictionary<NodeId, IReadOnlyList<DatabaseDigest>> reports)
    {
        _members = members;
        _reports = reports;
        Healthy = FindMajority();
    }

    /// <summary>The nodes that hold what a majority of voters holds; empty where there is no such majority (yet).</summary>
    public IReadOnlyList<NodeId> Healthy { get; }

    /// <summary>The node that others are compared with, and that compares them; null where nobody reported.</summary>
    public NodeId? Reference =>
        Healthy.Count > 0 ? Healthy[0]
        : _reports.Count > 0 ? _reports.Keys.OrderBy(n => IsDamaged(n)).ThenBy(n => n).First()
        : null;

    public VerificationOutcome Outcome =>
        Healthy.Count == 0 ? VerificationOutcome.NoMajority
        : _reports.Keys.Any(n => !Healthy.Contains(n)) ? VerificationOutcome.Differs
        : _members.Members.All(m => _reports.ContainsKey(m.Id)) ? VerificationOutcome.Equal
        : VerificationOutcome.Incomplete;

    public NodeVerdict VerdictOf(NodeId node)
    {
        var damage = _reports.TryGetValue(node, out var digests) ? digests.Select(d => d.Damage).FirstOrDefault(d => d is not null) : null;
        var health = digests is null ? NodeHealth.Silent
            : damage is not null ? NodeHealth.Damaged
            : Healthy.Count == 0 ? NodeHealth.Undecided
            : Healthy.Contains(node) ? NodeHealth.Healthy
            : NodeHealth.Differs;
        return new(node, health, damage);
    }

    /// <summary>The tables in which reports differ from the reference's, still without keys.</summary>
    public List<TableDifference> FindDifferences()
    {
        if (Reference is not { } reference)
        {
            return [];
        }

        var differences = new SortedDictionary<(string Database, string Table), List<(NodeId Node, string Detail)>>();
        foreach (var (node, digests) in _reports.Where(r => r.Key != reference).OrderBy(r => r.Key))
        {
            foreach (var expected in _reports[reference])
            {
                var actual = digests.FirstOrDefault(d => d.Database == expected.Database)?.Tables ?? [];
                foreach (var name in expected.Tables.Concat(actual).Select(t => t.Name).Distinct())
                {
                    var (mine, its) = (Find(expected.Tables, name), Find(actual, name));
                    if (mine is null ? its is not null : !mine.Equals(its))
                    {
                        var key = (expected.Database, name);
                        differences.TryAdd(key, []);
                        differences[key].Add((node, Describe(node, its, reference, mine)));
                    }
                }
            }
        }

        return
        [
            .. differences.Take(VerificationResult.DifferencesMax).Select(d => new TableDifference(
                d.Key.Database, d.Key.Table, [.. d.Value.Select(n => n.Node)], [], string.Join("; ", d.Value.Select(n => n.Detail)))),
        ];
    }

    /// <summary>Which parts of a table must be looked at to find the rows in which some nodes differ from the reference; none where a node has no such table.</summary>
    public IReadOnlySet<int> DifferingBuckets(TableDifference difference)
    {
        var mine = TableOf(Reference!.Value, difference);
        var found = new HashSet<int>();
        foreach (var node in difference.Nodes)
        {
            var its = TableOf(node, difference);
            if (mine is not null && its is not null)
            {
                found.UnionWith(mine.FindDifferingBuckets(its));
            }
        }

        return found;
    }

    /// <summary>Whether a node's rows of a table can be listed.</summary>
    public bool Has(NodeId node, TableDifference difference) => TableOf(node, difference) is not null;

    private static TableDigest? Find(IReadOnlyList<TableDigest> tables, string name) => tables.FirstOrDefault(t => t.Name == name);

    private static string Describe(NodeId node, TableDigest? its, NodeId reference, TableDigest? mine) => (its, mine) switch
    {
        (null, _) => $"node {node} does not have it",
        (_, null) => $"only node {node} has it",
        ({ IsDamaged: true }, _) => $"node {node} cannot read all of it",
        (_, { IsDamaged: true }) => $"node {reference} cannot read all of it",
        _ when its.RowCount != mine.RowCount => string.Create(
            CultureInfo.InvariantCulture, $"{its.RowCount} rows at node {node}, {mine.RowCount} at node {reference}"),
        _ => $"other values at node {node} than at node {reference}",
    };

    private TableDigest? TableOf(NodeId node, TableDifference difference) =>
        _reports[node].FirstOrDefault(d => d.Database == difference.Database) is { } digest ? Find(digest.Tables, difference.Table) : null;

    private bool IsDamaged(NodeId node) => _reports[node].Any(d => d.Damage is not null);

    private NodeId[] FindMajority()
    {
        var quorum = (_members.Voters.Count() / 2) + 1;
        NodeId[] left = [.. _reports.Keys.Where(n => !IsDamaged(n)).Order()];
        while (left.Length > 0)
        {
            NodeId[] same = [.. left.Where(n => AreSame(_reports[n], _reports[left[0]]))];
            if (same.Count(_members.IsVoter) >= quorum)
            {
                return same;
            }

            left = [.. left.Except(same)];
        }

        return [];
    }

    private static bool AreSame(IReadOnlyList<DatabaseDigest> one, IReadOnlyList<DatabaseDigest> other) =>
        one.Count == other.Count && one.Zip(other).All(p => p.First.HasSameContentAs(p.Second));
}
