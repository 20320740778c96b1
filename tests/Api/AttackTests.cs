using System.Net.Sockets;
using System.Text;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>What those try who mean no good, at a node that asks for no token: pages of other sites, bombs, slowness, names that lead elsewhere.</summary>
[Collection(nameof(ApiTests))]
public sealed class AttackTests(ApiCluster api)
{
    private const string Insert = """{"command":"exec","query":"CREATE TABLE stolen (a)"}""";

    private TestNode Node => api.Cluster.Master;

    [Theory]
    [InlineData("http://evil.example", null)]
    [InlineData("http://evil.example:8080", null)]
    [InlineData("null", null)]
    [InlineData("file://", null)]
    [InlineData("http://localhost", null)]
    [InlineData("http://localhost.evil.example", null)]
    [InlineData("http://evil.example", "evil.example")]
    [InlineData(null, "evil.example")]
    [InlineData(null, "evil.example:8080")]
    [InlineData(null, "localhost.evil.example")]
    [InlineData(null, "127.0.0.1.evil.example")]
    [InlineData(null, "10.0.0.1")]
    public async Task A_page_of_another_site_may_do_nothing(string? origin, string? host)
    {
        foreach (var (method, path, body) in ((string, string, string?)[])
            [("POST", "/query", Insert), ("POST", "/", Insert), ("POST", "/tokens/init", ""), ("GET", "/databases", null), ("POST", "/cluster/verify", "{}")])
        {
            var answer = await SendAsync(method, path, body, origin, host);
            answer.Status.Should().Be(403, $"{method} {path}: {answer.Text}");
            answer.Code.Should().Be("forbidden");
            answer.Detail.Should().Contain("Nothing was done");
        }

        (await Node.QueryAsync("SELECT count(*) FROM sqlite_schema WHERE name = 'stolen'")).Rows.Should().Be("[[0]]");
        (await Node.GetAsync("/tokens")).Json.GetProperty("tokens").GetArrayLength().Should().Be(0);
    }

    [Fact]
    public async Task Pages_of_the_cluster_and_programs_may()
    {
        var port = Node.Address.Port;
        var other = api.Cluster[1].Address;
        foreach (var (origin, host) in ((string?, string?)[])
        [
            (null, null), ($"http://localhost:{port}", $"localhost:{port}"), ($"http://127.0.0.1:{port}", $"127.0.0.1:{port}"),
            ($"http://[::1]:{port}", $"[::1]:{port}"), (other.GetLeftPart(UriPartial.Authority), null), (null, $"db.localhost:{port}"), (null, "LOCALHOST"),
        ])
        {
            var answer = await SendAsync("POST", "/query", """{"command":"query","query":"SELECT 1"}""", origin, host);
            answer.IsOk.Should().BeTrue($"{origin}, {host}: {answer.Text}");
        }
    }

    [Fact]
    public async Task Answers_say_what_browsers_and_caches_must_not_do_and_not_who_made_them()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Node.Address };
        foreach (var path in (string[])["/", "/status", "/history", "/health/live", "/openapi/v1.json", "/nowhere", "/query"])
        {
            using var response = await http.GetAsync(new Uri(path, UriKind.Relative));
            response.Headers.GetValues("X-Content-Type-Options").Should().Equal("nosniff");
            response.Headers.CacheControl!.NoStore.Should().BeTrue(path);
            response.Headers.Server.Should().BeEmpty();
            response.Headers.Contains("X-Powered-By").Should().BeFalse();
            response.Headers.Contains("Access-Control-Allow-Origin").Should().BeFalse();
        }
    }

    public static TheoryData<string, string> Bombs => new()
    {
        { "arrays in arrays", new string('[', 1_000_000) },
        { "objects in objects", string.Concat(Enumerable.Repeat("""{"a":""", 200_000)) },
        { "parameters in parameters", $$"""{"command":"query","query":"SELECT ?","params":{{new string('[', 100_000)}}{{new string(']', 100_000)}}}""" },
        { "conditions in conditions", $$"""{"command":"search","table":"t","condition":{{string.Concat(Enumerable.Repeat("""{"a":""", 50_000))}}1{{new string('}', 50_000)}}}""" },
        { "one name many times", $$"""{"command":"query",{{string.Join(',', Enumerable.Repeat("\"query\":\"SELECT 1\"", 100_000))}}}""" },
        { "many parameters", $$"""{"command":"query","query":"SELECT 1","params":[{{string.Join(',', Enumerable.Repeat("1", 200_000))}}]}""" },
        { "a long number", $$"""{"command":"query","query":"SELECT ?","params":[1{{new string('0', 1_000_000)}}]}""" },
        { "parentheses in parentheses", Sql($"SELECT {new string('(', 200_000)}1{new string(')', 200_000)}") },
        { "operators without end", Sql($"SELECT 1{string.Concat(Enumerable.Repeat("+1", 100_000))}") },
        { "selects without end", Sql(string.Join(" UNION ALL ", Enumerable.Repeat("SELECT 1", 50_000))) },
        { "functions in functions", Sql($"SELECT {string.Concat(Enumerable.Repeat("abs(", 50_000))}1{new string(')', 50_000)}") },
        { "queries in queries", Sql($"SELECT * FROM {string.Concat(Enumerable.Repeat("(SELECT * FROM ", 5_000))}t{new string(')', 5_000)}") },
        { "a long pattern", Sql($"SELECT 'a' LIKE '{string.Concat(Enumerable.Repeat("%a", 100_000))}'") },
        { "a value that is too long", Sql("SELECT zeroblob(2000000000)") },
        { "json in json", Sql($"SELECT json('{new string('[', 500_000)}')") },
    };

    [Theory]
    [MemberData(nameof(Bombs))]
    public async Task A_bomb_is_refused_and_harms_nobody(string what, string body)
    {
        var answer = await Node.PostAsync(body);
        answer.Status.Should().BeInRange(400, 499, what);
        answer.Code.Should().BeOneOf("bad_request", "sql_error", "too_large", "timeout", "forbidden");
        (await Node.QueryAsync("SELECT 1")).IsOk.Should().BeTrue();
    }

    [Fact]
    public async Task Headers_without_end_are_refused()
    {
        (await HeadAsync($"GET /status HTTP/1.1\r\nHost: localhost\r\nX: {new string('x', 100_000)}\r\n\r\n")).Should().StartWith("HTTP/1.1 431");
        (await HeadAsync($"GET /status HTTP/1.1\r\nHost: localhost\r\n{string.Concat(Enumerable.Range(0, 1000).Select(i => $"X{i}: x\r\n"))}\r\n")).Should().StartWith("HTTP/1.1 431");
        (await HeadAsync($"GET /{new string('x', 100_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n")).Should().StartWith("HTTP/1.1 414");
        (await HeadAsync("GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")).Should().StartWith("HTTP/1.1 400");
        (await HeadAsync("GET /status HTTP/1.1\r\n\r\n")).Should().StartWith("HTTP/1.1 400");
        (await HeadAsync("POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")).Should().NotStartWith("HTTP/1.1 2");
    }

    [Fact]
    public async Task A_thousand_connections_that_say_nothing_or_half_of_it_lock_nobody_out()
    {
        List<Socket> sockets = [];
        try
        {
            for (var i = 0; i < 1000; i++)
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                sockets.Add(socket);
                await socket.ConnectAsync("127.0.0.1", Node.Address.Port);
                if (i % 2 == 0)
                {
                    await socket.SendAsync("POST /query HTTP/1.1\r\nHost: localhost\r\nContent-"u8.ToArray());
                }
            }

            (await Node.QueryAsync("SELECT 1")).IsOk.Should().BeTrue();
            (await Node.GetAsync("/status")).IsOk.Should().BeTrue();
            await api.Cluster.WaitUntilAsync("who has sent half a head is hung up on", () =>
                sockets.Where((_, i) => i % 2 == 0).All(s => s.Poll(0, SelectMode.SelectRead)));
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
        }
    }

    [Theory]
    [InlineData("../main")]
    [InlineData("..%2fmain")]
    [InlineData("/etc/passwd")]
    [InlineData("a/b")]
    [InlineData("a\\\\b")]
    [InlineData("a\\u0000b")]
    [InlineData("..")]
    [InlineData("main.db")]
    [InlineData("file:main?mode=memory")]
    [InlineData(":memory:")]
    [InlineData("")]
    public async Task A_name_leads_nowhere_else(string name)
    {
        foreach (var body in (string[])
        [
            $$"""{"command":"query","query":"SELECT 1","database":"{{name}}"}""",
            $$"""{"command":"exec","query":"CREATE TABLE x (a)","database":"{{name}}"}""",
            $$"""{"command":"create_db","database":"{{name}}"}""",
            $$"""{"command":"drop_db","database":"{{name}}","if_exists":true}""",
        ])
        {
            var before = api.Cluster.Files.Where(f => f.EndsWith(".db", StringComparison.Ordinal)).ToList();
            var answer = await Node.PostAsync(body);
            answer.Code.Should().BeOneOf(["bad_request", "no_such_database"], $"{body}: {answer.Text}");
            api.Cluster.Files.Where(f => f.EndsWith(".db", StringComparison.Ordinal)).Should().BeEquivalentTo(before);
        }
    }

    [Theory]
    [InlineData("ATTACH '/tmp/distdb-attack.db' AS a")]
    [InlineData("ATTACH 'databases/history_query.db' AS a")]
    [InlineData("DETACH main")]
    [InlineData("VACUUM INTO '/tmp/distdb-attack.db'")]
    [InlineData("SELECT writefile('/tmp/distdb-attack.db', 'x')")]
    [InlineData("SELECT readfile('/etc/passwd')")]
    [InlineData("SELECT load_extension('/tmp/x')")]
    [InlineData("SELECT * FROM fsdir('/')")]
    [InlineData("SELECT fts3_tokenizer('simple', x'0000000000000000')")]
    [InlineData("PRAGMA writable_schema = ON")]
    [InlineData("PRAGMA temp_store_directory = '/tmp'")]
    [InlineData("PRAGMA journal_mode = DELETE")]
    [InlineData("PRAGMA synchronous = OFF")]
    [InlineData("PRAGMA main.user_version = 7")]
    [InlineData("INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'CREATE TABLE x (a)')")]
    [InlineData("UPDATE sqlite_schema SET sql = ''")]
    [InlineData("SELECT * FROM _distdb_state")]
    [InlineData("SELECT * FROM \"_distdb_tokens\"")]
    [InlineData("SELECT * FROM [_DistDb_Tokens]")]
    [InlineData("WITH t AS (SELECT * FROM main._distdb_tokens) SELECT * FROM t")]
    [InlineData("DELETE FROM _distdb_requests")]
    [InlineData("DROP TABLE _distdb_databases")]
    [InlineData("ALTER TABLE _distdb_state RENAME TO mine")]
    [InlineData("CREATE TRIGGER x AFTER INSERT ON _distdb_state BEGIN SELECT 1; END")]
    [InlineData("CREATE TABLE _distdb_mine (a)")]
    [InlineData("CREATE INDEX _distdb_mine ON t (a)")]
    [InlineData("CREATE TEMP TABLE x (a)")]
    [InlineData("CREATE VIRTUAL TABLE x USING dbstat")]
    [InlineData("INSERT INTO t (a) SELECT pageno FROM dbstat")]
    [InlineData("SELECT * FROM sqlite_dbpage")]
    [InlineData("CREATE VIRTUAL TABLE x USING csv(filename='/etc/passwd')")]
    [InlineData("BEGIN EXCLUSIVE")]
    [InlineData("SAVEPOINT write")]
    public async Task A_statement_stays_in_its_database(string sql)
    {
        foreach (var command in (string[])["query", "exec"])
        {
            var answer = await Node.PostAsync(Sql(sql, command));
            answer.IsOk.Should().BeFalse($"{command}: {answer.Text}");
            answer.Status.Should().BeInRange(400, 403, answer.Text);
            answer.Text.Should().NotContain(api.Cluster.Folder, "no path of the machine gets out").And.NotContain("   at ");
        }

        File.Exists("/tmp/distdb-attack.db").Should().BeFalse();
    }

    [Fact]
    public async Task A_view_opens_nothing_that_is_closed()
    {
        (await Node.ExecAsync("CREATE VIEW peephole AS SELECT * FROM _distdb_tokens")).IsOk.Should().BeTrue("SQLite looks at what it names when it is used");
        foreach (var answer in (Answer[])[await Node.QueryAsync("SELECT * FROM peephole"), await Node.ExecAsync("INSERT INTO t (a) SELECT name FROM peephole")])
        {
            answer.Code.Should().Be("forbidden", answer.Text);
        }

        (await Node.ExecAsync("DROP VIEW peephole")).IsOk.Should().BeTrue();
    }

    [Fact]
    public async Task What_was_asked_is_not_in_the_nodes_output()
    {
        (await Node.QueryAsync("SELECT 'marked-4711'")).IsOk.Should().BeTrue();
        (await Node.QueryAsync("SELECT nothing_marked_4711")).IsOk.Should().BeFalse();
        (await Node.ExecAsync("INSERT INTO marked_4711 VALUES (?)", "marked-4711")).IsOk.Should().BeFalse();
        api.Cluster.Logs.Should().NotContain("marked-4711").And.NotContain("marked_4711");
    }

    [Fact]
    public void Files_and_folders_are_their_users_alone()
    {
        var folder = new DirectoryInfo(Node.Folder);
        folder.EnumerateFiles("*", SearchOption.AllDirectories).Where(f => f.Exists)
            .Should().OnlyContain(f => (f.UnixFileMode & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) == 0);
        folder.EnumerateDirectories("*", SearchOption.AllDirectories).Append(folder)
            .Should().OnlyContain(f => f.UnixFileMode == (UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Fact]
    public async Task A_file_whose_body_is_no_http_is_the_senders_fault_and_not_the_disks() =>
        (await HeadAsync($"POST /restore/other HTTP/1.1\r\nHost: localhost:{Node.Address.Port}\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n")).Should().StartWith("HTTP/1.1 400");

    private static string Sql(string sql, string command = "query") =>
        $$"""{"command":"{{command}}","query":{{System.Text.Json.JsonSerializer.Serialize(sql)}}}""";

    private async Task<Answer> SendAsync(string method, string path, string? body, string? origin, string? host)
    {
        var request = new HttpRequestMessage(new(method), path) { Content = body is null ? null : new StringContent(body) };
        request.Headers.Host = host;
        if (origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", origin).Should().BeTrue();
        }

        return await Node.SendAsync(request);
    }

    /// <summary>The first line of the answer to something that is not quite HTTP.</summary>
    private async Task<string> HeadAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Node.Address.Port);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(stream, Encoding.ASCII);
        return await reader.ReadLineAsync() ?? "";
    }
}
