using Xunit.Abstractions;

namespace DistDb.Tests.Fuzz;

/// <summary>Whatever is sent, nodes live, answers are JSON with a stable code, and replicas stay equal. The long form is <c>tests/fuzz.sh</c>.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Generated_requests_and_garbage_are_answered_or_refused_and_nothing_breaks()
    {
        var report = await FuzzRun.RunAsync(new() { Count = 4000, Seed = Random.Shared.Next() }, output.WriteLine);
        output.WriteLine(report.ToString());
        report.IsClean.Should().BeTrue(report.ToString());
        report.Answers.Keys.Should().Contain(["ok", "bad_request", "sql_error", "constraint", "forbidden", "not_master", "no_such_database"], "otherwise little was tried");
    }

    [Fact]
    public void A_request_is_known_by_seed_and_position()
    {
        for (var i = 0; i < 200; i++)
        {
            FuzzRequests.At(7, i).ToString().Should().Be(FuzzRequests.At(7, i).ToString());
        }

        Enumerable.Range(0, 200).Select(i => FuzzRequests.At(8, i).ToString()).Distinct().Count().Should().BeGreaterThan(150);
    }
}
