using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

/// <summary>Whatever happens to nodes, their change feeds go on as one.</summary>
public sealed class ChangeFeedTests
{
    private static readonly ReplicationOptions _shortLogs = TestCluster.Options with { LogTailEntriesMax = 20, CheckpointEntries = 10 };

    [Fact]
    public async Task A_follower_goes_on_at_any_node_over_failovers()
    {
        await using var cluster = await TestCluster.StartAsync();
        var told = new Told();
        for (var round = 0; round < 4; round++)
        {
            var leader = round % 3;
            await cluster.ElectAsync(leader);
            var writes = Enumerable.Range(0, 60).Select(i => cluster.InsertAsync(i % 3, $"{round}-{i}")).ToList();

            // Some are lost with the leader, or written by the next one.
            await Task.WhenAny(writes);
            await cluster.CrashAsync(leader);
            await cluster.ElectAsync((leader + 1) % 3, (leader + 2) % 3);
            await told.FollowAsync(cluster[(leader + 1) % 3]);
            await cluster.StartAsync(leader);
            await told.FollowAsync(cluster[leader]);
            await cluster.UntilAsync(() => writes.All(w => w.IsCompleted), "all are answered");
        }

        await cluster.SettleAsync();
        await told.FollowAsync(cluster[1]);
        told.Tokens.Should().BeEquivalentTo(await cluster.TokensAsync(1)).And.OnlyHaveUniqueItems();
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_comes_back_by_a_snapshot_or_without_what_the_disk_lost_tells_the_same()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        var told = new Told();
        await InsertAsync(cluster, "before", 5);
        await cluster.SettleAsync();
        cluster.SaveDatabase(1);
        await cluster.CrashAsync(2);
        await InsertAsync(cluster, "away", 15);
        await told.FollowAsync(cluster[0]);
        await cluster.CrashAsync(1);
        cluster.LoseUnsynced(1);
        await cluster.StartAsync(1);
        await told.FollowAsync(cluster[1]);
        await InsertAsync(cluster, "more", 200);
        await cluster.UntilAsync(() => cluster[0].FirstLogIndex > new LogIndex(100), "the leader's log is cut");
        await cluster.StartAsync(2);
        var reached = cluster[0].AppliedIndex;
        await cluster.UntilAsync(() => cluster[2].AppliedIndex >= reached, "the node has caught up");
        await told.FollowAsync(cluster[2]);
        told.Tokens.Should().BeEquivalentTo(await cluster.TokensAsync(2)).And.OnlyHaveUniqueItems();
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_position_that_no_node_has_reached_is_refused_where_the_end_of_the_log_is_known()
    {
        await using var cluster = await TestCluster.StartAsync();
        var end = cluster[0].AppliedIndex.Value;
        (await cluster[1].FindBeyondLogAsync(new(end), default)).Should().BeNull();
        (await cluster[1].FindBeyondLogAsync(new(end + 1000), default))!.Failure.Code.Should().Be(FailureCode.ChangesGone);
        await cluster.CrashAsync(0);
        await cluster.CrashAsync(2);
        (await cluster[1].FindBeyondLogAsync(new(end + 1000), default)).Should().BeNull("nobody can tell");
    }

    [Fact]
    public async Task Where_none_are_kept_that_is_said()
    {
        await using var cluster = await TestCluster.StartAsync(_ => TestCluster.Options with { ChangesBytesMax = 0 }, size: 1);
        (await cluster[0].ReadChangesAsync("main", new(cluster[0].AppliedIndex.Value), default))
            .Should().BeOfType<ChangesResult.NotDone>().Which.Failure.Detail.Should().Contain("--changes-bytes 0");
    }

    private static async Task InsertAsync(TestCluster cluster, string prefix, int count)
    {
        for (var i = 0; i < count; i++)
        {
            (await cluster.InsertAsync(0, $"{prefix}-{i}")).Should().BeOfType<WriteResult.Done>();
        }
    }

    /// <summary>What a follower was told, from whichever node.</summary>
    private sealed class Told
    {
        private ChangePosition _position;

        public List<string> Tokens { get; } = [];

        /// <summary>Takes what a node has, once it is as far as the follower.</summary>
        public async Task FollowAsync(ClusterNode node)
        {
            await node.WaitForAsync(new(_position.Index), default).WaitAsync(TimeSpan.FromSeconds(60));
            while ((await node.ReadChangesAsync("main", _position, default)).Should().BeOfType<ChangesResult.Read>().Subject.Pieces is { Count: > 0 } pieces)
            {
                foreach (var piece in pieces)
                {
                    piece.Position.Index.Should().BeGreaterThan(_position.Index);
                    _position = piece.Position;
                    Tokens.AddRange(piece.Read().Where(c => c.Table == "w").Select(c => c.Values!.Single(v => v.Name == "token").Value.Text));
                }
            }
        }
    }
}
