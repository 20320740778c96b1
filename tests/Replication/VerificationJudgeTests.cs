using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class VerificationJudgeTests
{
    [Theory]
    [InlineData("aaa", VerificationOutcome.Equal, "HHH")]
    [InlineData("aa-", VerificationOutcome.Incomplete, "HHS")]
    [InlineData("aab", VerificationOutcome.Differs, "HHD")]
    [InlineData("baa", VerificationOutcome.Differs, "DHH")]
    [InlineData("abc", VerificationOutcome.NoMajority, "UUU")]
    [InlineData("ab-", VerificationOutcome.NoMajority, "UUS")]
    [InlineData("a--", VerificationOutcome.NoMajority, "USS")]
    [InlineData("aaA", VerificationOutcome.Differs, "HHX")] // the same rows in a damaged file
    [InlineData("aAA", VerificationOutcome.NoMajority, "UXX")]
    [InlineData("---", VerificationOutcome.NoMajority, "SSS")]
    [InlineData("aabb", VerificationOutcome.NoMajority, "UUUU")]
    [InlineData("ab", VerificationOutcome.NoMajority, "UU")]
    [InlineData("a", VerificationOutcome.Equal, "H")]
    public void The_majority_of_all_voters_is_right(string contents, VerificationOutcome outcome, string verdicts)
    {
        var judge = Judge(contents, Membership.OfVoters(Ids(contents)));
        judge.Outcome.Should().Be(outcome);
        string.Concat(Ids(contents).Select(id => judge.VerdictOf(id).Health switch
        {
            NodeHealth.Healthy => 'H',
            NodeHealth.Differs => 'D',
            NodeHealth.Damaged => 'X',
            NodeHealth.Silent => 'S',
            _ => 'U',
        })).Should().Be(verdicts);
    }

    [Fact]
    public void Learners_are_compared_and_do_not_count()
    {
        var members = Membership.OfVoters([new(0), new(1), new(2)]).With(new(new(3), IsVoter: false, LogId: 0, Address: ""))
            .With(new(new(4), IsVoter: false, LogId: 0, Address: ""));
        var judge = Judge("aabbb", members);
        judge.Healthy.Should().Equal([new NodeId(0), new NodeId(1)]);
        judge.VerdictOf(new(3)).Health.Should().Be(NodeHealth.Differs);
    }

    [Fact]
    public void Keys_are_compared_as_far_as_both_lists_reach()
    {
        var whole = List(ListEnd.Complete, "a1", "b1", "c1", "d1");
        Compare(whole, List(ListEnd.Complete, "a1", "b2", "d1", "e1")).Should().Equal("b", "c", "e");
        Compare(whole, List(ListEnd.Limit, "a1", "b2")).Should().Equal("b");
        Compare(List(ListEnd.Limit, "a1", "b1"), List(ListEnd.Limit, "b1", "c1")).Should().Equal("a");

        // The first row that is missing where the other could not read on.
        Compare(whole, List(ListEnd.Damage, "a1", "b1")).Should().Equal("c");
        Compare(whole, List(ListEnd.Damage)).Should().Equal("a");
        Compare(whole, whole).Should().BeEmpty();

        static List<string> Compare(RowKeyList one, RowKeyList other) => KeyComparison.FirstDiffering(one, other, 10);

        static RowKeyList List(ListEnd end, params string[] rows) => new([.. rows.Select(r => new RowKey(r[..1], r[1]))], end);
    }

    private static IEnumerable<NodeId> Ids(string contents) => Enumerable.Range(0, contents.Length).Select(i => new NodeId(i));

    private static VerificationJudge Judge(string contents, Membership members) => new(
        members,
        contents.Select((content, i) => (Node: new NodeId(i), Content: content)).Where(n => n.Content != '-').ToDictionary(
            n => n.Node, IReadOnlyList<DatabaseDigest> (n) => [Digest(n.Content)]));

    private static DatabaseDigest Digest(char content) => new(
        "main",
        char.IsUpper(content) ? "row 1 missing from index i" : null,
        [new("t", 1, char.ToLowerInvariant(content), [])]);
}
