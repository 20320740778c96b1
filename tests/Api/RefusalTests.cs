using System.Text;
using System.Text.Json;

namespace DistDb.Tests.Api;

/// <summary>Everything that must not be done: each with its status and code, without a trace, and without harm.</summary>
[Collection(nameof(ApiTests))]
public sealed class RefusalTests(ApiCluster api)
{
    /// <summary>Bodies that are wrong whatever the statement would do.</summary>
    public static TheoryData<string, string> BadBodies => new()
    {
        { "", "empty" },
        { "   ", "empty" },
        { "{", "JSON" },
        { "hello", "JSON" },
        { "{'command':'query','query':'SELECT 1'}", "JSON" },
        { """{"command":"query","query":"SELECT 1",}""", "JSON" },
        { """{"command":"query","query":"SELECT 1"} {}""", "JSON" },
        { """{"command":"query","query":"SELECT 1"} x""", "JSON" },
        { """{"command":"query","query":"SELECT 1" /* why */}""", "JSON" },
        { "[]", "object" },
        { "null", "object" },
        { "\"SELECT 1\"", "object" },
        { "command=query&query=SELECT+1", "JSON" },
        { "{}", "command" },
        { """{"query":"SELECT 1"}""", "command" },
        { """{"command":null,"query":"SELECT 1"}""", "command" },
        { """{"command":1,"query":"SELECT 1"}""", "command" },
        { """{"command":"delete_everything","query":"SELECT 1"}""", "delete_everything" },
        { """{"command":"","query":"SELECT 1"}""", "command" },
        { """{"command":"query"}""", "query" },
        { """{"command":"query","query":null}""", "query" },
        { """{"command":"query","query":7}""", "query" },
        { """{"command":"query","query":["SELECT 1"]}""", "query" },
        { """{"command":"query","query":{"sql":"SELECT 1"}}""", "query" },
        { """{"command":"query","query":"SELECT 1","params":"x"}""", "params" },
        { """{"command":"query","query":"SELECT 1","params":5}""", "params" },
        { """{"command":"query","query":"SELECT ?","params":[[1]]}""", "params[0]" },
        { """{"command":"query","query":"SELECT ?","params":[{}]}""", "params[0]" },
        { """{"command":"query","query":"SELECT ?","params":[{"base64":"***"}]}""", "base64" },
        { """{"command":"query","query":"SELECT ?","params":[{"base64":5}]}""", "params[0]" },
        { """{"command":"query","query":"SELECT ?","params":[{"base64":"AA==","x":1}]}""", "params[0]" },
        { """{"command":"query","query":"SELECT ?","params":[{"hex":"00"}]}""", "params[0]" },
        { """{"command":"query","query":"SELECT ?","params":[9223372036854775808]}""", "64 bits" },
        { """{"command":"query","query":"SELECT ?","params":[-9223372036854775809]}""", "64 bits" },
        { """{"command":"query","query":"SELECT :a","params":{"a":1,":a":2}}""", "twice" },
        { """{"command":"query","query":"SELECT ?","params":[NaN]}""", "JSON" },
        { """{"command":"query","query":"SELECT ?","params":[Infinity]}""", "JSON" },
        { """{"command":"query","query":"SELECT ?","params":[01]}""", "JSON" },
        { """{"command":"query","query":"SELECT 1","quary":"x"}""", "quary" },
        { """{"command":"query","query":"SELECT 1","Query":"x"}""", "Query" },
        { """{"command":"query","query":"SELECT 1","a\u0000b":1}""", "Unknown field" },
        { """{"command":"query","query":"SELECT 1","query":"SELECT 2"}""", "twice" },
        { """{"command":"query","query":"SELECT 1","qu\u0065ry":"SELECT 2"}""", "twice" },
        { """{"command":"query","query":"SELECT 1","params":[],"params":[1]}""", "twice" },
        { """{"command":"query","query":"SELECT 1","database":5}""", "database" },
        { """{"command":"query","query":"SELECT 1","id":5}""", "id" },
        { """{"command":"exec","query":"DELETE FROM t","id":""}""", "id" },
        { """{"command":"query","query":"SELECT 1","is_master":"yes"}""", "is_master" },
        { """{"command":"query","query":"SELECT 1","is_replicated":1}""", "is_replicated" },
        { """{"command":"query","query":"SELECT 1","consistency":"eventual"}""", "eventual" },
        { """{"command":"query","query":"SELECT 1","consistency":1}""", "consistency" },
        { """{"command":"query","query":"SELECT 1","min_index":-1}""", "min_index" },
        { """{"command":"query","query":"SELECT 1","min_index":"5"}""", "min_index" },
        { """{"command":"query","query":"SELECT 1","min_index":1.5}""", "min_index" },
        { """{"command":"query","query":"SELECT 1","min_index":99999999999999999999}""", "min_index" },
        { """{"command":"query","query":"SELECT '\ud800'"}""", "Unicode" },
        { """{"command":"query","query":"SELECT ?","params":["\udc00\ud800"]}""", "Unicode" },
        { """{"command":"query","query":"SELECT :a","params":{"\ud800":1}}""", "Unicode" },
        { """{"command":"query","\ud800":1}""", "Unicode" },
        { """{"command":"query","query":"SELECT '\x41'"}""", "JSON" },
        { "{\"command\":\"query\",\"query\":\"SELECT 1\n\"}", "JSON" },
        { """{"command":"exec","transaction":[]}""", "empty" },
        { """{"command":"exec","transaction":{}}""", "transaction" },
        { """{"command":"exec","transaction":null}""", "transaction" },
        { """{"command":"exec","transaction":["DELETE FROM t"]}""", "transaction[0]" },
        { """{"command":"exec","transaction":[{"params":[1]}]}""", "transaction[0].query" },
        { """{"command":"exec","transaction":[{"query":"DELETE FROM t"},{"query":"DELETE FROM t","query":"DELETE FROM t"}]}""", "transaction[1].query" },
        { """{"command":"exec","transaction":[{"query":"DELETE FROM t","id":"x"}]}""", "transaction[0].id" },
        { """{"command":"exec","transaction":[{"query":"DELETE FROM t"}],"query":"DELETE FROM t"}""", "transaction" },
        { """{"command":"exec","transaction":[{"query":"DELETE FROM t"}],"params":[]}""", "transaction" },
        { """{"command":"query","transaction":[{"query":"SELECT 1"}]}""", "exec" },
        { """{"command":"exec","transaction":[{"query":"DELETE FROM t"},{"query":"CREATE DATABASE x"}]}""", "transaction[1]" },
        { """{"command":"insert","table":"t","data":[{"a":7},{"b":7}]}""", "data[1]" },
        { """{"command":"update","table":"t","data":{"a":7}}""", "all" },
        { """{"command":"delete","table":"t"}""", "all" },
        { """{"command":"delete","table":"t","condition":{"id":1},"limit":1}""", "limit" },
        { """{"command":"create_table","table":"x","columns":{"a":"int); DROP TABLE t; --"}}""", "columns.a" },
    };

    /// <summary>Statements that no node does for a client, with the command to send them with, and what the detail must name.</summary>
    public static TheoryData<string, string, int, string, string> BadStatements
    {
        get
        {
            var data = new TheoryData<string, string, int, string, string>();
            foreach (var command in (string[])["exec", "query"])
            {
                foreach (var sql in (string[])["", " ", ";", "-- nothing", "/* nothing", "/* nothing */ ; -- at all"])
                {
                    data.Add(command, sql, 400, "bad_request", "no statement");
                }

                data.Add(command, "INSERT INTO t (a) VALUES (10); INSERT INTO t (a) VALUES (11)", 400, "bad_request", "more than one");
                data.Add(command, "SELECT 1; DELETE FROM t", 400, "bad_request", "more than one");
                data.Add(command, "SELECT 1; nonsense", 400, "bad_request", "more than one");
                data.Add(command, "nonsense", 400, "sql_error", "syntax error");
                data.Add(command, "DELETE FROM t WHERE", 400, "sql_error", "incomplete");
                data.Add(command, "DELETE FROM nobody", 400, "sql_error", "no such table: nobody");
                data.Add(command, "INSERT INTO t (missing) VALUES (1)", 400, "sql_error", "no column named missing");
                data.Add(command, "INSERT INTO t (a) VALUES (abs(-9223372036854775808))", 400, "sql_error", "integer overflow");
                data.Add(command, "INSERT INTO t (a, b) VALUES (3, 'bad')", 409, "constraint", "CHECK");
                data.Add(command, "INSERT INTO t (a) VALUES (1)", 409, "constraint", "t.a");
                data.Add(command, "INSERT INTO t (a, c) VALUES (4, NULL)", 409, "constraint", "t.c");
                data.Add(command, "INSERT INTO child VALUES (99)", 409, "constraint", "FOREIGN KEY");
                data.Add(command, "UPDATE t SET id = 'text'", 400, "sql_error", "mismatch");
                data.Add(command, "BEGIN", 403, "forbidden", "transaction");
                data.Add(command, "COMMIT", 403, "forbidden", "transaction");
                data.Add(command, "ROLLBACK", 403, "forbidden", "transaction");
                data.Add(command, "END", 403, "forbidden", "transaction");
                data.Add(command, "SAVEPOINT s", 403, "forbidden", "transaction");
                data.Add(command, "RELEASE s", 403, "forbidden", "transaction");
                data.Add(command, "RELEASE write", 403, "forbidden", "transaction");
                data.Add(command, "ROLLBACK TO write", 403, "forbidden", "transaction");
                data.Add(command, "VACUUM", 403, "forbidden", "VACUUM");
                data.Add(command, "VACUUM INTO 'vacuumed.db'", 403, "forbidden", "VACUUM");
                data.Add(command, "ATTACH 'attached.db' AS other", 403, "forbidden", "ATTACH");
                data.Add(command, "DETACH main", 403, "forbidden", "DETACH");
                data.Add(command, "PRAGMA journal_mode = DELETE", 403, "forbidden", "journal_mode");
                data.Add(command, "PRAGMA foreign_keys = OFF", 403, "forbidden", "foreign_keys");
                data.Add(command, "PRAGMA writable_schema = ON", 403, "forbidden", "writable_schema");
                data.Add(command, "PRAGMA user_version = 7", 403, "forbidden", "user_version");
                data.Add(command, "PRAGMA wal_checkpoint", 403, "forbidden", "wal_checkpoint");
                data.Add(command, "DELETE FROM sqlite_master", 400, "sql_error", "sqlite_master");
                data.Add(command, "CREATE TEMP TABLE x (a)", 403, "forbidden", "emporary");
                data.Add(command, "CREATE TABLE temp.x (a)", 403, "forbidden", "emporary");
                data.Add(command, "CREATE TEMP VIEW x AS SELECT 1", 403, "forbidden", "emporary");
                data.Add(command, "SELECT load_extension('x')", 403, "forbidden", "load_extension");
                data.Add(command, "INSERT INTO t (a) VALUES (load_extension('x'))", 403, "forbidden", "load_extension");
                data.Add(command, "INSERT INTO t (a) SELECT total_changes()", 403, "forbidden", "total_changes");
                data.Add(command, "SELECT * FROM _distdb_state", 403, "forbidden", "_distdb_");
                data.Add(command, "UPDATE _distdb_state SET applied_index = 0", 403, "forbidden", "_distdb_");
                data.Add(command, "DELETE FROM _DISTDB_STATE", 403, "forbidden", "_distdb_");
                data.Add(command, "INSERT INTO t (a) SELECT applied_index FROM _distdb_state", 403, "forbidden", "_distdb_");
                data.Add(command, "CREATE TABLE _distdb_mine (a)", 403, "forbidden", "_distdb_");
                data.Add(command, "DROP TABLE _distdb_state", 403, "forbidden", "_distdb_");
                data.Add(command, "ALTER TABLE t RENAME TO _distdb_t", 403, "forbidden", "_distdb_");
                data.Add(command, "INSERT INTO t (id, a) VALUES (9223372036854775807, 5)", 403, "forbidden", "9223372036854775807");
                data.Add(command, "CREATE DATABASE", 400, "bad_request", "name is missing");
                data.Add(command, "CREATE DATABASE other; DELETE FROM t", 400, "bad_request", "more behind");
                data.Add(command, "DROP DATABASE main", 403, "forbidden", "cannot be dropped");
            }

            data.Add("exec", "SELECT 1", 400, "bad_request", "query");
            data.Add("exec", "EXPLAIN DELETE FROM t", 403, "forbidden", "query");
            data.Add("exec", "PRAGMA table_info(t)", 403, "forbidden", "query");
            data.Add("query", "SELECT * FROM nobody", 400, "sql_error", "no such table: nobody");
            data.Add("query", "SELECT missing FROM t", 400, "sql_error", "no such column: missing");
            return data;
        }
    }

    /// <summary>Schema changes in every disguise.</summary>
    public static TheoryData<string> SchemaStatements =>
    [
        "CREATE TABLE x (a)",
        "create table x (a)",
        "CREATE TABLE IF NOT EXISTS t (a)",
        "CREATE TABLE x AS SELECT * FROM t",
        "CREATE TABLE x AS WITH y AS (SELECT 1) SELECT * FROM y",
        "/* only */ -- a\n CREATE TABLE x (a)",
        ";;CREATE TABLE x (a);",
        "CREATE INDEX x ON t (b)",
        "CREATE UNIQUE INDEX x ON t (b)",
        "CREATE VIEW x AS SELECT 1",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END",
        "CREATE VIRTUAL TABLE x USING fts5(a)",
        "DROP TABLE t",
        "DROP TABLE IF EXISTS nobody",
        "DROP INDEX IF EXISTS nobody",
        "ALTER TABLE t ADD COLUMN d",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE t DROP COLUMN b",
        "REINDEX",
        "ANALYZE",
    ];

    [Theory]
    [MemberData(nameof(BadBodies))]
    public async Task A_body_that_makes_no_sense(string body, string named)
    {
        var answer = await api.ShouldRefuseAsync(() => api.Cluster[1].PostAsync(body), 400, "bad_request");
        answer.Detail.Should().Contain(named);
    }

    [Theory]
    [MemberData(nameof(BadStatements))]
    public async Task A_statement_that_cannot_be_done(string command, string sql, int status, string code, string named)
    {
        var node = api.Cluster[IsSchema(sql) ? 0 : 1 + (sql.Length % 2)];
        var answer = await api.ShouldRefuseAsync(
            () => command == "exec" ? node.ExecAsync(sql) : node.QueryAsync(sql), status, code, $"{command} {sql}");
        answer.Detail.Should().Contain(named);
        api.Cluster.Files.Should().NotContain(f => Path.GetFileName(f) == "vacuumed.db" || Path.GetFileName(f) == "attached.db", "no statement makes files");
    }

    [Theory]
    [MemberData(nameof(SchemaStatements))]
    public async Task A_schema_change_anywhere_but_at_the_master(string sql)
    {
        var master = api.Cluster.Master.Address.GetLeftPart(UriPartial.Authority);
        foreach (var node in api.Cluster.Nodes.Skip(1))
        {
            var quoted = JsonSerializer.Serialize(sql);
            foreach (var body in (string[])
                [
                    $$"""{"command":"exec","query":{{quoted}}}""",
                    $$"""{"command":"query","query":{{quoted}}}""",
                    $$"""{"command":"exec","transaction":[{"query":"INSERT INTO t (a) VALUES (77)"},{"query":{{quoted}}}]}""",
                ])
            {
                var answer = await api.ShouldRefuseAsync(() => node.PostAsync(body), 403, "not_master", body);
                answer.Json.GetProperty("master").GetString().Should().Be(master);
                answer.Detail.Should().Contain(master);
            }
        }
    }

    [Theory]
    [InlineData("is_master")]
    [InlineData("is_replicated")]
    public async Task A_client_that_claims_a_peers_rights(string flag)
    {
        foreach (var node in api.Cluster.Nodes)
        {
            var answer = await api.ShouldRefuseAsync(
                () => node.PostAsync($$"""{"command":"exec","query":"CREATE TABLE x (a)","{{flag}}":true}"""), 403, "privileged_flag");
            answer.Detail.Should().Contain(flag);
        }
    }

    [Theory]
    [InlineData("SELECT ?", "[]", "1 parameters")]
    [InlineData("SELECT ?", "[1,2]", "2 values")]
    [InlineData("SELECT 1", "[1]", "0 parameters")]
    [InlineData("SELECT 1", """{"a":1}""", "\"a\"")]
    [InlineData("SELECT :a", "{}", ":a")]
    [InlineData("SELECT :a", """{"b":1}""", ":a")]
    [InlineData("SELECT :a", """{"a":1,"b":2}""", "\"b\"")]
    [InlineData("SELECT ?", """{"a":1}""", "array")]
    [InlineData("INSERT INTO t (a, b) VALUES (?, ?)", "[1]", "2 parameters")]
    [InlineData("INSERT INTO t (a) VALUES (:a)", """{"A":1}""", ":a")]
    public async Task Parameters_that_do_not_fit(string sql, string parameters, string named)
    {
        foreach (var command in (string[])["query", "exec"])
        {
            if (command == "query" || sql.StartsWith("INSERT", StringComparison.Ordinal))
            {
                var answer = await api.ShouldRefuseAsync(
                    () => api.Cluster[2].PostAsync($$"""{"command":"{{command}}","query":"{{sql}}","params":{{parameters}}}"""), 400, "bad_request");
                answer.Detail.Should().Contain(named);
            }
        }
    }

    [Theory]
    [InlineData("other")]
    [InlineData("")]
    [InlineData("../main")]
    [InlineData("main2")]
    public async Task A_database_that_does_not_exist(string database)
    {
        var answer = await api.ShouldRefuseAsync(
            () => api.Cluster[1].PostAsync($$"""{"command":"query","query":"SELECT 1","database":"{{database}}"}"""), 404, "no_such_database");
        answer.Detail.Should().Contain($"\"{database}\"");
    }

    [Fact]
    public async Task Bytes_that_are_no_text()
    {
        byte[][] bodies =
        [
            [.. "{\"command\":\"query\",\"query\":\"SELECT '"u8, 0xff, .. "'\"}"u8],
            [.. "{\"command\":\"query\",\"query\":\"SELECT ?\",\"params\":[\""u8, 0xc0, 0x80, .. "\"]}"u8],
            [.. "{\"command\":\"query\",\"query\":\"SELECT ?\",\"params\":[\""u8, 0xed, 0xa0, 0x80, .. "\"]}"u8],
            [.. "{\"command\":\"query\",\"q"u8, 0xff, .. "\":1}"u8],
            [0xff, 0xfe, .. Encoding.Unicode.GetBytes("{}")],
            [0, 1, 2, 3],
        ];
        foreach (var body in bodies)
        {
            await api.ShouldRefuseAsync(() => api.Cluster[1].PostAsync(body), 400, "bad_request", Convert.ToHexString(body));
        }
    }

    [Fact]
    public async Task Nesting_without_end()
    {
        const int Depth = 100_000;
        foreach (var depth in (int[])[20, Depth])
        {
            var body = """{"command":"query","query":"SELECT ?","params":""" + new string('[', depth) + new string(']', depth) + "}";
            await api.ShouldRefuseAsync(() => api.Cluster[1].PostAsync(body), 400, "bad_request", $"{depth} brackets");
        }

        var sql = "SELECT " + new string('(', Depth) + "1" + new string(')', Depth);
        await api.ShouldRefuseAsync(() => api.Cluster[1].QueryAsync(sql), 400, "sql_error", "parentheses");
        await api.ShouldRefuseAsync(() => api.Cluster[1].ExecAsync("INSERT INTO t (a) " + sql), 400, "sql_error", "parentheses in a write");
    }

    [Fact]
    public async Task An_id_that_is_too_long()
    {
        var answer = await api.ShouldRefuseAsync(
            () => api.Cluster[1].ExecOnceAsync(new string('k', 10_000), "DELETE FROM t"), 400, "bad_request");
        answer.Detail.Should().Contain("id");
    }

    private static bool IsSchema(string sql) =>
        sql.StartsWith("CREATE", StringComparison.Ordinal) || sql.StartsWith("ALTER", StringComparison.Ordinal) || sql.StartsWith("DROP", StringComparison.Ordinal);
}
