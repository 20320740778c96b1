using System.Text;
using System.Text.Json;

namespace DistDb.Tests.Api;

/// <summary>Hrana over HTTP and the transactions of the native API, as their clients meet them; the clients themselves are tried by tests/clients.sh.</summary>
public sealed class HranaTests(ApiCluster api) : IClassFixture<ApiCluster>
{
    private static readonly HttpClient _http = new();

    [Fact]
    public async Task Values_and_errors_are_as_hrana_has_them()
    {
        var answer = await PipelineAsync(1, """
            {"requests":[
            {"type":"execute","stmt":{"sql":"SELECT ?, typeof(?2), ?3, ?4, ?5 ; -- end","args":[{"type":"integer","value":"9223372036854775807"},{"type":"float","value":1},{"type":"text","value":""},{"type":"blob","base64":"AQI"},{"type":"null"}]}},
            {"type":"execute","stmt":{"sql":"SELECT 9e999"}},
            {"type":"execute","stmt":{"sql":"SELECT :a, @b, $c","named_args":[{"name":"a","value":{"type":"integer","value":"1"}},{"name":"@b","value":{"type":"integer","value":2}},{"name":"$c","value":{"type":"null"}}]}},
            {"type":"execute","stmt":{"sql":"INSERT INTO t (a) VALUES (1)"}},
            {"type":"execute","stmt":{"sql":" -- nothing"}},
            {"type":"execute","stmt":{"sql":"SELECT 1; SELECT 2"}},
            {"type":"execute","stmt":{"sql":"SELECT ?"}},
            {"type":"execute","stmt":{"sql":"SELECT * FROM nowhere"}},
            {"type":"execute","stmt":{"sql":"CREATE TABLE no (a)"}},
            {"type":"execute","stmt":{"sql":"COMMIT"}},
            {"type":"close"},
            {"type":"get_autocommit"}]}
            """);
        var results = answer.GetProperty("results");
        results[0].GetProperty("response").GetProperty("result").GetProperty("rows")[0].GetRawText().Should().Be(
            """[{"type":"integer","value":"9223372036854775807"},{"type":"text","value":"real"},{"type":"text","value":""},{"type":"blob","base64":"AQI"},{"type":"null"}]""");
        results[1].GetProperty("response").GetProperty("result").GetProperty("rows")[0].GetRawText().Should().Be("""[{"type":"float","value":null}]""");
        results[2].GetProperty("type").GetString().Should().Be("ok");
        Codes(results).Should().Equal(
            null, null, null, "SQLITE_CONSTRAINT", "SQL_NO_STATEMENT", "SQL_MANY_STATEMENTS", "ARGS_INVALID", "SQLITE_ERROR", "not_master", "SQLITE_ERROR", null, "STREAM_CLOSED");
        results[3].GetProperty("error").GetProperty("extended_code").GetString().Should().Be("SQLITE_CONSTRAINT_UNIQUE");
        answer.GetProperty("baton").ValueKind.Should().Be(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_stream_is_served_by_every_node_and_its_batons_are_good_once()
    {
        var first = await PipelineAsync(1, """{"requests":[{"type":"execute","stmt":{"sql":"BEGIN IMMEDIATE"}},{"type":"execute","stmt":{"sql":"INSERT INTO t (id, a) VALUES (500, 'five hundred')"}}]}""");
        var baton = first.GetProperty("baton").GetString();
        var second = await PipelineAsync(2, $$$"""{"baton":"{{{baton}}}","requests":[{"type":"execute","stmt":{"sql":"SELECT a FROM t WHERE id = 500"}},{"type":"get_autocommit"}]}""");
        second.GetProperty("results")[0].GetRawText().Should().Contain("five hundred");
        second.GetProperty("results")[1].GetProperty("response").GetProperty("is_autocommit").GetBoolean().Should().BeFalse();
        (await SendAsync(0, "/v2/pipeline", $$$"""{"baton":"{{{baton}}}","requests":[]}""")).Should().Match<(int Status, string Type, string Text)>(a => a.Status == 400 && a.Type == "application/json" && a.Text.Contains("STREAM_EXPIRED"));
        var forged = second.GetProperty("baton").GetString()!;
        forged = (forged[0] == 'A' ? 'B' : 'A') + forged[1..];
        (await SendAsync(1, "/v2/pipeline", $$$"""{"baton":"{{{forged}}}","requests":[]}""")).Status.Should().Be(400);
        await PipelineAsync(0, $$$"""{"baton":"{{{second.GetProperty("baton").GetString()}}}","requests":[{"type":"close"}]}""");
        (await api.Cluster.Master.QueryAsync("SELECT count(*) FROM t WHERE id = 500")).Json.GetProperty("rows")[0][0].GetInt32().Should().Be(0, "closing rolls back");
    }

    [Fact]
    public async Task A_batch_has_conditions_and_comes_line_by_line_from_a_cursor()
    {
        var answer = await PipelineAsync(2, """
            {"requests":[{"type":"store_sql","sql_id":1,"sql":"SELECT 7 AS seven"},{"type":"batch","batch":{"steps":[
            {"stmt":{"sql_id":1}},{"condition":{"type":"error","step":0},"stmt":{"sql":"SELECT 8"}},{"condition":{"type":"and","conds":[{"type":"ok","step":0},{"type":"not","cond":{"type":"ok","step":1}},{"type":"is_autocommit"}]},"stmt":{"sql":"SELECT 9"}},
            {"condition":{"type":"or","conds":[]},"stmt":{"sql":"SELECT 10"}},{"stmt":{"sql":"SELECT absent"}}]}},{"type":"describe","sql":"SELECT id, b AS x FROM t WHERE a = ?2"},{"type":"close_sql","sql_id":1},{"type":"close"}]}
            """);
        var batch = answer.GetProperty("results")[1].GetProperty("response").GetProperty("result");
        batch.GetProperty("step_results").EnumerateArray().Select(r => r.ValueKind).Should().Equal(
            JsonValueKind.Object, JsonValueKind.Null, JsonValueKind.Object, JsonValueKind.Null, JsonValueKind.Null);
        batch.GetProperty("step_errors")[4].GetProperty("message").GetString().Should().Be("no such column: absent");
        var description = answer.GetProperty("results")[2].GetProperty("response").GetProperty("result");
        description.GetProperty("params").GetArrayLength().Should().Be(2);
        description.GetProperty("cols")[0].GetProperty("decltype").GetString().Should().Be("INTEGER");
        (await SendAsync(0, "/v3/pipeline", """{"requests":[{"type":"batch","batch":{"steps":[{"condition":{"type":"ok","step":0},"stmt":{"sql":"SELECT 1"}}]}}]}""")).Status.Should().Be(400);
        (await SendAsync(0, "/v3-protobuf", "")).Status.Should().Be(404);
        (await SendAsync(0, "/db/nowhere/v3/pipeline", """{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}}]}""")).Text.Should().Contain("no_such_database");
        var (_, type, lines) = await SendAsync(1, "/db/main/v3/cursor", """{"batch":{"steps":[{"stmt":{"sql":"SELECT 1 UNION SELECT 2"}},{"stmt":{"sql":"nonsense"}}]}}""");
        type.Should().Be("application/x-ndjson");
        lines.TrimEnd().Split('\n').Skip(1).Select(l => JsonDocument.Parse(l).RootElement.GetProperty("type").GetString()).Should().Equal("step_begin", "row", "row", "step_end", "step_error");
    }

    [Fact]
    public async Task A_batch_that_comes_whole_is_one_entry()
    {
        var before = (await api.Cluster.Master.StatusAsync())!.Value;
        var answer = await PipelineAsync(1, """
            {"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"BEGIN DEFERRED"}},{"condition":{"type":"ok","step":0},"stmt":{"sql":"INSERT INTO t (id, a) VALUES (600, 600)"}},
            {"condition":{"type":"ok","step":1},"stmt":{"sql":"DELETE FROM t WHERE id = 600 RETURNING a"}},{"condition":{"type":"ok","step":2},"stmt":{"sql":"COMMIT"}},{"condition":{"type":"not","cond":{"type":"ok","step":3}},"stmt":{"sql":"ROLLBACK"}}]}},{"type":"close"}]}
            """);
        answer.GetRawText().Should().Contain("\"value\":\"600\"").And.NotContain("\"error\"");
        var failed = await PipelineAsync(1, """
            {"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"BEGIN IMMEDIATE"}},{"condition":{"type":"ok","step":0},"stmt":{"sql":"INSERT INTO t (id, a) VALUES (601, 601)"}},
            {"condition":{"type":"ok","step":1},"stmt":{"sql":"INSERT INTO t (id, a) VALUES (602, 601)"}},{"condition":{"type":"ok","step":2},"stmt":{"sql":"COMMIT"}},{"condition":{"type":"not","cond":{"type":"ok","step":3}},"stmt":{"sql":"ROLLBACK"}}]}},{"type":"close"}]}
            """);
        var batch = failed.GetProperty("results")[0].GetProperty("response").GetProperty("result");
        batch.GetProperty("step_results").EnumerateArray().Select(r => r.ValueKind == JsonValueKind.Object).Should().Equal(true, true, false, false, true);
        batch.GetProperty("step_errors")[2].GetProperty("code").GetString().Should().Be("SQLITE_CONSTRAINT");
        await api.Cluster.ConvergeAsync();
        (await api.Cluster.Master.StatusAsync())!.Value.GetProperty("applied_index").GetInt64().Should().Be(before.GetProperty("applied_index").GetInt64() + 1);
    }

    [Fact]
    public async Task The_native_api_has_the_same()
    {
        var begun = JsonDocument.Parse((await SendAsync(1, "/transactions", """{"mode":"immediate"}""")).Text).RootElement;
        var path = $"/transactions/{begun.GetProperty("id").GetString()}";
        var (status, _, text) = await SendAsync(2, path, """{"statements":[{"query":"INSERT INTO t (id, a) VALUES (?, ?)","params":[700,"seven"]},{"query":"SELECT a FROM t WHERE id = 700"}]}""");
        status.Should().Be(200, text);
        text.Should().Contain("\"seven\"").And.Contain("\"state\":\"open\"");
        (status, _, text) = await SendAsync(1, path, """{"statements":[{"query":"INSERT INTO t (id) VALUES (701)"},{"query":"INSERT INTO t (id) VALUES (700)"}],"commit":true}""");
        status.Should().Be(409);
        text.Should().Contain("\"state\":\"open\"").And.Contain("\"statement\":1");
        using (var handedOn = await _http.PostAsync(new Uri(api.Cluster.Nodes[2].Address, path), new StringContent("""{"statements":[{"query":"SELECT 1"}]}""")))
        {
            handedOn.Headers.GetValues("X-DistDb-Node").Should().Equal("1");
            handedOn.Headers.Contains("X-DistDb-Index").Should().BeTrue();
        }

        (status, _, text) = await SendAsync(0, path, """{"commit":true}""");
        text.Should().Contain("\"state\":\"committed\"");
        (await SendAsync(2, path, """{"commit":true}""")).Text.Should().Contain("\"state\":\"committed\"", "its answer may have been lost");
        (await SendAsync(1, path, """{"statements":[{"query":"SELECT 1"}]}""")).Status.Should().Be(404);
        (await api.Cluster.Master.QueryAsync("SELECT count(*) FROM t WHERE id IN (700, 701)")).Json.GetProperty("rows")[0][0].GetInt32().Should().Be(2);
        (await SendAsync(1, "/transactions/none", """{"commit":true}""")).Should().Match<(int Status, string Type, string Text)>(a => a.Status == 404 && a.Text.Contains("no_such_transaction"));
        (await SendAsync(1, "/transactions", """{"mode":"wild"}""")).Status.Should().Be(400);
        (await SendAsync(1, path, """{"commit":true,"also":1}""")).Status.Should().Be(400);
    }

    private static IEnumerable<string?> Codes(JsonElement results) =>
        results.EnumerateArray().Select(r => r.TryGetProperty("error", out var error) ? error.GetProperty("code").GetString() : null);

    private async Task<JsonElement> PipelineAsync(int node, string body)
    {
        var (status, type, text) = await SendAsync(node, "/v2/pipeline", body);
        status.Should().Be(200, text);
        type.Should().Be("application/json");
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<(int Status, string Type, string Text)> SendAsync(int node, string path, string body)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        using var response = await _http.PostAsync(new Uri(api.Cluster.Nodes[node].Address, path), content);
        return ((int)response.StatusCode, response.Content.Headers.ContentType?.ToString() ?? "", await response.Content.ReadAsStringAsync());
    }
}
