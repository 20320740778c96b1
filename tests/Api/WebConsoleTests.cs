using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using DistDb.Node.Api.WebConsole;

namespace DistDb.Tests.Api;

/// <summary>What browsers get. What they make of it, tests/console.sh tries.</summary>
public sealed partial class WebConsoleTests(ApiCluster api) : IClassFixture<ApiCluster>, IDisposable
{
    private static readonly (string Encoding, Func<Stream, Stream> Decode)[] _decoders =
    [
        ("br", s => new BrotliStream(s, CompressionMode.Decompress)),
        ("gzip", s => new GZipStream(s, CompressionMode.Decompress)),
    ];

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = api.Cluster[1].Address };

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Whoever_does_not_ask_for_a_page_gets_a_few_lines()
    {
        using var response = await SendAsync(HttpMethod.Get, "/");
        response.Content.Headers.ContentType!.MediaType.Should().Be("text/plain");
        (await response.Content.ReadAsStringAsync()).Should().Contain("This is DistDb, node 1").And.Contain("web console");
    }

    [Fact]
    public async Task A_page_may_do_only_what_its_policy_says_and_has_a_nonce_of_its_own()
    {
        if (ConsoleFiles.Index is null)
        {
            // Built without npm.
            return;
        }

        var nonces = new HashSet<string>();
        for (var i = 0; i < 3; i++)
        {
            using var response = await SendAsync(HttpMethod.Get, "/", ("Accept", "text/html,*/*;q=0.8"));
            response.Content.Headers.ContentType!.MediaType.Should().Be("text/html");
            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            policy.Should().Contain("default-src 'none'").And.Contain("frame-ancestors 'none'").And.NotContain("unsafe");
            foreach (var node in api.Cluster.Nodes)
            {
                policy.Should().Contain($"http://127.0.0.1:{node.Address.Port}").And.Contain($"http://localhost:{node.Address.Port}");
            }

            var nonce = Nonce().Match(policy).Groups[1].Value;
            nonces.Add(nonce);
            var page = await response.Content.ReadAsStringAsync();
            page.Should().Contain($"nonce=\"{nonce}\"").And.NotContain("__CSP_NONCE__");
            response.Headers.CacheControl!.NoStore.Should().BeTrue();
        }

        nonces.Should().HaveCount(3);
    }

    [Fact]
    public async Task Its_files_are_sent_compressed_and_kept_for_ever()
    {
        if (ConsoleFiles.Index is not { } index)
        {
            return;
        }

        var script = Script().Match(index).Value;
        using var plain = await SendAsync(HttpMethod.Get, script);
        var content = await plain.Content.ReadAsByteArrayAsync();
        plain.Content.Headers.ContentType!.MediaType.Should().Be("text/javascript");
        plain.Headers.CacheControl!.ToString().Should().Contain("immutable");
        foreach (var (encoding, decode) in _decoders)
        {
            using var response = await SendAsync(HttpMethod.Get, script, ("Accept-Encoding", $"{encoding}, x;q=0"));
            response.Content.Headers.ContentEncoding.Should().Equal(encoding);
            using var decoded = new MemoryStream();
            await using (var stream = decode(await response.Content.ReadAsStreamAsync()))
            {
                await stream.CopyToAsync(decoded);
            }

            decoded.ToArray().Should().Equal(content);
            using var again = await SendAsync(HttpMethod.Get, script, ("Accept-Encoding", encoding), ("If-None-Match", response.Headers.ETag!.ToString()));
            ((int)again.StatusCode).Should().Be(304);
        }
    }

    [Theory]
    [InlineData("/assets/nothing.js")]
    [InlineData("/assets/index.html")]
    [InlineData("/assets/..%2Findex.html")]
    public async Task There_are_no_other_files(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path);
        ((int)response.StatusCode).Should().Be(404);
        response.Content.Headers.ContentType!.MediaType.Should().Be("application/problem+json");
    }

    [Fact]
    public async Task Pages_of_members_may_use_a_node_and_no_others()
    {
        foreach (var member in api.Cluster.Nodes)
        {
            foreach (var host in (string[])["127.0.0.1", "localhost", "[::1]"])
            {
                var origin = $"http://{host}:{member.Address.Port}";
                (await AllowedOriginAsync(HttpMethod.Options, origin)).Should().Be(origin);
                (await AllowedOriginAsync(HttpMethod.Get, origin)).Should().Be(origin);
            }
        }

        foreach (var stranger in (string[])["http://example.com", "null", "http://127.0.0.1", "http://127.0.0.1:1", $"https://127.0.0.1:{api.Cluster[0].Address.Port}"])
        {
            (await AllowedOriginAsync(HttpMethod.Options, stranger)).Should().BeNull(stranger);
            (await AllowedOriginAsync(HttpMethod.Get, stranger)).Should().BeNull(stranger);
        }
    }

    [Fact]
    public async Task Pages_of_members_may_read_what_an_answer_says_in_its_headers()
    {
        // A backup that breaks off is taken anew from a node that the page did not come from.
        using var response = await SendAsync(HttpMethod.Get, "/backup/main", ("Origin", $"http://127.0.0.1:{api.Cluster[0].Address.Port}"));
        ((int)response.StatusCode).Should().Be(200);
        var sent = response.Headers.Concat(response.Content.Headers).Select(h => h.Key);
        string[] read = ["X-DistDb-Index", "X-DistDb-Node", "Repr-Digest", "Content-Disposition"];
        sent.Should().Contain(read);
        ExposedBy(response).Should().Contain(read).And.Contain("Retry-After");

        using var foreign = await SendAsync(HttpMethod.Get, "/status", ("Origin", "http://example.com"));
        ExposedBy(foreign).Should().BeEmpty();
    }

    [Theory]
    [InlineData("http://127.0.0.1:8080", "http://localhost:8080 http://127.0.0.1:8080 http://[::1]:8080")]
    [InlineData("http://10.0.0.7:8080", "http://10.0.0.7:8080")]
    [InlineData("https://db.example.com", "https://db.example.com")]
    [InlineData("", "")]
    public void An_address_stands_for_origins(string address, string origins)
    {
        ClusterOrigins.Of(address).Should().Equal(origins.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Whoever_listens_hears_of_the_cluster_again_and_again()
    {
        using var response = await SendAsync(HttpMethod.Get, "/events");
        response.Content.Headers.ContentType!.MediaType.Should().Be("text/event-stream");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        for (var i = 0; i < 3; i++)
        {
            (await reader.ReadLineAsync()).Should().Be("event: cluster");
            var data = await reader.ReadLineAsync();
            data.Should().StartWith("data: ");
            var cluster = JsonElement.Parse(data!["data: ".Length..]);
            cluster.GetProperty("node").GetInt32().Should().Be(1);
            cluster.GetProperty("nodes").GetArrayLength().Should().Be(3);
            (await reader.ReadLineAsync()).Should().BeEmpty();
        }
    }

    private static IEnumerable<string> ExposedBy(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Access-Control-Expose-Headers", out var names) ? names.SelectMany(n => n.Split(',', StringSplitOptions.TrimEntries)) : [];

    private async Task<string?> AllowedOriginAsync(HttpMethod method, string origin)
    {
        using var response = await SendAsync(method, "/status", ("Origin", origin), ("Access-Control-Request-Method", "GET"));
        return response.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed.Single() : null;
    }

    /// <summary>Returns when the head of the answer is there.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    [GeneratedRegex("'nonce-([^']+)'")]
    private static partial Regex Nonce();

    [GeneratedRegex(@"/assets/index-[\w-]+\.js")]
    private static partial Regex Script();
}
