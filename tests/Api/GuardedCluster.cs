using System.Net.Http.Headers;
using DistDb.Node.Commands;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>A cluster of three that asks for tokens, with clients of every kind.</summary>
public sealed class GuardedCluster : IAsyncLifetime
{
    /// <summary>In the nodes' environment at the first start.</summary>
    internal const string Admin = "the-first-admins-token-0123456789";

    internal TestCluster Cluster { get; private set; } = null!;

    /// <summary>What each is called, what it shows, and the role that it has, null where it has none.</summary>
    internal IReadOnlyList<(string Client, string? Token, TokenRole? Role)> Clients { get; private set; } = [];

    /// <summary>A token with the role schema for the database <c>shop</c> alone.</summary>
    internal string Limited { get; private set; } = "";

    public async Task InitializeAsync()
    {
        Cluster = TestCluster.Create(2, _ => [], _ => new Dictionary<string, string> { ["DISTDB_TOKEN"] = Admin });
        Cluster.StartAll();
        await Cluster.WaitUntilReadyAsync();
        await DoAsync("/query", """{"command":"exec","query":"CREATE TABLE t (a)"}""");
        await DoAsync("/query", """{"command":"create_db","database":"shop"}""");
        await DoAsync("/query", """{"command":"create_db","database":"other"}""");
        await DoAsync("/query", """{"command":"exec","query":"CREATE TABLE t (a)","database":"shop"}""");
        List<(string, string?, TokenRole?)> clients =
        [
            ("nobody", null, null),
            ("somebody with a wrong token", "distdb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", null),
        ];
        clients.Add(("somebody whose token has expired", await MakeAsync("""{"name":"expired","role":"admin","expires_in_s":1}"""), null));
        clients.Add(("somebody whose token was revoked", await MakeAsync("""{"name":"revoked","role":"admin"}"""), null));
        Limited = await MakeAsync("""{"name":"limited","role":"schema","databases":["Shop"]}""");
        foreach (var role in TokenRoles.All)
        {
            var name = TokenRoles.NameOf(role);
            clients.Add(($"somebody with the role {name}", await MakeAsync($$"""{"name":"{{name}}","role":"{{name}}","expires_in_s":86400}"""), role));
        }

        clients.Add(("the first admin", Admin, TokenRole.Admin));
        Clients = clients;
        (await SendAsync(Cluster[2], HttpMethod.Delete, "/tokens/revoked", null)).IsOk.Should().BeTrue();

        // Every node knows all of it, and the clock of each has passed the end of the one.
        foreach (var node in Cluster.Nodes)
        {
            await Cluster.WaitUntilAsync($"node {node.Id} knows all tokens, and one has expired", async () =>
            {
                var list = (await SendAsync(node, HttpMethod.Get, "/tokens", null)).Json.GetProperty("tokens").EnumerateArray().ToList();
                return list.Count == 7 && list.Count(t => t.GetProperty("expired").GetBoolean()) == 1 && list.All(t => t.GetProperty("name").GetString() != "revoked");
            });
        }
    }

    public async Task DisposeAsync()
    {
        if (Cluster is not null)
        {
            await Cluster.DisposeAsync();
        }
    }

    private static Task<Answer> SendAsync(TestNode node, HttpMethod method, string path, string? body) => node.SendAsync(new(method, path)
    {
        Content = body is null ? null : new StringContent(body),
        Headers = { Authorization = new AuthenticationHeaderValue("Bearer", Admin) },
    });

    private async Task<Answer> DoAsync(string path, string body)
    {
        var answer = await SendAsync(Cluster.Master, HttpMethod.Post, path, body);
        answer.IsOk.Should().BeTrue(answer.Text);
        return answer;
    }

    private async Task<string> MakeAsync(string body) => (await DoAsync("/tokens", body)).Json.GetProperty("token").GetString()!;
}
