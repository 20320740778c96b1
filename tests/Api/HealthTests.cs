using System.Net.Http.Headers;
using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>What those are told who ask whether a node serves, and how much it logs.</summary>
public sealed class HealthTests(GuardedCluster guarded) : IClassFixture<GuardedCluster>
{
    private static readonly string[] _checks = ["leader", "membership", "progress", "content", "tokens"];

    [Fact]
    public async Task A_node_that_serves_says_so_to_everybody_and_details_to_those_who_may_read()
    {
        var node = guarded.Cluster[1];
        (await node.GetAsync("/health/live")).Text.Should().Be("""{"status":"live","detail":null}""");
        (await node.GetAsync("/health/ready")).Text.Should().Be("""{"status":"ready","detail":null}""");
        (await node.GetAsync("/health/ready?verbose")).Text.Should().Be("""{"status":"ready","detail":null}""", "a stranger is told no more");
        var checks = (await SendAsync(node, HttpMethod.Get, "/health/ready?verbose", null)).Json.GetProperty("checks").EnumerateArray().ToList();
        checks.Select(c => c.GetProperty("name").GetString()).Should().BeEquivalentTo(_checks);
        checks.Should().OnlyContain(c => c.GetProperty("ok").GetBoolean() && c.GetProperty("detail").ValueKind == JsonValueKind.Null);
    }

    [Fact]
    public async Task The_log_level_changes_while_the_node_runs()
    {
        var node = guarded.Cluster[1];
        (await SendAsync(node, HttpMethod.Get, "/log-level", null)).Text.Should().Be("""{"level":"information","node":1}""");
        await node.GetAsync("/nowhere/before");
        (await SendAsync(node, HttpMethod.Put, "/log-level", """{"level":"loud"}""")).Detail.Should().Contain("debug").And.Contain("Nothing was changed");
        (await SendAsync(node, HttpMethod.Put, "/log-level", """{"level":"Debug"}""")).Text.Should().Be("""{"level":"debug","node":1}""");
        await node.GetAsync("/nowhere/meanwhile%0Aforged");
        await guarded.Cluster.WaitUntilAsync("the request is logged", () => Task.FromResult(node.Log.Contains("GET /nowhere/meanwhile%0Aforged was answered 404", StringComparison.Ordinal)));
        (await SendAsync(node, HttpMethod.Put, "/log-level", """{"level":"information"}""")).IsOk.Should().BeTrue();
        await node.GetAsync("/nowhere/after");
        await guarded.Cluster.WaitUntilAsync("the change is logged", () => Task.FromResult(node.Log.Contains("changed from debug to information; the client's token: initial", StringComparison.Ordinal)));
        node.Log.Should().NotContain("/nowhere/before").And.NotContain("/nowhere/after");
        guarded.Cluster[0].Log.Should().NotContain("changed from", "it is this node's alone");
    }

    private static Task<Answer> SendAsync(TestNode node, HttpMethod method, string path, string? body) => node.SendAsync(new(method, path)
    {
        Content = body is null ? null : new StringContent(body),
        Headers = { Authorization = new AuthenticationHeaderValue("Bearer", GuardedCluster.Admin) },
    });
}
