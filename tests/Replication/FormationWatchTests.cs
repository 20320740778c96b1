using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

public sealed class FormationWatchTests
{
    private static readonly NodeId[] _others = [new(1), new(2)];

    [Fact]
    public void A_cluster_begins_when_all_have_met_and_none_has_a_history()
    {
        var watch = new FormationWatch(_others, TimeSpan.FromHours(1));
        watch.IsNewCluster(Met()).Should().BeFalse();
        watch.IsNewCluster(Met(New(1))).Should().BeFalse("all are waited for");
        watch.IsNewCluster(Met(New(1), New(2))).Should().BeTrue();
    }

    [Fact]
    public void After_a_while_a_majority_will_do()
    {
        var watch = new FormationWatch(_others, TimeSpan.Zero);
        watch.IsNewCluster(Met()).Should().BeFalse("one of three is no majority");
        watch.IsNewCluster(Met(New(1))).Should().BeTrue();
    }

    [Fact]
    public void Whoever_meets_a_history_is_not_new_but_has_forgotten()
    {
        var watch = new FormationWatch(_others, TimeSpan.Zero);
        watch.IsNewCluster(Met(New(1) with { HasHistory = true })).Should().BeFalse();
        watch.IsNewCluster(Met(New(1), New(2) with { HasHistory = true })).Should().BeFalse();
    }

    [Fact]
    public void Whoever_wants_to_join_is_nobody_to_begin_with() =>
        new FormationWatch(_others, TimeSpan.Zero).IsNewCluster(Met(New(1) with { IsJoining = true })).Should().BeFalse();

    [Fact]
    public void A_single_node_waits_for_nobody() =>
        new FormationWatch([], TimeSpan.FromHours(1)).IsNewCluster(Met()).Should().BeTrue();

    private static Func<NodeId, PeerIdentity?> Met(params PeerIdentity[] met) => id => met.FirstOrDefault(m => m.Node == id.Value);

    private static PeerIdentity New(int id) => new()
    {
        Node = id,
        LogId = 1,
        HasHistory = false,
        Address = "",
        IsJoining = false,
        ClusterSize = 3,
        ClusterId = Guid.Empty,
        SqliteFingerprint = "",
        Version = "",
    };
}
