using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Storage;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>Tokens on a cluster of real processes: made at one node, good at all, gone from all, whatever happens to the nodes meanwhile.</summary>
public sealed class TokenClusterTests
{
    private const string Initial = "the-first-admins-token-0123456789";
    private const string Other = "another-first-admins-token-0123456789";

    [Fact]
    public async Task A_token_is_good_at_every_node_until_it_is_revoked_anywhere()
    {
        await using var cluster = await StartAsync(_ => Initial);
        var token = await MakeAsync(cluster[1], Initial, """{"name":"app","role":"write"}""");
        (await PostAsync(cluster[0], Initial, """{"command":"exec","query":"CREATE TABLE t (a)"}""")).IsOk.Should().BeTrue();
        foreach (var node in cluster.Nodes)
        {
            await UntilStatusAsync(cluster, node, token, 200);
            (await PostAsync(node, token, """{"command":"exec","query":"INSERT INTO t VALUES (1)"}""")).IsOk.Should().BeTrue();
        }

        (await SendAsync(cluster[2], HttpMethod.Delete, "/tokens/app", null, Initial)).IsOk.Should().BeTrue();
        (await SendAsync(cluster[2], HttpMethod.Get, "/status", null, token)).Status.Should().Be(401, "the node that was asked goes by it at once");
        foreach (var node in cluster.Nodes)
        {
            await UntilStatusAsync(cluster, node, token, 401);
        }

        (await SendAsync(cluster[0], HttpMethod.Delete, "/tokens/app", null, Initial)).Code.Should().Be("no_such_token");
        (await SendAsync(cluster[0], HttpMethod.Delete, "/tokens/initial", null, Initial)).Code.Should().Be("conflict", "nobody could make another");
        (await SendAsync(cluster[0], HttpMethod.Post, "/tokens/init", null, null)).Code.Should().Be("conflict");
    }

    [Fact]
    public async Task Tokens_survive_restarts_and_come_with_a_snapshot()
    {
        await using var cluster = await StartAsync(_ => Initial, "--log-tail", "30");
        (await PostAsync(cluster[0], Initial, """{"command":"exec","query":"CREATE TABLE t (a)"}""")).IsOk.Should().BeTrue();
        var before = await MakeAsync(cluster[0], Initial, """{"name":"before","role":"read"}""");
        await UntilStatusAsync(cluster, cluster[2], before, 200);

        // Revoked and made while the node is away, for longer than the log reaches.
        cluster[2].Kill();
        (await SendAsync(cluster[0], HttpMethod.Delete, "/tokens/before", null, Initial)).IsOk.Should().BeTrue();
        var after = await MakeAsync(cluster[0], Initial, """{"name":"after","role":"read"}""");
        for (var i = 0; i < 120; i++)
        {
            (await PostAsync(cluster[0], Initial, """{"command":"exec","query":"INSERT INTO t VALUES (1)"}""")).IsOk.Should().BeTrue();
        }

        cluster[2].Start();
        await cluster.WaitUntilReadyAsync();
        await UntilStatusAsync(cluster, cluster[2], after, 200);
        await UntilStatusAsync(cluster, cluster[2], before, 401);

        // All at once, without what made the first token.
        foreach (var node in cluster.Nodes)
        {
            (await node.StopAsync()).Should().Be(0);
        }

        cluster.StartAll();
        await cluster.WaitUntilReadyAsync();
        foreach (var node in cluster.Nodes)
        {
            (await SendAsync(node, HttpMethod.Get, "/status", null, after)).Status.Should().Be(200);
            (await SendAsync(node, HttpMethod.Get, "/status", null, before)).Status.Should().Be(401);
            (await SendAsync(node, HttpMethod.Get, "/status", null, null)).Status.Should().Be(401);
            node.Current().Should().Contain("by token; there are 2").And.NotContain(Initial);
        }
    }

    [Fact]
    public async Task An_emptied_node_lets_nobody_in_until_it_knows_the_tokens()
    {
        await using var cluster = await StartAsync(id => id == 0 ? Initial : null);
        await UntilStatusAsync(cluster, cluster[1], Initial, 200);
        cluster[1].Kill();
        Directory.Delete(cluster[1].Folder, recursive: true);

        // Alone, it learns nothing.
        foreach (var other in (TestNode[])[cluster[0], cluster[2]])
        {
            other.Pause();
        }

        cluster[1].Start();
        await cluster.WaitUntilAsync("the emptied node answers", async () => await cluster[1].StatusAsync() is not null);
        foreach (var (method, path, body) in ((HttpMethod, string, string?)[])
        [
            (HttpMethod.Post, "/cluster/promote", """{"id":1}"""),
            (HttpMethod.Delete, "/cluster/members/2", null),
            (HttpMethod.Post, "/tokens", """{"name":"mine","role":"admin"}"""),
            (HttpMethod.Post, "/tokens/init", null),
            (HttpMethod.Get, "/tokens", null),
            (HttpMethod.Post, "/query", """{"command":"exec","query":"CREATE TABLE t (a)"}"""),
            (HttpMethod.Post, "/query", """{"command":"query","query":"SELECT 1"}"""),
        ])
        {
            var answer = await SendAsync(cluster[1], method, path, body, null);
            answer.Code.Should().Be("not_ready", $"{method} {path}: {answer.Text}");
        }

        cluster[0].Resume();
        cluster[2].Resume();
        await cluster.WaitUntilReadyAsync();
        (await SendAsync(cluster[1], HttpMethod.Get, "/status", null, Initial)).Status.Should().Be(200);
        (await SendAsync(cluster[1], HttpMethod.Get, "/status", null, null)).Status.Should().Be(401);
    }

    [Fact]
    public async Task Of_two_first_tokens_one_is_the_first()
    {
        await using var cluster = await StartAsync(id => id == 0 ? Initial : Other);
        var isOther = new HashSet<bool>();
        foreach (var node in cluster.Nodes)
        {
            var statuses = new[]
            {
                (await SendAsync(node, HttpMethod.Get, "/tokens", null, Initial)).Status,
                (await SendAsync(node, HttpMethod.Get, "/tokens", null, Other)).Status,
            };
            statuses.Should().BeEquivalentTo([200, 401]);
            isOther.Add(statuses[1] == 200);
        }

        isOther.Should().ContainSingle("all nodes agree");
    }

    [Fact]
    public async Task The_tools_lock_an_open_cluster_and_use_what_they_are_given()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster[0].Log.Should().Contain("as long as the cluster has no tokens, everybody on this machine may read and write");
        var reader = await SendAsync(cluster[1], HttpMethod.Post, "/tokens", """{"name":"reader","role":"read"}""", null);
        reader.Code.Should().Be("conflict", "nobody could make another");

        var made = await RunAsync(cluster, null, 0, "token", "init", "--json");
        var admin = JsonElement.Parse(made.Output).GetProperty("token").GetString()!;
        admin.Should().MatchRegex("^distdb_[A-Za-z0-9_-]{43}$");
        (await RunAsync(cluster, null, 1, "token", "init")).Errors.Should().Contain("tokens already");
        foreach (var node in cluster.Nodes)
        {
            await UntilStatusAsync(cluster, node, null, 401);
        }

        (await RunAsync(cluster, null, 1, "members")).Errors.Should().Contain("DISTDB_TOKEN").And.Contain("--token-file");
        (await RunAsync(cluster, admin, 0, "members")).Output.Should().Contain("voter");
        (await RunAsync(cluster, admin, 0, "show-all", "2")).Output.Should().Contain("identical");

        var created = await RunAsync(cluster, admin, 0, "token", "create", "app", "--role", "write", "--database", "main", "--database", "shop", "--expires", "30d");
        var app = created.Output.Trim();
        app.Should().StartWith("distdb_", "it is alone on its line");
        var file = Path.Combine(cluster.Folder, "app.token");
        await File.WriteAllTextAsync(file, app + "\n");
        (await RunAsync(cluster, admin, 1, "token", "list", "--token-file", file)).Errors.Should().Contain("\"admin\"", "the file counts more than the variable");
        var list = JsonElement.Parse((await RunAsync(cluster, admin, 0, "token", "list", "--json")).Output).GetProperty("tokens");
        list.GetArrayLength().Should().Be(2);
        var (createdAt, expires) = (list[1].GetProperty("created").GetDateTimeOffset(), list[1].GetProperty("expires").GetDateTimeOffset());
        (expires - createdAt).Should().Be(TimeSpan.FromDays(30));
        list[1].GetProperty("databases").GetRawText().Should().Be("""["main","shop"]""");
        (await RunAsync(cluster, admin, 0, "token", "list")).Output.Should().Contain("app").And.Contain("write").And.NotContain(app);

        (await RunAsync(cluster, admin, 0, "token", "revoke", "app")).Output.Should().Contain("\"app\" is revoked");
        (await RunAsync(cluster, admin, 1, "token", "revoke", "app")).Errors.Should().Contain("no token \"app\"");
        (await RunAsync(cluster, null, 1, "token", "list", "--token-file", file)).Errors.Should().Contain("revoked");
        (await RunAsync(cluster, null, 2, "token", "list", "--token-file", "nowhere")).Errors.Should().Contain("nowhere");
        (await RunAsync(cluster, "short", 2, "token", "list")).Errors.Should().Contain("DISTDB_TOKEN").And.NotContain("short");
        (await RunAsync(cluster, admin, 2, "token", "create", "x", "--role", "root")).Errors.Should().Contain("root");
        (await RunAsync(cluster, admin, 2, "token", "create", "x", "--role", "read", "--expires", "soon")).Errors.Should().Contain("soon");
        (await RunAsync(cluster, admin, 2, "token", "create", "x")).Errors.Should().Contain("--role");

        // The admin's token is lost; whoever has the cluster secret gets another, and can end the lost one.
        var secretFile = Path.Combine(cluster.Folder, "cluster.secret");
        var found = (await RunAsync(cluster, null, 0, "token", "init", "--cluster-secret-file", secretFile)).Output.Trim();
        (await RunAsync(cluster, found, 0, "token", "revoke", "admin")).Output.Should().Contain("\"admin\" is revoked");
        (await RunAsync(cluster, admin, 1, "token", "list")).Errors.Should().Contain("revoked");
        await File.WriteAllTextAsync(file, "another secret of some length");
        (await RunAsync(cluster, null, 1, "token", "init", "--cluster-secret-file", file)).Errors.Should().Contain("cluster secret");
        (await RunAsync(cluster, null, 2, "token", "init", "--cluster-secret-file", "nowhere")).Errors.Should().Contain("nowhere");
        (await SendAsync(cluster[0], HttpMethod.Get, "/status", null, BearerToken.OfSecret(ClusterSecret.ReadFile(secretFile)))).Status.Should().Be(401, "it is good for that alone");
    }

    private static async Task<TestCluster> StartAsync(Func<int, string?> first, params string[] options)
    {
        var cluster = TestCluster.Create(
            2, _ => options, id => first(id) is { } token ? new Dictionary<string, string> { ["DISTDB_TOKEN"] = token } : new Dictionary<string, string>());
        cluster.StartAll();
        await cluster.WaitUntilReadyAsync();
        await cluster.WaitUntilAsync("every node asks for tokens", async () =>
        {
            var answers = await Task.WhenAll(cluster.Nodes.Select(n => SendAsync(n, HttpMethod.Get, "/status", null, null)));
            return answers.All(a => a.Status == 401);
        });
        return cluster;
    }

    private static Task UntilStatusAsync(TestCluster cluster, TestNode node, string? token, int status) => cluster.WaitUntilAsync(
        $"node {node.Id} answers {status}", async () => (await SendAsync(node, HttpMethod.Get, "/status", null, token)).Status == status);

    private static Task<Answer> PostAsync(TestNode node, string token, string body) => SendAsync(node, HttpMethod.Post, "/query", body, token);

    private static async Task<string> MakeAsync(TestNode node, string token, string body)
    {
        var answer = await SendAsync(node, HttpMethod.Post, "/tokens", body, token);
        answer.IsOk.Should().BeTrue(answer.Text);
        return answer.Json.GetProperty("token").GetString()!;
    }

    private static Task<Answer> SendAsync(TestNode node, HttpMethod method, string path, string? body, string? token) => node.SendAsync(new(method, path)
    {
        Content = body is null ? null : new StringContent(body),
        Headers = { Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token) },
    });

    private static async Task<(string Output, string Errors)> RunAsync(TestCluster cluster, string? token, int exitCode, params string[] arguments)
    {
        var variables = new Dictionary<string, string> { ["DISTDB_BASE_PORT"] = cluster.BasePort.ToString(CultureInfo.InvariantCulture) };
        if (token is not null)
        {
            variables["DISTDB_TOKEN"] = token;
        }

        using var tool = DistDbProcess.Start(cluster.Folder, variables, arguments);
        var actual = await tool.WaitForExitAsync(TimeSpan.FromSeconds(60));
        actual.Should().Be(exitCode, $"{string.Join(' ', arguments)}: {tool.Errors}");
        return (tool.Output, tool.Errors);
    }
}
