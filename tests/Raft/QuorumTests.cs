using DistDb.Node.Raft;

namespace DistDb.Tests.Raft;

public sealed class QuorumTests
{
    // Raft §5.2, §5.3: a decision needs more than half, and so any two of them share a voter.
    [Fact]
    public void Any_two_majorities_overlap_and_a_half_is_none()
    {
        for (var voters = 1; voters <= 100; voters++)
        {
            (2 * Quorum.Size(voters)).Should().BeGreaterThan(voters);
            (2 * (Quorum.Size(voters) - 1)).Should().BeLessThanOrEqualTo(voters);
        }
    }

    // Raft Figure 2: "if there exists an N such that ... a majority of matchIndex[i] >= N", said again in the dumbest way.
    [Fact]
    public void What_a_majority_has_reached_agrees_with_counting()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var values = Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.NextInt64(10)).ToArray();
            var before = values.ToArray();

            var reached = Quorum.Reached(values);

            reached.Should().Be(values.Where(v => 2 * values.Count(w => w >= v) > values.Length).Max());
            values.Should().Equal(before);
        }
    }
}
