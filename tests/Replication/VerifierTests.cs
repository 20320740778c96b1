using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

/// <summary>What becomes of a verification that goes wrong in a way that nobody thought of.</summary>
public sealed class VerifierTests
{
    [Fact]
    public async Task A_defect_ends_the_verification_and_harms_nothing_else()
    {
        var problems = new List<string>();
        using var verifier = new Verifier(
            new(0),
            new DatabaseSet("/nowhere", new()),
            () => Membership.OfVoters([new(0), new(1)]),
            _ => throw new NotImplementedException("a defect"),
            (_, _) => { })
        {
            Problem = problem =>
            {
                lock (problems)
                {
                    problems.Add(problem);
                }
            },
        };

        verifier.Begin(new(7), new VerifyOperation(Repairs: true));

        await FluentActions.Awaiting(() => verifier.WaitForAsync(new(7), new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token))
            .Should().ThrowAsync<OperationCanceledException>();
        verifier.LetGo();
        verifier.IsBusy.Should().BeFalse();
        problems.Should().Contain(p => p.Contains("at entry 7") && p.Contains(nameof(NotImplementedException)));
    }
}
