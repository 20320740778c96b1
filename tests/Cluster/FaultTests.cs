using System.Diagnostics;
using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Cluster;

/// <summary>Nodes die, freeze and come back while clients write through all of them.</summary>
public sealed class FaultTests(SharedCluster shared, ITestOutputHelper output) : IClassFixture<SharedCluster>
{
    private readonly TestCluster _cluster = shared.Cluster;

    [Theory]
    [InlineData("leader")]
    [InlineData("follower")]
    [InlineData("master")]
    public Task Kill_one(string role) => RunAsync(async () =>
    {
        var leader = await _cluster.FindLeaderAsync();
        var victim = role switch
        {
            "leader" => leader,
            "follower" => _cluster.Nodes.First(n => n != leader && n != _cluster.Master),
            _ => _cluster.Master,
        };
        TestNode[] survivors = [.. _cluster.Nodes.Where(n => n != victim)];
        await using var writers = await ClusterWriters.StartAsync(_cluster, "kill_" + role);

        var killed = Stopwatch.GetTimestamp();
        victim.Kill();
        var recovery = await writers.WaitForServiceAsync(killed, survivors);
        await writers.WaitForProgressAsync(50);
        var longest = writers.LongestWrite(killed, survivors);
        if (victim == _cluster.Master)
        {
            // Rows are everybody's, the schema waits for its master.
            var answer = await survivors[0].ExecAsync("CREATE TABLE too_early (a)");
            answer.Code.Should().Be("not_master");
            answer.Json.GetProperty("master").GetString().Should().Be(_cluster.Master.Address.GetLeftPart(UriPartial.Authority));
        }

        await _cluster.RestartAsync(victim);
        await writers.WaitForProgressAsync(50);
        var figures = await writers.StopAndCheckAsync();
        output.WriteLine($"{role} (node {victim.Id}{(victim == leader ? ", leading" : "")}) killed: writes at all survivors again after " +
            $"{recovery.TotalMilliseconds:F0} ms, longest write {longest.TotalMilliseconds:F0} ms; {figures}");
        writers.Failures.Where(f => f.Node != victim.Id).Should().BeEmpty("a client of a survivor notices no more than a pause");
    });

    [Fact]
    public Task Freeze_the_leader_for_longer_than_an_election() => RunAsync(async () =>
    {
        var leader = await _cluster.FindLeaderAsync();
        TestNode[] others = [.. _cluster.Nodes.Where(n => n != leader)];
        await using var writers = await ClusterWriters.StartAsync(_cluster, "freeze");

        var frozen = Stopwatch.GetTimestamp();
        leader.Pause();
        TimeSpan recovery;
        try
        {
            recovery = await writers.WaitForServiceAsync(frozen, others);
            await _cluster.WaitUntilAsync("another leads", async () =>
                await others[0].StatusAsync() is { } status
                && status.GetProperty("leader") is { ValueKind: System.Text.Json.JsonValueKind.Number } now && now.GetInt32() != leader.Id);
            await writers.WaitForTotalAsync(300);
        }
        finally
        {
            leader.Resume();
        }

        var paused = Stopwatch.GetElapsedTime(frozen);
        await writers.WaitForProgressAsync(50);
        var figures = await writers.StopAndCheckAsync();
        output.WriteLine($"leader frozen for {paused.TotalMilliseconds:F0} ms: writes at the others again after {recovery.TotalMilliseconds:F0} ms; {figures}");
        writers.Failures.Should().BeEmpty("not even the frozen node's own clients notice more than a pause");
    });

    [Fact]
    public Task Stop_the_leader_in_order() => RunAsync(async () =>
    {
        var leader = await _cluster.FindLeaderAsync();
        TestNode[] others = [.. _cluster.Nodes.Where(n => n != leader)];
        await using var writers = await ClusterWriters.StartAsync(_cluster, "stop");

        var stopped = Stopwatch.GetTimestamp();
        (await leader.StopAsync()).Should().Be(0);
        var stopTime = Stopwatch.GetElapsedTime(stopped);
        var recovery = await writers.WaitForServiceAsync(stopped, others);
        var longest = writers.LongestWrite(stopped, others);

        await _cluster.RestartAsync(leader);
        await writers.WaitForProgressAsync(50);
        var figures = await writers.StopAndCheckAsync();
        output.WriteLine($"leader stopped in order in {stopTime.TotalMilliseconds:F0} ms: writes at the others after {recovery.TotalMilliseconds:F0} ms, longest {longest.TotalMilliseconds:F0} ms; {figures}");
        writers.Failures.Should().BeEmpty("an orderly stop answers what it has taken");
    });

    [Fact]
    public Task Kill_all_at_once() => RunAsync(async () =>
    {
        await using var writers = await ClusterWriters.StartAsync(_cluster, "kill_all");
        await Task.WhenAll(_cluster.Nodes.Select(n => Task.Run(n.Kill)));

        var started = Stopwatch.GetTimestamp();
        _cluster.StartAll();
        var recovery = await writers.WaitForServiceAsync(started, _cluster.Nodes);
        await writers.WaitForProgressAsync(50);
        output.WriteLine($"all killed: writes at all nodes {recovery.TotalMilliseconds:F0} ms after their start; {await writers.StopAndCheckAsync()}");
    });

    [Fact]
    public Task Keep_a_node_away_for_thousands_of_writes() => RunAsync(async () =>
    {
        const int Missed = 3000;
        var leader = await _cluster.FindLeaderAsync();
        var laggard = _cluster.Nodes.Last(n => n != leader);
        await using var writers = await ClusterWriters.StartAsync(_cluster, "away");
        laggard.Kill();
        await writers.WaitForTotalAsync(Missed);

        var started = Stopwatch.GetTimestamp();
        await _cluster.RestartAsync(laggard);
        var recovery = await writers.WaitForServiceAsync(started, laggard);
        await writers.WaitForProgressAsync(50);
        output.WriteLine($"away for {Missed} writes: serves writes {recovery.TotalMilliseconds:F0} ms after its start; {await writers.StopAndCheckAsync()}");
        writers.Failures.Where(f => f.Node != laggard.Id).Should().BeEmpty();
    });

    /// <summary>Shows the nodes' logs with a failure, and starts what the test left dead.</summary>
    private async Task RunAsync(Func<Task> test)
    {
        try
        {
            await test();
        }
        catch
        {
            output.WriteLine(_cluster.Logs);
            throw;
        }
        finally
        {
            foreach (var node in _cluster.Nodes.Where(n => !n.IsRunning))
            {
                node.Start();
            }

            await _cluster.WaitUntilReadyAsync();
        }
    }
}
