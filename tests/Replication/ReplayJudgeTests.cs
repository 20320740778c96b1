using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class ReplayJudgeTests
{
    private const ulong Recorded = OwnOpinions.AsRecorded;

    /// <summary>Opinions of nodes 0, 1, ...: <c>r</c> as recorded, another letter for an observation, <c>-</c> for none.</summary>
    [Theory]
    [InlineData("r--", 3, null)]
    [InlineData("rr-", 3, 'r')]
    [InlineData("rrx", 3, 'r')]
    [InlineData("rx-", 3, null)]
    [InlineData("rxx", 3, 'x')]
    [InlineData("-xx", 3, 'x')]
    [InlineData("rxy", 3, null)]
    [InlineData("---", 3, null)]
    [InlineData("rx", 2, null)]
    [InlineData("xx", 2, 'x')]
    [InlineData("rrxx-", 5, null)]
    [InlineData("rrxxr", 5, 'r')]
    [InlineData("rrxxx", 5, 'x')]
    [InlineData("r-xxx", 5, 'x')]
    [InlineData("rxxyy", 5, null)]
    [InlineData("--xxx", 5, 'x')]
    [InlineData("rxxrr", 3, 'x')]
    [InlineData("rx-rr", 3, null)]
    [InlineData("rxxxxx", 6, 'x')]
    [InlineData("rrrxxx", 6, null)]
    public void A_majority_of_the_voters_that_observed_the_same_is_right(string opinions, int voters, char? majority)
    {
        Judge(opinions, voters).Majority.Should().Be(majority is { } c ? Opinion(c) : null);
    }

    [Fact]
    public void It_says_who_is_missing_and_who_holds_what()
    {
        var judge = Judge("rx-x-r", 5);
        judge.Quorum.Should().Be(3);
        judge.VoterCount.Should().Be(5);
        judge.Describe().Should().Be(
            "node 0 has it as recorded, nodes 1 and 3 observed something else (0000000000000078), nodes 2 and 4 have not said");
        judge.Opponents(Recorded).Should().Equal(new NodeId(1), new NodeId(3));
        judge.Opponents(Opinion('x')).Should().Equal([new NodeId(0), new NodeId(5)], "members that do not vote may hold it as well");
    }

    private static ReplayJudge Judge(string opinions, int voters) => new(
        new(Enumerable.Range(0, opinions.Length).Select(n => new Member(new(n), n < voters, LogId: 1, Address: ""))),
        opinions.Select((c, n) => (c, n)).Where(o => o.c != '-').ToDictionary(o => new NodeId(o.n), o => Opinion(o.c)));

    private static ulong Opinion(char c) => c == 'r' ? Recorded : c;
}
