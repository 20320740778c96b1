using System.Globalization;
using System.Text.Json;
using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Api;

/// <summary>Results that leave the node as they are read, at a node whose memory would not hold them.</summary>
public sealed class LargeResultTests(ITestOutputHelper output) : IAsyncLifetime
{
    /// <summary>What the node's managed heap may grow to; a result of 300 MB and its copies would not fit by far.</summary>
    private const long HeapBytesMax = 160 << 20;

    /// <summary>The same with code, SQLite and everything else.</summary>
    private const long MemoryBytesMax = 320 << 20;

    private const string Numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)";

    private TestCluster _cluster = null!;

    private TestNode Node => _cluster.Master;

    public async Task InitializeAsync()
    {
        var heap = HeapBytesMax.ToString("X", CultureInfo.InvariantCulture);
        _cluster = TestCluster.Create(
            0, _ => ["--timeout", "120s", "--readers", "2"], _ => new Dictionary<string, string> { ["DOTNET_GCHeapHardLimit"] = heap });
        _cluster.StartAll();
        await _cluster.WaitUntilReadyAsync();
    }

    public async Task DisposeAsync()
    {
        output.WriteLine(_cluster.Logs);
        await _cluster.DisposeAsync();
    }

    [Theory]
    [InlineData(1_000_000, 20)]
    [InlineData(300, 1_000_000)]
    public async Task A_result_may_be_larger_than_the_nodes_memory(int rowCount, int textLength)
    {
        using var response = await Node.BeginAsync(Query($"SELECT n, printf('%.*c', {textLength}, 'x') AS t FROM c LIMIT {rowCount}"));
        response.IsSuccessStatusCode.Should().BeTrue();
        var bytes = await DrainAsync(response);
        bytes.Should().BeGreaterThan((long)rowCount * textLength);
        output.WriteLine($"{bytes >> 20} MiB; peak memory {Node.PeakMemoryBytes >> 20} MiB");
        Node.PeakMemoryBytes.Should().BeLessThan(MemoryBytesMax);
    }

    [Fact]
    public async Task A_streamed_answer_is_the_same_json_as_a_small_one()
    {
        var answer = await Node.PostAsync(Query("SELECT n, 'text' AS t FROM c LIMIT 100000"));
        answer.Json.EnumerateObject().Select(p => p.Name).Should().Equal("columns", "types", "rows", "index", "node", "elapsed_ms");
        answer.Json.GetProperty("types").GetRawText().Should().Be("""["INTEGER","TEXT"]""");
        answer.Json.GetProperty("rows").EnumerateArray().Select(r => r[0].GetInt32()).Should().Equal(Enumerable.Range(1, 100_000));

        var request = new HttpRequestMessage(HttpMethod.Post, "/query?objects&pretty") { Content = new StringContent(Query("SELECT n FROM c LIMIT 100000")) };
        var objects = await Node.SendAsync(request);
        objects.Text.Should().Contain("\n    {\n      \"n\": 100000\n    }");
        objects.Json.GetProperty("rows").GetArrayLength().Should().Be(100_000);
    }

    [Fact]
    public async Task Csv_carries_its_index_in_the_headers()
    {
        using var response = await Node.BeginAsync(Query("SELECT n, NULL AS e FROM c LIMIT 100000"), "text/csv");
        response.Content.Headers.ContentType!.MediaType.Should().Be("text/csv");
        response.Headers.GetValues("X-DistDb-Node").Should().Equal("0");
        response.Headers.GetValues("X-DistDb-Index").Should().ContainSingle(i => long.Parse(i, CultureInfo.InvariantCulture) > 0);
        var lines = (await response.Content.ReadAsStringAsync()).Split("\r\n");
        lines.Should().HaveCount(100_002);
        (lines[0], lines[1], lines[100_000], lines[100_001]).Should().Be(("n,e", "1,", "100000,", ""));
    }

    [Fact]
    public async Task An_error_in_the_middle_breaks_the_answer_off()
    {
        using var response = await Node.BeginAsync(Query("SELECT iif(n = 500000, abs(-9223372036854775808), n) FROM c LIMIT 1000000"));
        response.IsSuccessStatusCode.Should().BeTrue("the first rows are on their way");
        await FluentActions.Awaiting(() => DrainAsync(response)).Should().ThrowAsync<Exception>("a part must not look like the whole");
        await _cluster.WaitUntilAsync("the node's log says why", () => Node.Log.Contains("integer overflow", StringComparison.Ordinal));

        var small = await Node.PostAsync(Query("SELECT iif(n = 500, abs(-9223372036854775808), n) FROM c LIMIT 1000"));
        (small.Status, small.Code).Should().Be((400, "sql_error"));
    }

    [Fact]
    public async Task Clients_that_do_not_read_give_the_readers_back_when_their_time_is_over()
    {
        var slow = new List<HttpResponseMessage>();
        for (var i = 0; i < 2; i++)
        {
            slow.Add(await Node.BeginAsync(Query("SELECT n, zeroblob(1000) FROM c", """, "timeout_ms": 2000""")));
        }

        (await Node.QueryAsync("SELECT 1")).IsOk.Should().BeTrue("it waits for its turn");
        foreach (var response in slow)
        {
            await FluentActions.Awaiting(() => DrainAsync(response)).Should().ThrowAsync<Exception>();
            response.Dispose();
        }
    }

    [Fact]
    public async Task Clients_that_go_give_the_readers_back_at_once()
    {
        for (var i = 0; i < 10; i++)
        {
            (await Node.BeginAsync(Query("SELECT n, zeroblob(1000) FROM c"))).Dispose();
        }

        (await Node.QueryAsync("SELECT 1")).IsOk.Should().BeTrue();
    }

    [Fact]
    public async Task More_rows_than_wanted_are_refused_without_any()
    {
        (await Node.PostAsync(Query("SELECT n FROM c LIMIT 20000", """, "max_rows": 20000"""))).Json.GetProperty("rows").GetArrayLength().Should().Be(20_000);
        var answer = await Node.PostAsync(Query("SELECT n FROM c", """, "max_rows": 20000"""));
        (answer.Status, answer.Code).Should().Be((413, "too_large"));
        answer.Detail.Should().Contain("20000").And.Contain("LIMIT");
    }

    [Fact]
    public async Task A_request_may_have_less_time_than_the_node_allows_but_not_more()
    {
        var read = await Node.PostAsync(Query("SELECT count(*) FROM c", """, "timeout_ms": 50"""));
        (read.Status, read.Code).Should().Be((408, "timeout"));
        var write = await Node.PostAsync(Json("exec", $"CREATE TABLE long AS {Numbers} SELECT n FROM c WHERE n < 0", """, "timeout_ms": 50"""));
        (write.Status, write.Code).Should().Be((408, "timeout"));
        foreach (var (field, detail) in ((string, string)[])
            [
                ("\"timeout_ms\": 120001", "--timeout"), ("\"timeout_ms\": 0", "timeout_ms"), ("\"timeout_ms\": \"1\"", "timeout_ms"),
                ("\"max_rows\": 0", "max_rows"), ("\"max_rows\": 1.5", "max_rows"),
            ])
        {
            var answer = await Node.PostAsync(Query("SELECT n FROM c LIMIT 1", ", " + field));
            (answer.Status, answer.Code).Should().Be((400, "bad_request"), field);
            answer.Detail.Should().Contain(detail);
        }

        (await Node.PostAsync(Json("exec", "CREATE TABLE x (a)", """, "max_rows": 1"""))).Code.Should().Be("bad_request");
    }

    private static string Query(string select, string more = "") => Json("query", $"{Numbers} {select}", more);

    private static string Json(string command, string sql, string more) =>
        $$"""{"command": "{{command}}", "query": {{JsonSerializer.Serialize(sql)}}{{more}}}""";

    private static async Task<long> DrainAsync(HttpResponseMessage response)
    {
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1 << 16];
        long total = 0;
        for (int count; (count = await body.ReadAsync(buffer)) > 0; total += count)
        {
        }

        return total;
    }
}
