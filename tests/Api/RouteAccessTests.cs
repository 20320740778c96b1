using System.Net.Http.Headers;
using DistDb.Node;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using DistDb.Tests.Support;
using Microsoft.AspNetCore.Routing;

namespace DistDb.Tests.Api;

/// <summary>
/// Every route, with every kind of client. Whoever adds a route says here who may use it; the list is compared with what the web server
/// knows.
/// </summary>
public sealed class RouteAccessTests(GuardedCluster guarded) : IClassFixture<GuardedCluster>
{
    /// <summary>Method and address; the role that it takes, null for none; an address and a body to try it with.</summary>
    private static readonly (string Route, TokenRole? Needed, string Path, string? Body)[] _routes =
    [
        ("GET /", null, "/", null),
        ("GET /assets/{name}", null, "/assets/nothing.js", null),
        ("GET /events", TokenRole.Read, "/events", null),
        ("GET /access", TokenRole.Read, "/access", null),
        ("POST /", TokenRole.Read, "/", """{"command":"query","query":"SELECT 1"}"""),
        ("POST /query", TokenRole.Read, "/query", """{"command":"query","query":"SELECT 1"}"""),
        ("POST /transactions", TokenRole.Read, "/transactions", "{}"),
        ("POST /transactions/{id}", TokenRole.Read, "/transactions/none", """{"commit":true}"""),
        ("GET /v2", null, "/v2", null),
        ("POST /v2/pipeline", TokenRole.Read, "/v2/pipeline", """{"requests":[{"type":"close"}]}"""),
        ("GET /v3", null, "/v3", null),
        ("POST /v3/pipeline", TokenRole.Read, "/v3/pipeline", """{"requests":[{"type":"close"}]}"""),
        ("POST /v3/cursor", TokenRole.Read, "/v3/cursor", """{"batch":{"steps":[]}}"""),
        ("GET /db/{database}/v2", null, "/db/main/v2", null),
        ("POST /db/{database}/v2/pipeline", TokenRole.Read, "/db/main/v2/pipeline", """{"requests":[{"type":"close"}]}"""),
        ("GET /db/{database}/v3", null, "/db/main/v3", null),
        ("POST /db/{database}/v3/pipeline", TokenRole.Read, "/db/main/v3/pipeline", """{"requests":[{"type":"close"}]}"""),
        ("POST /db/{database}/v3/cursor", TokenRole.Read, "/db/main/v3/cursor", """{"batch":{"steps":[]}}"""),
        ("GET /history", TokenRole.Read, "/history", null),
        ("GET /changes", TokenRole.Read, "/changes", null),
        ("GET /databases", TokenRole.Read, "/databases", null),
        ("GET /backup", TokenRole.Admin, "/backup", null),
        ("GET /backup/{database}", TokenRole.Admin, "/backup/main", null),
        ("POST /restore/{database}", TokenRole.Admin, "/restore/-no-name", "no file"),
        ("GET /openapi/v1.json", null, "/openapi/v1.json", null),
        ("GET /metrics", TokenRole.Read, "/metrics", null),
        ("GET /status", TokenRole.Read, "/status", null),
        ("GET /cluster", TokenRole.Read, "/cluster", null),
        ("GET /health/live", null, "/health/live", null),
        ("GET /health/ready", null, "/health/ready", null),
        ("GET /log-level", TokenRole.Read, "/log-level", null),
        ("PUT /log-level", TokenRole.Admin, "/log-level", """{"level":"information"}"""),
        ("GET /cluster/members", TokenRole.Read, "/cluster/members", null),
        ("POST /cluster/members", TokenRole.Admin, "/cluster/members", """{"id":99,"address":"http://127.0.0.1:1"}"""),
        ("DELETE /cluster/members/{id:int}", TokenRole.Admin, "/cluster/members/99", null),
        ("POST /cluster/promote", TokenRole.Admin, "/cluster/promote", """{"id":99}"""),
        ("POST /cluster/verify", TokenRole.Admin, "/cluster/verify", "{}"),
        ("GET /tokens", TokenRole.Admin, "/tokens", null),
        ("POST /tokens", TokenRole.Admin, "/tokens", """{"name":"-","role":"read"}"""),
        ("DELETE /tokens/{name}", TokenRole.Admin, "/tokens/nobody", null),
        ("POST /tokens/init", null, "/tokens/init", ""),
    ];

    /// <summary>What takes more than its route: whose role does not do is told so, and nothing happens.</summary>
    public static TheoryData<string, TokenRole> Commands => new()
    {
        { """{"command":"query","query":"SELECT * FROM t"}""", TokenRole.Read },
        { """{"command":"search","table":"t"}""", TokenRole.Read },
        { """{"command":"query","query":"WITH x AS (SELECT 1) SELECT * FROM x /* INSERT */"}""", TokenRole.Read },
        { """{"command":"exec","query":"INSERT INTO t VALUES (1)"}""", TokenRole.Write },
        { """{"command":"query","query":"INSERT INTO t VALUES (1) RETURNING a"}""", TokenRole.Write },
        { """{"command":"query","query":"/* SELECT */ WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x RETURNING a"}""", TokenRole.Write },
        { """{"command":"query","query":"-- SELECT\n DELETE FROM t"}""", TokenRole.Write },
        { """{"command":"exec","transaction":[{"query":"SELECT 1"}]}""", TokenRole.Write },
        { """{"command":"exec","transaction":[{"query":"SELECT 1"},{"query":"UPDATE t SET a = 1"}]}""", TokenRole.Write },
        { """{"command":"insert","table":"t","data":{"a":1}}""", TokenRole.Write },
        { """{"command":"update","table":"t","data":{"a":1},"all":true}""", TokenRole.Write },
        { """{"command":"delete","table":"t","all":true}""", TokenRole.Write },
        { """{"command":"exec","query":"CREATE TABLE IF NOT EXISTS u (a)"}""", TokenRole.Schema },
        { """{"command":"query","query":"CREATE TABLE IF NOT EXISTS u (a)"}""", TokenRole.Schema },
        { """{"command":"exec","query":"/* INSERT */ CREATE INDEX IF NOT EXISTS i ON t (a)"}""", TokenRole.Schema },
        { """{"command":"exec","query":"ANALYZE"}""", TokenRole.Schema },
        { """{"command":"exec","transaction":[{"query":"INSERT INTO t VALUES (1)"},{"query":"DROP TABLE IF EXISTS u"}]}""", TokenRole.Schema },
        { """{"command":"create_table","table":"u","columns":{"a":"int"},"if_not_exists":true}""", TokenRole.Schema },
        { """{"command":"drop_table","table":"u","if_exists":true}""", TokenRole.Schema },
        { """{"command":"exec","query":"CREATE DATABASE IF NOT EXISTS d"}""", TokenRole.Admin },
        { """{"command":"query","query":"CREATE DATABASE IF NOT EXISTS d"}""", TokenRole.Admin },
        { """{"command":"create_db","database":"d","if_not_exists":true}""", TokenRole.Admin },
        { """{"command":"drop_db","database":"d","if_exists":true}""", TokenRole.Admin },
        { """{"command":"exec","query":"DROP DATABASE IF EXISTS d"}""", TokenRole.Admin },
    };

    [Fact]
    public async Task Every_route_says_who_may_use_it_and_is_tried_here()
    {
        var folder = Directory.CreateTempSubdirectory("distdb-routes-");
        try
        {
            await using var app = NodeHost.Build(TestSettings.In(folder.FullName));
            var routes = ((IEndpointRouteBuilder)app).DataSources.SelectMany(d => d.Endpoints).OfType<RouteEndpoint>().ToList();
            routes.Should().OnlyContain(r => r.Metadata.GetMetadata<AccessRule>() != null, "a route without a rule is closed to everybody");
            var rules = routes.SelectMany(r => r.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(method =>
                ($"{method} /{r.RoutePattern.RawText!.Trim('/')}", r.Metadata.GetMetadata<AccessRule>()!.Needed)));
            rules.Should().BeEquivalentTo(_routes.Select(r => (r.Route, r.Needed)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Every_route_refuses_those_whom_it_must()
    {
        foreach (var (route, needed, path, body) in _routes)
        {
            foreach (var (client, token, role) in guarded.Clients)
            {
                foreach (var node in guarded.Cluster.Nodes)
                {
                    var answer = await SendAsync(node, new(route[..route.IndexOf(' ', StringComparison.Ordinal)]), path, body, token);
                    var what = $"{route} for {client} at node {node.Id}: {answer.Text}";
                    if (needed is null || role >= needed)
                    {
                        answer.Status.Should().NotBe(401, what).And.NotBe(403, what);
                    }
                    else
                    {
                        answer.Status.Should().Be(role is null ? 401 : 403, what);
                        answer.Code.Should().Be(role is null ? "unauthorized" : "forbidden", what);
                        answer.Detail.Should().Contain("Nothing was done").And.NotContain(token ?? "no token");
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_command_takes_its_role(string body, TokenRole needed)
    {
        foreach (var (client, token, role) in guarded.Clients)
        {
            // The master, and another.
            foreach (var node in guarded.Cluster.Nodes.Take(2))
            {
                var answer = await SendAsync(node, HttpMethod.Post, "/query", body, token);
                if (role is null)
                {
                    answer.Code.Should().Be("unauthorized", $"for {client}: {answer.Text}");
                }
                else if (role < needed)
                {
                    answer.Code.Should().Be("forbidden", $"for {client}: {answer.Text}");
                    answer.Status.Should().Be(403);
                    answer.Detail.Should().Contain("takes a token with the role");
                }
                else if (needed >= TokenRole.Schema && node.Id > 0)
                {
                    answer.Code.Should().Be("not_master", $"for {client}: {answer.Text}");
                }
                else
                {
                    answer.IsOk.Should().BeTrue($"for {client}: {answer.Text}");
                }
            }
        }
    }

    [Fact]
    public async Task A_client_that_is_not_known_is_told_how_to_be()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = guarded.Cluster[1].Address };
        foreach (var header in (string?[])[null, "Bearer wrong", "Basic YTpi", "nonsense", "Bearer " + new string('x', 5000)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/status");
            if (header is not null)
            {
                request.Headers.TryAddWithoutValidation("Authorization", header);
            }

            using var response = await http.SendAsync(request);
            ((int)response.StatusCode).Should().Be(401);
            response.Headers.WwwAuthenticate.Should().ContainSingle().Which.Scheme.Should().Be("Bearer");
        }
    }

    [Fact]
    public async Task What_is_no_route_is_found_missing_by_anybody()
    {
        (await guarded.Cluster[1].GetAsync("/nowhere")).Code.Should().Be("not_found");
        (await guarded.Cluster[1].DeleteAsync("/status")).Code.Should().Be("method_not_allowed");
        (await guarded.Cluster[1].GetAsync("/STATUS")).Code.Should().Be("unauthorized", "the same route in other letters");
        (await guarded.Cluster[1].GetAsync("/status/")).Code.Should().Be("unauthorized");
        (await guarded.Cluster[1].GetAsync("/health/../status")).Code.Should().Be("unauthorized");
        (await guarded.Cluster[1].GetAsync("/health/%2e%2e/status")).Status.Should().NotBe(200);
    }

    [Fact]
    public async Task A_token_of_some_databases_is_of_no_use_in_others()
    {
        var token = guarded.Limited;
        var (here, there) = (guarded.Cluster[0], guarded.Cluster[2]);
        foreach (var node in (TestNode[])[here, there])
        {
            (await SendAsync(node, HttpMethod.Post, "/query", """{"command":"query","query":"SELECT 1","database":"shop"}""", token)).IsOk.Should().BeTrue();
            (await SendAsync(node, HttpMethod.Post, "/query", """{"command":"insert","table":"t","data":{"a":1},"database":"SHOP"}""", token)).IsOk.Should().BeTrue();
            foreach (var body in (string[])
            [
                """{"command":"query","query":"SELECT * FROM t"}""",
                """{"command":"query","query":"SELECT * FROM t","database":"main"}""",
                """{"command":"exec","query":"INSERT INTO t VALUES (1)","database":"other"}""",
                """{"command":"search","table":"t","database":"main"}""",
                """{"command":"insert","table":"t","data":{"a":1}}""",
                """{"command":"create_db","database":"shop"}""",
                """{"command":"query","query":"SELECT * FROM queries","database":"history_query"}""",
                """{"command":"query","query":"SELECT 1","database":"nowhere"}""",
            ])
            {
                var answer = await SendAsync(node, HttpMethod.Post, "/query", body, token);
                answer.Code.Should().Be("forbidden", $"{body}: {answer.Text}");
            }

            (await SendAsync(node, HttpMethod.Get, "/history", null, token)).Code.Should().Be("forbidden", "it tells of all databases");
            var list = await SendAsync(node, HttpMethod.Get, "/databases", null, token);
            list.Json.GetProperty("databases").EnumerateArray().Select(d => d.GetProperty("name").GetString()).Should().Equal("shop");

            foreach (var sql in (string[])
            [
                "SELECT * FROM main.t2", "ATTACH 'main.db' AS m", "SELECT * FROM _distdb_tokens", "SELECT * FROM main._distdb_tokens",
                "SELECT hex(hash) FROM _DISTDB_TOKENS", "SELECT * FROM pragma_table_info('_distdb_tokens') JOIN _distdb_tokens", "VACUUM INTO '/tmp/distdb-stolen.db'",
            ])
            {
                var answer = await SendAsync(
                    node, HttpMethod.Post, "/query", System.Text.Json.JsonSerializer.Serialize(new { command = "query", query = sql, database = "shop" }), token);
                answer.IsOk.Should().BeFalse($"{sql}: {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task The_history_names_the_token_of_a_write()
    {
        var here = guarded.Cluster[2];
        const string Statement = "INSERT INTO t VALUES (4711)";
        (await SendAsync(here, HttpMethod.Post, "/query", $$"""{"command":"exec","query":"{{Statement}}","database":"shop"}""", guarded.Limited)).IsOk.Should().BeTrue();
        var history = await SendAsync(here, HttpMethod.Get, "/history?objects&contains=4711", null, GuardedCluster.Admin);
        var row = history.Json.GetProperty("rows").EnumerateArray().Should().ContainSingle(history.Text).Which;
        row.GetProperty("query").GetString().Should().Be(Statement);
        row.GetProperty("token").GetString().Should().Be("limited");
    }

    [Fact]
    public async Task Tokens_themselves_are_neither_listed_nor_stored_nor_logged()
    {
        var list = await SendAsync(guarded.Cluster[2], HttpMethod.Get, "/tokens", null, GuardedCluster.Admin);
        list.IsOk.Should().BeTrue(list.Text);
        list.Json.GetProperty("tokens").EnumerateArray().Select(t => t.GetProperty("name").GetString()).Should().Contain(["initial", "read", "limited"]);
        list.Text.Should().NotContain("hash");
        var secrets = guarded.Clients.Select(c => c.Token).Append(guarded.Limited).OfType<string>().Distinct().ToList();
        foreach (var secret in secrets)
        {
            list.Text.Should().NotContain(secret);
            guarded.Cluster.Logs.Should().NotContain(secret);
            // The lock's file is empty, and nobody else may open it.
            foreach (var file in guarded.Cluster.Files.Where(f => Path.GetFileName(f) != "node.lock"))
            {
                var bytes = await ReadSharedAsync(file);
                bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(secret)).Should().Be(-1, $"{file} must not hold a token");
            }
        }
    }

    [Theory]
    [InlineData("""{"name":"","role":"read"}""", "name")]
    [InlineData("""{"name":"a b","role":"read"}""", "name")]
    [InlineData("""{"name":"../x","role":"read"}""", "name")]
    [InlineData("""{"role":"read"}""", "name")]
    [InlineData("""{"name":null,"role":"read"}""", "name")]
    [InlineData("""{"name":"x"}""", "role")]
    [InlineData("""{"name":"x","role":null}""", "role")]
    [InlineData("""{"name":"x","role":"root"}""", "role")]
    [InlineData("""{"name":"x","role":"Admin"}""", "role")]
    [InlineData("""{"name":"x","role":"read","databases":[]}""", "databases")]
    [InlineData("""{"name":"x","role":"read","databases":[null]}""", "databases")]
    [InlineData("""{"name":"x","role":"read","databases":["../main"]}""", "databases")]
    [InlineData("""{"name":"x","role":"read","databases":["a,b"]}""", "databases")]
    [InlineData("""{"name":"x","role":"admin","databases":["main"]}""", "databases")]
    [InlineData("""{"name":"x","role":"read","expires_in_s":0}""", "expires_in_s")]
    [InlineData("""{"name":"x","role":"read","expires_in_s":-1}""", "expires_in_s")]
    [InlineData("""{"name":"x","role":"read","expires_in_s":9223372036854775807}""", "expires_in_s")]
    [InlineData("""{"name":"x","role":"read","expires_in_s":1.5}""", "expires_in_s")]
    [InlineData("""{"name":"x","role":"read","token":"mine"}""", "token")]
    [InlineData("[]", "JSON")]
    [InlineData("", "JSON")]
    public async Task A_token_that_cannot_be_is_refused(string body, string named)
    {
        var answer = await SendAsync(guarded.Cluster[1], HttpMethod.Post, "/tokens", body, GuardedCluster.Admin);
        answer.Code.Should().Be("bad_request", answer.Text);
        answer.Detail.Should().Contain(named).And.Contain("Nothing was done");
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var bytes = new MemoryStream();
        await file.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    [Fact]
    public async Task Whoever_follows_changes_is_told_nothing_more_once_his_token_is_revoked()
    {
        var token = (await SendAsync(guarded.Cluster.Master, HttpMethod.Post, "/tokens", """{"name":"follower","role":"read","databases":["shop"]}""", GuardedCluster.Admin)).Json.GetProperty("token").GetString();
        var node = guarded.Cluster[1];
        await guarded.Cluster.WaitUntilAsync("the node knows the token", async () => (await SendAsync(node, HttpMethod.Get, "/access", null, token)).IsOk);
        (await SendAsync(node, HttpMethod.Get, "/changes?database=other", null, token)).Status.Should().Be(403);
        using var stream = await EventStream.OpenAsync(node.Address, "/changes?database=shop", token: token);
        (await stream.NextAsync())!.Value.Name.Should().Be("start");

        // The node hears of it in the log, before what is written afterwards.
        (await SendAsync(guarded.Cluster.Master, HttpMethod.Delete, "/tokens/follower", null, GuardedCluster.Admin)).IsOk.Should().BeTrue();
        (await SendAsync(guarded.Cluster.Master, HttpMethod.Post, "/query", """{"command":"exec","database":"shop","query":"INSERT INTO t VALUES ('secret')"}""", GuardedCluster.Admin)).IsOk.Should().BeTrue();
        (await stream.NextAsync().WaitAsync(TimeSpan.FromSeconds(60))).Should().BeNull("the stream has ended");
    }

    private static Task<Answer> SendAsync(TestNode node, HttpMethod method, string path, string? body, string? token) => node.SendAsync(new(method, path)
    {
        Content = body is null ? null : new StringContent(body),
        Headers = { Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token) },
    });
}
