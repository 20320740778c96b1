namespace DistDb.Tests.Replication;

/// <summary>Where nodes dial each other while addresses change.</summary>
public sealed class MoveTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_an_operator_gives_holds_against_moves_that_were_recorded_while_the_node_was_away(bool losesDisk)
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.CrashAsync(2);
        (await cluster[0].MoveMemberAsync(new(1), "http://first-move", default)).Should().BeNull();
        (await cluster[0].MoveMemberAsync(new(1), "http://second-move", default)).Should().BeNull();
        if (losesDisk)
        {
            cluster.Wipe(2);
        }

        await cluster.StartAsync(2, (1, "http://given"));
        await cluster.UntilAsync(() => cluster[2].AddressOf(new(1)) == "http://second-move", "node 2 knows what was recorded");
        await cluster.UntilAsync(() => cluster[2].Membership.Find(new(2)) is { IsVoter: true } && cluster[2].IsKnown, "node 2 is a voter");
        await cluster.SettleAsync();
        cluster.Network.AddressDialled(2, 1).Should().Be("http://given");
        cluster.Network.AddressDialled(0, 1).Should().Be("http://second-move");

        (await cluster[0].MoveMemberAsync(new(1), "http://third-move", default)).Should().BeNull();
        await cluster.UntilAsync(() => cluster.Network.AddressDialled(2, 1) == "http://third-move", "a move that is recorded now counts");
    }

    [Fact]
    public async Task A_leader_follows_the_moves_of_its_own_time()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await cluster[0].MoveMemberAsync(new(1), "http://first-move", default)).Should().BeNull();
        await cluster.CrashAsync(0);
        await cluster.ElectAsync(1);
        await cluster.StartAsync(0, (1, "http://given"));
        await cluster.SettleAsync();
        await cluster.ElectAsync(0);
        await cluster.SettleAsync();
        cluster.Network.AddressDialled(0, 1).Should().Be("http://given");

        (await cluster[0].MoveMemberAsync(new(1), "http://second-move", default)).Should().BeNull();

        cluster.Network.AddressDialled(0, 1).Should().Be("http://second-move");
    }
}
