using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;
using static DistDb.Tests.Replication.LeadershipWindowTests;

namespace DistDb.Tests.Replication;

/// <summary>Many clients' writes in one entry: they share its fate, and nothing else.</summary>
public sealed class BatchTests
{
    private const string Endless =
        "INSERT INTO w(token) SELECT ? FROM (WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c)";

    [Fact]
    public async Task Writes_that_wait_share_entries()
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[0].Counters;
        foreach (var result in await Task.WhenAll(Enumerable.Range(0, 300).Select(i => cluster.InsertAsync(i % 3, $"x{i}"))))
        {
            Done(result);
        }

        // Another node may have applied, and answered, what this one is about to.
        await cluster.UntilAsync(() => cluster[0].Counters.Writes - before.Writes >= 300, "node 0 has counted them all");
        var after = cluster[0].Counters;
        (after.Writes - before.Writes).Should().Be(300);
        (after.Batches - before.Batches).Should().BeLessThan(150);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_failure_within_a_batch_is_answered_when_the_batch_is_committed()
    {
        await using var cluster = await TestCluster.StartAsync();
        var gate = await Gate.CloseAsync(cluster);
        var good = cluster.InsertAsync(0, "good", k: 1);
        var local = cluster.InsertAsync(0, "local", k: 1);
        var forwarded = cluster.InsertAsync(1, "forwarded", k: 1);
        await gate.ForwardedAsync(1);
        await gate.PassOneAsync();
        await cluster.UntilAsync(() => cluster[0].LastLogIndex == gate.Before + 2, "the batch is in the leader's log");
        local.IsCompleted.Should().BeFalse("what it conflicts with is not committed");
        forwarded.IsCompleted.Should().BeFalse("what it conflicts with is not committed");
        gate.Open();
        Done(await good);
        Failed(await local).Code.Should().Be(FailureCode.Constraint);
        Failed(await forwarded).Code.Should().Be(FailureCode.Constraint);
        cluster[0].CommitIndex.Should().Be(gate.Before + 2);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_failure_is_judged_anew_where_the_row_it_conflicted_with_was_lost()
    {
        await using var cluster = await TestCluster.StartAsync();
        var gate = await Gate.CloseAsync(cluster);
        var lost = cluster.InsertAsync(0, "lost", k: 1);
        var forwarded = cluster.InsertAsync(1, "forwarded", k: 1);
        cluster.Network.Drop(m => m.From == 0 && m.Raft is AppendEntries { Entries: var entries } && entries.Any(e => e.Index > gate.Before + 1));
        await gate.ForwardedAsync(1);
        await gate.PassOneAsync();
        await cluster.UntilAsync(() => cluster[0].LastLogIndex == gate.Before + 2, "the batch is in the leader's log alone");
        cluster.Network.CutOff(0);
        await cluster.ElectAsync(1);
        Done(await forwarded);
        cluster.Network.Heal();
        Failed(await lost).Code.Should().Be(FailureCode.Constraint, "the other one came first after all");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_failing_write_alone_is_not_answered_from_a_deposed_leaders_state()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await cluster.InsertAsync(0, "first", k: 1));
        await cluster.SettleAsync();
        cluster.Network.CutOff(0);
        await cluster.ElectAsync(1);
        Done(await cluster.WriteAsync(1, "moved", "INSERT INTO w(token, k) VALUES (?, 2)"));
        (await cluster[1].WriteAsync("main", [TestCluster.Sql("UPDATE w SET k = NULL WHERE k = 1")], false, null, default)).Should().BeOfType<WriteResult.Done>();
        var write = cluster.InsertAsync(0, "second", k: 1);
        await cluster.UntilAsync(
            () => cluster.Network.Sent.Any(m => m.From == 0 && m.Raft is AppendEntries { ReadRound: > 0 }),
            "the old leader asks whether it still leads");
        write.IsCompleted.Should().BeFalse();
        cluster.Network.Heal();
        Done(await write);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_write_that_rolls_everything_back_hurts_itself_alone()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await cluster.InsertAsync(0, "first", k: 1));
        var gate = await Gate.CloseAsync(cluster);
        var good = new[]
        {
            cluster.InsertAsync(0, "a", k: 2),
            cluster.InsertAsync(0, "once", id: "key"),
            cluster.InsertAsync(0, "once", id: "key"),
        };
        var culprits = new[]
        {
            cluster.WriteAsync(0, "b", "INSERT OR ROLLBACK INTO w(token, k) VALUES (?, 1)"),
            cluster.WriteAsync(0, "c", "INSERT OR ROLLBACK INTO w(token, k) VALUES (?, 2)"),
        };
        var bad = cluster.InsertAsync(0, "d", k: 2);
        var last = cluster.InsertAsync(0, "e", k: 3);
        await gate.PassOneAsync();
        gate.Open();
        foreach (var culprit in culprits)
        {
            Failed(await culprit).Code.Should().Be(FailureCode.Constraint);
        }

        Failed(await bad).Code.Should().Be(FailureCode.Constraint);
        Done(await last);
        foreach (var write in good)
        {
            Done(await write);
        }

        Done(await good[1]).Index.Should().Be(Done(await good[2]).Index);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_statement_past_its_limit_is_interrupted_and_its_neighbours_are_done()
    {
        await using var cluster = await TestCluster.StartAsync(
            node => TestCluster.Options with { RequestTimeout = node == 0 ? TimeSpan.FromSeconds(3) : TimeSpan.FromSeconds(60) });
        var gate = await Gate.CloseAsync(cluster);
        var before = cluster.InsertAsync(1, "before");
        await gate.ForwardedAsync(1);
        var slow = cluster.WriteAsync(0, "slow", Endless);
        var after = cluster.InsertAsync(1, "after");
        await gate.ForwardedAsync(2);
        await gate.PassOneAsync();
        gate.Open();
        Failed(await slow).Code.Should().Be(FailureCode.Timeout);
        Done(await before);
        Done(await after);
        Done(await cluster.InsertAsync(2, "later"));
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task What_was_remembered_of_a_write_that_is_undone_is_forgotten()
    {
        await using var cluster = await TestCluster.StartAsync(node => TestCluster.Options with
        {
            RequestTimeout = TimeSpan.FromSeconds(node switch { 0 => 3, 1 => 1.5, _ => 60 }),
        });
        var gate = await Gate.CloseAsync(cluster);
        _ = cluster.InsertAsync(1, "once", id: "key");
        await gate.ForwardedAsync(1);
        var copy = cluster.InsertAsync(2, "once", id: "key");
        await gate.ForwardedAsync(2);

        // Undoes the first, whose time is over by then, so that it is not done again: the copy has nothing to be a copy of.
        _ = cluster.WriteAsync(0, "slow", Endless);
        await gate.PassOneAsync();
        gate.Open();
        Done(await copy);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Names_of_parameters_mean_the_same_at_every_node(int origin)
    {
        await using var cluster = await TestCluster.StartAsync();
        var values = StatementParameters.FromNamed([new(":t", SqlValue.From("x")), new("@k", SqlValue.From(1)), new("$::k", SqlValue.From(2))]);
        (await cluster[origin].WriteAsync("main", [new("INSERT INTO w(token, k) VALUES (:t, @k + $::k)", values)], false, null, default))
            .Should().BeOfType<WriteResult.Done>();
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_lone_statement_past_its_limit_is_answered_with_a_timeout()
    {
        await using var cluster = await TestCluster.StartAsync(
            node => TestCluster.Options with { RequestTimeout = node == 1 ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(60) });
        Failed(await cluster.WriteAsync(1, "slow", Endless)).Code.Should().Be(FailureCode.Timeout);
        Done(await cluster.InsertAsync(0, "later"));
        await cluster.CheckAsync();
    }

    /// <summary>
    /// Keeps the leader (node 0) from committing a first write, so that what comes after it gathers for one batch.
    /// </summary>
    internal sealed class Gate
    {
        private readonly TestCluster _cluster;
        private readonly TestNetwork.Rule _first;
        private TestNetwork.Rule? _second;

        private Gate(TestCluster cluster)
        {
            _cluster = cluster;
            Before = cluster[0].LastLogIndex;
            _first = cluster.Network.Hold(m => m.To == 0 && Accepts(m, Before));
        }

        /// <summary>The end of the log before the gate's own entry.</summary>
        public LogIndex Before { get; }

        public static async Task<Gate> CloseAsync(TestCluster cluster)
        {
            await cluster.SettleAsync();
            var gate = new Gate(cluster);
            _ = cluster.InsertAsync(0, "gate");
            await cluster.UntilAsync(() => cluster[0].LastLogIndex > gate.Before, "the gate's entry is in the log");
            return gate;
        }

        /// <summary>Waits until so many writes of other nodes have reached the leader. Its own do so at once.</summary>
        public Task ForwardedAsync(int count) => _cluster.UntilAsync(
            () => _cluster.Network.Delivered.Select(m => m.Message).OfType<ForwardedWrite>().Select(m => m.Command.Id).Distinct().Count() == count,
            $"{count} writes were forwarded");

        /// <summary>Lets the first entry be committed, and holds the next.</summary>
        public async Task PassOneAsync()
        {
            _second = _cluster.Network.Hold(m => m.To == 0 && Accepts(m, Before.Next));
            _first.Release();
            await _cluster.UntilAsync(() => _cluster[0].AppliedIndex > Before, "the first entry is applied");
        }

        public void Open() => _second!.Release();
    }
}
