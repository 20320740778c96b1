namespace DistDb.Tests.Simulation;

public sealed class SimulationTests
{
    /// <summary>Seeds that a run of the tests goes through; for more there is <c>tests/simulate.sh</c>.</summary>
    private const int SeedsPerTest = 250;

    [Theory]
    [InlineData(0)]
    [InlineData(100_000)]
    [InlineData(200_000)]
    public void What_Raft_promises_holds_in_every_world(int from)
    {
        var sum = Simulation.Run(from);
        for (var seed = from + 1; seed < from + SeedsPerTest; seed++)
        {
            sum += Simulation.Run(seed);
        }

        // A simulation in which nothing happens proves nothing.
        sum.LeaderCount.Should().BeGreaterThan(3 * SeedsPerTest);
        sum.CommittedCount.Should().BeGreaterThan(100 * SeedsPerTest);
        sum.ReadCount.Should().BeGreaterThan(50 * SeedsPerTest);
        sum.CrashCount.Should().BeGreaterThan(3 * SeedsPerTest);
        sum.ReplacedCount.Should().BeGreaterThan(2 * SeedsPerTest);
        sum.SnapshotCount.Should().BeGreaterThan(SeedsPerTest);
        sum.ChangeCount.Should().BeGreaterThan(3 * SeedsPerTest);
        sum.WipeCount.Should().BeGreaterThan(SeedsPerTest / 3);
        sum.StuckCount.Should().BeLessThan(SeedsPerTest / 20);
    }

    /// <summary>Worlds that once found something.</summary>
    [Theory]
    [InlineData(10_083)] // the only voter led a term twice, as it sent its first entries before that term was on its disk
    [InlineData(3032)] // a leader probed its log's base for ever
    [InlineData(1_004_618)] // the only founder lost its disk and began another cluster
    [InlineData(1_007_953)] // a removal that took away the last spare voter was still under way when the others were healed
    public void What_was_found_once_stays_mended(int seed) => Simulation.Run(seed).LeaderCount.Should().BePositive();

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(9)]
    public void One_seed_makes_one_history(int seed)
    {
        using var first = new StringWriter();
        using var second = new StringWriter();

        var result = Simulation.Run(seed, trace: first);

        Simulation.Run(seed, trace: second).Should().Be(result);
        second.ToString().Should().Be(first.ToString());
        Simulation.Run(seed + 1).TraceHash.Should().NotBe(result.TraceHash);
    }

    /// <summary>The checks have teeth: each broken promise is found, and each property is seen to break.</summary>
    [Theory]
    [InlineData(nameof(Sabotage.MessagesBeforeWrite), "Committed entries stay on a majority's disks")]
    [InlineData(nameof(Sabotage.VotesBeforeWrite), "One vote per term")]
    [InlineData(nameof(Sabotage.HardStateLostAtCrash), "One vote per term")]
    [InlineData(nameof(Sabotage.SyncedEntriesLostAtCrash), "Committed entries stay on a majority's disks")]
    [InlineData(nameof(Sabotage.TermsAltered), "Broken invariant")]
    [InlineData(nameof(Sabotage.UncommittedApplied), "State machine safety")]
    [InlineData(nameof(Sabotage.RestartCommitsAll), "Committed entries stay on a majority's disks")]
    [InlineData(nameof(Sabotage.ReadsUnconfirmed), "Linearizable reads")]
    [InlineData(nameof(Sabotage.SnapshotIndexWrong), "State machine safety")]
    [InlineData(nameof(Sabotage.ForeignTailKept), "Log matching")]
    [InlineData(nameof(Sabotage.LogCutBeyondDurable), "Broken invariant")]
    [InlineData(nameof(Sabotage.InstallationForgottenAtCrash), "Broken invariant")]
    [InlineData(nameof(Sabotage.MembershipUncommittedTwice), "Committed entries stay on a majority's disks")]
    [InlineData(nameof(Sabotage.VoterForgetsAndVotes), "Leader completeness")]
    [InlineData(nameof(Sabotage.AbstainersCounted), "Committed entries stay on a majority's disks")]
    [InlineData(nameof(Sabotage.LostLogsCounted), "Leader completeness")]
    public void A_broken_promise_is_found(string sabotage, string property)
    {
        const int SeedsMax = 2000;
        var found = Enumerable.Range(0, SeedsMax)
            .Select(seed => Try(seed, Enum.Parse<Sabotage>(sabotage)))
            .FirstOrDefault(f => f is not null && f.InnerException!.Message.StartsWith(property, StringComparison.Ordinal));

        found.Should().NotBeNull();
        found!.Message.Should().Contain($"simulate --seed {found.Seed} --trace").And.Contain($"step {found.Step}");
    }

    private static SimulationFailedException? Try(int seed, Sabotage sabotage)
    {
        try
        {
            Simulation.Run(seed, sabotage);
            return null;
        }
        catch (SimulationFailedException e)
        {
            return e;
        }
    }
}
