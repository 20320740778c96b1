using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>Addresses, methods, headers and sizes.</summary>
[Collection(nameof(ApiTests))]
public sealed class HttpTests(ApiCluster api)
{
    /// <summary>The default of <c>--max-body</c>.</summary>
    private const int BodyBytesMax = 16 << 20;

    private TestCluster Cluster => api.Cluster;

    [Theory]
    [InlineData("GET", "/query", 405, "method_not_allowed")]
    [InlineData("PUT", "/query", 405, "method_not_allowed")]
    [InlineData("DELETE", "/query", 405, "method_not_allowed")]
    [InlineData("POST", "/status", 405, "method_not_allowed")]
    [InlineData("POST", "/health/live", 405, "method_not_allowed")]
    [InlineData("DELETE", "/", 405, "method_not_allowed")]
    [InlineData("GET", "/nowhere", 404, "not_found")]
    [InlineData("POST", "/queries", 404, "not_found")]
    [InlineData("GET", "/../etc/passwd", 404, "not_found")]
    [InlineData("GET", "/peer", 400, "bad_request")]
    public async Task A_wrong_address_or_method(string method, string path, int status, string code) =>
        await api.ShouldRefuseAsync(() => Cluster[1].SendAsync(new(new(method), path)), status, code);

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("text/plain; charset=utf-16")]
    [InlineData("multipart/form-data")]
    public async Task Any_content_type_will_do(string contentType)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes("""{"command":"query","query":"SELECT 'ż'"}"""));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        var answer = await Cluster[1].SendAsync(new(HttpMethod.Post, "/query") { Content = content });
        answer.Rows.Should().Be("""[["ż"]]""");
        answer.ContentType.Should().Be("application/json");
    }

    [Fact]
    public async Task Health_status_and_cluster()
    {
        foreach (var node in Cluster.Nodes)
        {
            (await node.GetAsync("/health/live")).Status.Should().Be(200);
            (await node.GetAsync("/health/ready")).Status.Should().Be(200);
            var answer = await node.GetAsync("/status");
            JsonSerializer.Serialize(JsonSerializer.Deserialize(answer.Text, ApiJsonContext.Default.NodeStatus), ApiJsonContext.Default.NodeStatus)
                .Should().Be(answer.Text, "a node writes its own status by a context of its own, and everybody reads it by this one");
            var status = answer.Json;
            status.GetProperty("id").GetInt32().Should().Be(node.Id);
            status.GetProperty("role").GetString().Should().Be(node == Cluster.Master ? "master" : "node");
            status.GetProperty("peers").GetArrayLength().Should().Be(2);
            await Cluster.WaitUntilAsync("all nodes are reachable", async () =>
                (await node.GetAsync("/cluster")).Json.GetProperty("nodes").EnumerateArray().All(n => n.GetProperty("reachable").GetBoolean()));
            (await node.GetAsync("/")).Text.Should().Contain($"node {node.Id}");
        }
    }

    [Fact]
    public async Task A_body_just_below_the_limit_is_stored_everywhere()
    {
        (await Cluster.Master.ExecAsync("CREATE TABLE IF NOT EXISTS big (v)")).IsOk.Should().BeTrue();
        foreach (var node in Cluster.Nodes)
        {
            var body = Body(BodyBytesMax, $"big {node.Id}");
            body.Length.Should().Be(BodyBytesMax);

            // On a slow machine the client's time may be over first; with its id it is done once.
            await Cluster.WaitUntilAsync("it is stored", async () =>
            {
                var answer = await node.PostAsync(body);
                answer.Code.Should().BeOneOf(null, "timeout", "outcome_unknown", "no_quorum");
                return answer.IsOk;
            }, TimeSpan.FromMinutes(3));
        }

        await Cluster.ConvergeAsync();
        foreach (var node in Cluster.Nodes)
        {
            (await node.QueryAsync("SELECT count(*), min(length(v)) > 16000000 FROM big")).Rows.Should().Be("[[3,1]]");
        }

        // And it comes back.
        (await Cluster[1].QueryAsync("SELECT v FROM big LIMIT 1")).Scalar.GetString()!.Length.Should().BeGreaterThan(16_000_000);
        (await Cluster.Master.ExecAsync("DROP TABLE big")).IsOk.Should().BeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_beyond_the_limit(bool isChunked)
    {
        var answer = await api.ShouldRefuseAsync(
            async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, "/query") { Content = new ByteArrayContent(Body(BodyBytesMax + 1, "too big")) };
                request.Headers.TransferEncodingChunked = isChunked;
                request.Headers.ExpectContinue = true;
                return await Cluster[1].SendAsync(request);
            },
            413,
            "too_large");
        answer.Detail.Should().Contain("--max-body");
    }

    [Fact]
    public async Task Too_many_statements_in_one_transaction()
    {
        var statements = string.Join(',', Enumerable.Repeat("""{"query":"SELECT 1"}""", 10_001));
        await api.ShouldRefuseAsync(() => Cluster[1].PostAsync($$"""{"command":"exec","transaction":[{{statements}}]}"""), 413, "too_large");
    }

    [Fact]
    public async Task A_row_that_is_too_large()
    {
        var answer = await api.ShouldRefuseAsync(() => Cluster[1].QueryAsync("SELECT zeroblob(50000000), zeroblob(50000000)"), 413, "too_large");
        answer.Detail.Should().Contain("--max-result").And.Contain("substr()");
    }

    /// <summary>An insert whose body has that many bytes.</summary>
    private static byte[] Body(int bytes, string id)
    {
        var head = Encoding.UTF8.GetBytes($$"""{"command":"exec","id":"{{id}}","query":"INSERT INTO big VALUES (?)","params":[" """);
        var tail = Encoding.UTF8.GetBytes("\"]}");
        return [.. head, .. Enumerable.Repeat((byte)'x', bytes - head.Length - tail.Length), .. tail];
    }
}
