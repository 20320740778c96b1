using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Cluster;

/// <summary>Nodes join, leave, lose their files, move, and the master's role goes from one to another.</summary>
public sealed class MembershipTests(ITestOutputHelper output)
{
    [Fact]
    public Task A_node_joins_catches_up_and_votes() => RunAsync(["--log-tail", "30"], async cluster =>
    {
        await using var writers = await ClusterWriters.StartAsync(cluster, "join");
        await writers.WaitForTotalAsync(200);
        var joined = cluster.Add(3, "--join", Base(cluster[2]));
        joined.Start();
        await cluster.WaitForMembersAsync("0 1 2 3");
        await writers.StopAndCheckAsync();
        writers.Failures.Should().BeEmpty("clients notice nothing");

        // Three of four are needed now: the new node counts.
        cluster[1].Kill();
        (await joined.ExecOnceAsync("after", "INSERT INTO rows_join VALUES ('after', 3)")).Status.Should().Be(200);
        await cluster.RestartAsync(cluster[1]);

        // It needs no --join to come back, nor does it matter whom it was started with.
        joined.Kill();
        await cluster.RestartAsync(joined);
        await cluster.ConvergeAsync();
    });

    [Fact]
    public Task A_removed_node_says_so_and_stops() => RunAsync([], async cluster =>
    {
        var leader = await cluster.FindLeaderAsync();
        var victim = cluster.Nodes.Last(n => n != leader && n != cluster.Master);
        var witness = cluster.Nodes.First(n => n != victim);
        (await witness.DeleteAsync($"/cluster/members/{victim.Id}")).Status.Should().Be(200);
        (await victim.WaitForExitAsync()).Should().Be(1);
        victim.Log.Should().Contain("was removed from this cluster");
        (await witness.DeleteAsync($"/cluster/members/{victim.Id}")).Code.Should().Be("no_such_node");

        victim.Start();
        (await victim.WaitForExitAsync()).Should().Be(1, "it is told again");
        victim.Current().Should().Contain("was removed from this cluster");

        victim.Start("--rebuild", "--join", Base(witness));
        await cluster.WaitForMembersAsync("0 1 2");
        await cluster.WaitUntilReadyAsync();
        await cluster.ConvergeAsync();
    });

    [Fact]
    public Task The_leader_can_be_removed_and_the_master_cannot() => RunAsync([], async cluster =>
    {
        var refused = await cluster[1].DeleteAsync("/cluster/members/0");
        refused.Code.Should().Be("conflict");
        refused.Detail.Should().Contain("is the master");

        var leader = await cluster.FindLeaderAsync();
        var heir = cluster.Nodes.First(n => n != leader);
        (await heir.PostAsync("/cluster/promote", $$"""{"id": {{heir.Id}}}""")).Status.Should().Be(200);
        var answer = await heir.DeleteAsync($"/cluster/members/{leader.Id}");
        answer.Status.Should().Be(200, answer.Text);
        (await leader.WaitForExitAsync()).Should().Be(1);
        (await heir.ExecAsync("CREATE TABLE t (a)")).Status.Should().Be(200);
    });

    [Fact]
    public Task The_masters_role_moves_and_the_old_master_knows() => RunAsync([], async cluster =>
    {
        (await cluster[1].PostAsync("/cluster/promote", """{"id": 7}""")).Code.Should().Be("no_such_node");
        (await cluster[1].PostAsync("/cluster/promote", """{"node": 1}""")).Code.Should().Be("bad_request");

        cluster[0].Kill();
        (await cluster[1].ExecAsync("CREATE TABLE t (a)")).Code.Should().Be("not_master");
        (await cluster[1].PostAsync("/cluster/promote", """{"id": 2}""")).Json.GetProperty("master").GetInt32().Should().Be(2);
        (await cluster[2].ExecAsync("CREATE TABLE t (a)")).Status.Should().Be(200);

        cluster[0].Start();
        await cluster.WaitUntilReadyAsync();
        var refused = await cluster[0].ExecAsync("CREATE TABLE u (a)");
        refused.Code.Should().Be("not_master");
        refused.Json.GetProperty("master").GetString().Should().Be(Base(cluster[2]));
        (await cluster[0].ExecAsync("INSERT INTO t VALUES (1)")).Status.Should().Be(200);
    });

    [Fact]
    public Task A_node_that_lost_its_files_does_not_vote_until_it_has_everything() => RunAsync([], async cluster =>
    {
        (await cluster.Master.ExecAsync("CREATE TABLE t (a)")).Status.Should().Be(200);
        cluster[2].Kill();
        (await cluster[1].ExecAsync("INSERT INTO t VALUES ('kept by 0 and 1')")).Status.Should().Be(200);
        await cluster.WaitUntilAsync("both have it", async () =>
            await cluster[0].StatusAsync() is { } a && await cluster[1].StatusAsync() is { } b
            && a.GetProperty("applied_index").GetInt64() == b.GetProperty("applied_index").GetInt64());

        // Only node 0 has the row still; node 1 has forgotten it, and node 2 never knew it. Those two are no majority.
        cluster[0].Kill();
        cluster[1].Kill();
        Directory.Delete(cluster[1].Folder, recursive: true);
        cluster[1].Start();
        cluster[2].Start();
        await cluster.WaitUntilAsync("they have met", async () =>
            await cluster[1].StatusAsync() is { } s && s.GetProperty("peers").EnumerateArray().Any(p => p.GetProperty("id").GetInt32() == 2 && p.GetProperty("reachable").GetBoolean()));
        var answer = await cluster[2].PostAsync("""{"command":"query","query":"SELECT * FROM t","consistency":"strong"}""");
        answer.Code.Should().Be("no_quorum", "an election among those two would lose the row");

        cluster[0].Start();
        await cluster.WaitUntilReadyAsync();
        await cluster.WaitForMembersAsync("0 1 2");
        (await cluster[1].PostAsync("""{"command":"query","query":"SELECT * FROM t","consistency":"strong"}""")).Rows.Should().Be("[[\"kept by 0 and 1\"]]");
        await cluster.ConvergeAsync();
    });

    [Fact]
    public Task A_node_moves_to_another_address() => RunAsync([], async cluster =>
    {
        var leader = await cluster.FindLeaderAsync();
        var moving = cluster.Nodes.Last(n => n != leader && n != cluster.Master);
        (await moving.StopAsync()).Should().Be(0);
        var moved = cluster.Add(moving.Id, "--peers", string.Join(',', cluster.Nodes.Where(n => n != moving).Select(n => $"{n.Id}={Base(n)}")));
        cluster.Forget(moving);
        var answer = await cluster.Master.PostAsync("/cluster/members", $$"""{"id": {{moved.Id}}, "address": "{{Base(moved)}}"}""");
        answer.Status.Should().Be(200, answer.Text);
        moved.Start();
        await cluster.WaitUntilReadyAsync();
        await cluster.WaitUntilAsync("the master reaches it there", async () =>
            (await cluster.Master.GetAsync("/cluster/members")).Json.GetProperty("members").EnumerateArray().Any(m =>
                m.GetProperty("address").GetString() == Base(moved) && m.GetProperty("reachable").GetBoolean()));
        (await moved.ExecOnceAsync("moved", "INSERT INTO none VALUES (1)")).Code.Should().Be("sql_error", "the leader answers it");
        (await cluster.Master.ExecAsync("CREATE TABLE t (a)")).Status.Should().Be(200);
        await cluster.ConvergeAsync();
    });

    [Fact]
    public Task All_nodes_are_restarted_in_turn_under_load() => RunAsync([], async cluster =>
    {
        await using var writers = await ClusterWriters.StartAsync(cluster, "rolling");
        foreach (var node in cluster.Nodes)
        {
            (await node.StopAsync()).Should().Be(0);
            await cluster.RestartAsync(node);
            await writers.WaitForProgressAsync(20);
        }

        output.WriteLine(await writers.StopAndCheckAsync());
        writers.Failures.Should().BeEmpty("an orderly stop costs no more than a moment");
    });

    private static string Base(TestNode node) => node.Address.GetLeftPart(UriPartial.Authority);

    private async Task RunAsync(string[] options, Func<TestCluster, Task> test)
    {
        await using var cluster = await TestCluster.StartAsync(2, options);
        try
        {
            await test(cluster);
        }
        catch
        {
            output.WriteLine(cluster.Logs);
            throw;
        }
    }
}
