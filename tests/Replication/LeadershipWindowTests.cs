using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>
/// Leadership is lost at each point of a write's way. Node 0 leads at first, node 1 follows it, node 2 is the third; the write comes in at any.
/// </summary>
public sealed class LeadershipWindowTests
{
    private const int Old = 0;
    private const int Next = 1;
    private const int Other = 2;

    [Theory]
    [InlineData(Old)]
    [InlineData(Next)]
    [InlineData(Other)]
    public async Task Lost_while_the_leader_executes_the_write(int origin)
    {
        await using var cluster = await TestCluster.StartAsync();
        var write = cluster.WriteAsync(
            origin,
            "slow",
            """
            INSERT INTO w(token) SELECT ? FROM (
                WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c WHERE x < 500000) SELECT max(x) FROM c)
            """);
        await cluster.ElectAsync(Next);
        Done(await write);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(Next)]
    [InlineData(Other)]
    public async Task Lost_when_no_other_node_has_the_entry(int origin)
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[Old].LastLogIndex;
        cluster.Network.Drop(m => m.From == Old && HasEntries(m));
        var write = cluster.InsertAsync(origin, "x");
        await cluster.UntilAsync(() => cluster[Old].LastLogIndex > before, "the old leader has the entry");
        cluster.Network.CutOff(Old);
        await cluster.ElectAsync(Next);
        if (origin != Old)
        {
            Done(await write);
        }

        cluster.Network.Heal();
        Done(await write).Index.Should().BeGreaterThan(before.Next, "another leader's no-op stands where the lost entry was");
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(Next)]
    [InlineData(Other)]
    public async Task Lost_when_one_follower_has_the_entry(int origin)
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[Old].LastLogIndex;
        cluster.Network.Drop(m => m.From == Old && m.To == Other && HasEntries(m));
        cluster.Network.Drop(m => m.To == Old && Accepts(m, before));
        var write = cluster.InsertAsync(origin, "x");
        await cluster.UntilAsync(() => cluster[Next].LastLogIndex > before, "the next leader has the entry");
        cluster.Network.CutOff(Old);
        await cluster.ElectAsync(Next);
        if (origin != Old)
        {
            Done(await write);
        }

        cluster.Network.Heal();
        Done(await write).Index.Should().Be(before.Next, "the next leader commits the entry it has");
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(Next)]
    [InlineData(Other)]
    public async Task Lost_when_a_majority_has_the_entry_and_the_leader_does_not_know(int origin)
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[Old].LastLogIndex;
        cluster.Network.Drop(m => m.To == Old && Accepts(m, before));
        var write = cluster.InsertAsync(origin, "x");
        await cluster.UntilAsync(
            () => cluster[Next].LastLogIndex > before && cluster[Other].LastLogIndex > before, "both followers have the entry");
        await cluster.ElectAsync(Next);
        Done(await write).Index.Should().Be(before.Next);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(Old)]
    [InlineData(Next)]
    [InlineData(Other)]
    public async Task The_leader_dies_when_it_knows_and_its_database_does_not_have_the_entry(int origin)
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[Old].LastLogIndex;
        cluster.SaveDatabase(Old);
        cluster.Network.Drop(m => m.From == Old && m.Raft is AppendEntries { LeaderCommit: var commit } && commit > before);
        var write = cluster.InsertAsync(origin, "x");
        await cluster.UntilAsync(() => cluster[Old].CommitIndex > before, "the leader knows that the entry is committed");
        await cluster.CrashAsync(Old);
        cluster.LoseUnsynced(Old);
        await cluster.ElectAsync(Next);
        await cluster.StartAsync(Old);
        if (origin != Old)
        {
            Done(await write).Index.Should().Be(before.Next);
        }

        await cluster.CheckAsync();
        (await cluster.TokensAsync(Old)).Should().Equal("x");
    }

    [Theory]
    [InlineData(Next)]
    [InlineData(Other)]
    public async Task Lost_when_the_entry_has_not_reached_the_origin(int origin)
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[Old].LastLogIndex;
        var third = 3 - origin;
        cluster.Network.Drop(m => m.To == origin && HasEntries(m));
        var write = cluster.InsertAsync(origin, "x");
        await cluster.UntilAsync(() => cluster[third].AppliedIndex > before, "the majority has applied the entry");
        cluster.Network.Heal();
        cluster.Network.CutOff(Old);
        await cluster.ElectAsync(third);
        Done(await write).Index.Should().Be(before.Next);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(Next)]
    [InlineData(Other)]
    public async Task Lost_when_the_verdict_has_not_reached_the_origin(int origin)
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await cluster.InsertAsync(Old, "first", k: 1));
        var verdicts = cluster.Network.Drop(m => m.Message is WriteRefused);
        var write = cluster.InsertAsync(origin, "second", k: 1);
        await cluster.UntilAsync(() => verdicts.Count > 0, "the old leader gave its verdict");
        verdicts.Remove();
        cluster.Network.CutOff(Old);
        await cluster.ElectAsync(Next);
        Failed(await write).Code.Should().Be(FailureCode.Constraint);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_leader_that_hands_over_applies_what_it_had_and_the_next_what_it_refused()
    {
        await using var cluster = await TestCluster.StartAsync();
        var writes = Enumerable.Range(0, 60).Select(i => cluster.InsertAsync(i % 3, $"x{i}")).ToList();
        await cluster[Old].DrainAsync();
        writes.AddRange(Enumerable.Range(60, 60).Select(i => cluster.InsertAsync(i % 3, $"x{i}")));
        cluster[Old].Role.Should().NotBe(Role.Leader);
        foreach (var write in writes)
        {
            Done(await write);
        }

        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Leadership_goes_round_while_everybody_writes()
    {
        await using var cluster = await TestCluster.StartAsync();
        var random = new Random(20_240_229);
        var loss = cluster.Network.Drop(m => m.Raft is null && Random.Shared.Next(5) == 0);
        List<Task<WriteResult>> writes = [];
        for (var round = 1; round <= 12; round++)
        {
            writes.AddRange(Enumerable.Range(0, 20).Select(i => cluster.InsertAsync(random.Next(3), $"r{round:00}-{i:00}")));
            if (round % 3 == 0)
            {
                cluster.Network.CutOff((round + 2) % 3);
            }

            await cluster.ElectAsync(round % 3, (round + 1) % 3);
            if (round % 3 == 0)
            {
                cluster.Network.Heal();
            }
        }

        loss.Remove();
        foreach (var write in writes)
        {
            Done(await write);
        }

        await cluster.CheckAsync();
    }

    internal static WriteResult.Done Done(WriteResult result) => result.Should().BeOfType<WriteResult.Done>().Subject;

    internal static Failure Failed(WriteResult result) => result.Should().BeOfType<WriteResult.NotDone>().Subject.Failure;

    internal static bool HasEntries(Letter letter) => letter.Raft is AppendEntries { Entries.Count: > 0 };

    internal static bool Accepts(Letter letter, LogIndex moreThan) =>
        letter.Raft is AppendEntriesAccepted { MatchIndex: var match } && match > moreThan;
}
