using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DistDb.Tests.Support;

namespace DistDb.Tests.Fuzz;

/// <summary>Sends a cluster of real processes whatever the seed says, and checks every answer, and in the end that the cluster is well.</summary>
internal sealed class FuzzRun : IDisposable
{
    /// <summary>How long raw bytes wait for an answer that may never be due.</summary>
    private static readonly TimeSpan _rawPatience = TimeSpan.FromMilliseconds(300);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TestCluster _cluster;
    private readonly FuzzOptions _options;
    private readonly AnswerCheck _check;
    private readonly HttpClient[] _http;
    private readonly ConcurrentDictionary<string, int> _answers = new();
    private readonly ConcurrentQueue<string> _findings = new();
    private int _next;

    private FuzzRun(TestCluster cluster, FuzzOptions options)
    {
        _cluster = cluster;
        _options = options;
        _check = new(cluster.Folder, AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        _http = [.. cluster.Nodes.Select(n => new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = n.Address, Timeout = _patience })];
    }

    /// <param name="options">What is sent.</param>
    /// <param name="progress">Takes a line now and then.</param>
    public static async Task<FuzzReport> RunAsync(FuzzOptions options, Action<string> progress)
    {
        // Generated queries may take for ever; and comparing replicas is what the end is for.
        await using var cluster = await TestCluster.StartAsync(FuzzRequests.NodeCount - 1, "--timeout", "2s", "--verify-every", "0");
        using var run = new FuzzRun(cluster, options);
        var report = await run.RunAsync(progress);
        if (!report.IsClean)
        {
            cluster.KeepsFiles = true;
            var path = Path.Combine(cluster.Folder, "nodes.log");
            await File.WriteAllTextAsync(path, cluster.Logs);
            progress($"The nodes' files and {path} are kept.");
        }

        return report;
    }

    public void Dispose()
    {
        foreach (var http in _http)
        {
            http.Dispose();
        }
    }

    private async Task<FuzzReport> RunAsync(Action<string> progress)
    {
        foreach (var sql in FuzzSql.Setup)
        {
            Write(await _cluster.Master.ExecAsync(sql));
        }

        await Task.WhenAll(Enumerable.Range(0, _options.LaneCount).Select(_ => Task.Run(() => SendAllAsync(progress))));
        try
        {
            await CheckClusterAsync();
        }
        catch (Exception e) when (e is TimeoutException or HttpRequestException or InvalidOperationException or Xunit.Sdk.XunitException)
        {
            _findings.Enqueue($"In the end: {e.Message}");
        }

        return new(_options.Seed, Math.Min(_next, _options.Count), _answers.ToDictionary(), [.. _findings]);
    }

    private async Task SendAllAsync(Action<string> progress)
    {
        const int ProgressEvery = 5000;
        int position;
        while ((position = Interlocked.Increment(ref _next) - 1) < _options.Count)
        {
            var request = FuzzRequests.At(_options.Seed, _options.First + position);
            var finding = request.IsRaw ? await SendRawAsync(request) : await SendAsync(request);
            if (finding is not null)
            {
                _findings.Enqueue($"request {_options.First + position}: {finding}\n    {request}");
            }

            if (_cluster.Nodes.FirstOrDefault(n => !n.IsRunning) is { } dead)
            {
                // The others under way are in the report too, should they be the culprits.
                _findings.Enqueue($"node {dead.Id} has ended while request {_options.First + position} was under way\n    {request}\n{dead.Current()}");
                return;
            }

            if ((position + 1) % ProgressEvery == 0)
            {
                progress($"{position + 1} sent, {_findings.Count} findings");
            }
        }
    }

    private async Task<string?> SendAsync(FuzzRequest request)
    {
        using var message = new HttpRequestMessage(new(request.Method!), new Uri(_http[request.Node].BaseAddress!.GetLeftPart(UriPartial.Authority) + request.Path)) { Content = new ByteArrayContent(request.Body) };
        if (request.Accept is not null)
        {
            message.Headers.TryAddWithoutValidation("Accept", request.Accept);
        }

        HttpResponseMessage response;
        try
        {
            response = await _http[request.Node].SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return $"there was no answer: {e.Message}";
        }

        using (response)
        {
            byte[] body;
            try
            {
                body = await response.Content.ReadAsByteArrayAsync();
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // What an error in the midst of a long result looks like.
                Count("cut off");
                return response.StatusCode == HttpStatusCode.OK ? null : $"the answer broke off: {e.Message}";
            }

            if (request.Method == "HEAD")
            {
                Count("head");
                return (int)response.StatusCode is 200 or 400 or 404 or 405 ? null : $"its status is {response.StatusCode}";
            }

            var wrong = _check.Judge((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, body, out var code);
            Count(code);
            return wrong is null ? null : $"{wrong}: {(int)response.StatusCode} {Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 1000)))}";
        }
    }

    private async Task<string?> SendRawAsync(FuzzRequest request)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var received = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, _http[request.Node].BaseAddress!.Port);
            await socket.SendAsync(request.Body, SocketFlags.None);
            using var patience = new CancellationTokenSource(_rawPatience);
            int count;
            while ((count = await socket.ReceiveAsync(buffer, SocketFlags.None, patience.Token)) > 0)
            {
                received.Write(buffer, 0, count);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // Closed by the node, or it waits for more.
        }

        if (received.Length == 0)
        {
            Count("raw: none");
            return null;
        }

        // The web server answers broken HTTP by itself, with a status and no body. Whatever else it is, its first line says whether it is a defect.
        var text = Encoding.Latin1.GetString(received.ToArray());
        var line = text.Split("\r\n", 2)[0];
        var isHttp = line.StartsWith("HTTP/1.", StringComparison.Ordinal) && line.Length > 12;
        Count(isHttp ? $"raw: {line.AsSpan(9, 3)}" : "raw: other");
        return isHttp && line[9] == '5' && line.Substring(9, 3) is not "505" ? $"it was answered {text}"
            : text.Contains("   at ", StringComparison.Ordinal) || text.Contains(_cluster.Folder, StringComparison.Ordinal) ? $"it was told {text}"
            : null;
    }

    private void Count(string answer) => _answers.AddOrUpdate(answer, 1, (_, count) => count + 1);

    private async Task CheckClusterAsync()
    {
        foreach (var node in _cluster.Nodes)
        {
            foreach (var line in node.Current().Split('\n').Where(line => line.Contains(" fail: ", StringComparison.Ordinal) || line.Contains(" crit: ", StringComparison.Ordinal)).Take(3))
            {
                _findings.Enqueue($"node {node.Id} logged: {line}");
            }
        }

        // A fuzzed request may have made another node the master.
        await _cluster.WaitUntilAsync("node 0 is the master", async () => (await _cluster[1].PostAsync("/cluster/promote", """{"id":0}""")).IsOk);
        Write(await _cluster.Master.ExecAsync("CREATE TABLE fuzz_end(node)"));
        foreach (var node in _cluster.Nodes)
        {
            Write(await node.ExecAsync("INSERT INTO fuzz_end VALUES (?)", node.Id));
        }

        foreach (var node in _cluster.Nodes)
        {
            var read = await node.StrongQueryAsync("SELECT count(*) FROM fuzz_end");
            if (!read.IsOk || read.Rows != "[[3]]")
            {
                _findings.Enqueue($"In the end node {node.Id} reads {read.Text}");
            }

            if (node.QuarantineFiles.Any())
            {
                _findings.Enqueue($"node {node.Id} put a bad database aside");
            }
        }

        await _cluster.ConvergeAsync();
        var verified = await _cluster[2].VerifyAsync(repair: false);
        if (!verified.IsOk || verified.Json.GetProperty("outcome").GetString() != "equal")
        {
            _findings.Enqueue($"The replicas differ: {verified.Text}");
        }
    }

    private void Write(Answer answer)
    {
        if (!answer.IsOk)
        {
            _findings.Enqueue($"A write that must succeed is answered {answer.Text}");
        }
    }
}
