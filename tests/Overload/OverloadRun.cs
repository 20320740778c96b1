using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Overload;

/// <summary>Many connections, each of which sends one write after the other without a pause, whatever it is answered; then what was promised is checked.</summary>
internal static class OverloadRun
{
    /// <param name="options">How much.</param>
    /// <param name="log">Takes the nodes' logs in the end.</param>
    public static async Task<OverloadReport> RunAsync(OverloadOptions options, Action<string> log)
    {
        await using var cluster = await TestCluster.StartAsync(2, [.. options.NodeOptions]);
        try
        {
            return await RunAsync(cluster, options);
        }
        finally
        {
            log(cluster.Logs);
        }
    }

    private static async Task<OverloadReport> RunAsync(TestCluster cluster, OverloadOptions options)
    {
        (await cluster.Master.ExecAsync("CREATE TABLE load (connection INTEGER, sequence INTEGER, text TEXT)")).IsOk.Should().BeTrue();
        await cluster.ConvergeAsync();
        var writes = new ConcurrentQueue<(long Key, string Code)>();
        var text = new string('x', options.WriteBytes);
        using var stop = new CancellationTokenSource(options.Duration);
        await Task.WhenAll(Enumerable.Range(0, options.ConnectionCount).Select(i => Task.Run(() =>
            SendAsync(cluster.Nodes[i % cluster.Nodes.Count].Address, i, text, writes, stop.Token))));

        var stopped = Stopwatch.GetTimestamp();
        int[] dead = [.. cluster.Nodes.Where(n => !n.IsRunning).Select(n => n.Id)];
        if (dead.Length > 0)
        {
            return new(0, Count(writes), 0, 0, 0, [], dead, TimeSpan.Zero);
        }

        foreach (var node in cluster.Nodes)
        {
            await cluster.WaitUntilAsync($"node {node.Id} takes a write", async () => (await node.ExecAsync("INSERT INTO load VALUES (-1, ?, '')", node.Id)).IsOk);
        }

        var recovery = Stopwatch.GetElapsedTime(stopped);
        long[] memory = [.. cluster.Nodes.Select(n => n.PeakMemoryBytes)];
        await cluster.ConvergeAsync();
        var stored = await StoredAsync(cluster.Master);
        var byFate = writes.ToLookup(w => w.Code is "ok" ? true : w.Code is "outcome_unknown" or "broken" or "internal" ? (bool?)null : false, w => w.Key);
        return new(
            byFate[true].Count(),
            Count(writes),
            byFate[true].Count(key => !stored.ContainsKey(key)),
            stored.Count(s => s.Value > 1),
            byFate[false].Count(stored.ContainsKey),
            memory,
            dead,
            recovery);
    }

    private static Dictionary<string, int> Count(IEnumerable<(long Key, string Code)> writes) =>
        writes.CountBy(w => w.Code).ToDictionary();

    private static async Task SendAsync(Uri node, int connection, string text, ConcurrentQueue<(long, string)> writes, CancellationToken stop)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1 }) { BaseAddress = node, Timeout = TimeSpan.FromMinutes(2) };
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var body = $$"""{"command":"exec","query":"INSERT INTO load VALUES ({{connection}}, {{i}}, ?)","params":["{{text}}"]}""";
            writes.Enqueue((Key(connection, i), await SendAsync(http, body)));
        }
    }

    private static async Task<string> SendAsync(HttpClient http, string body)
    {
        try
        {
            using var response = await http.PostAsync("/query", new ByteArrayContent(Encoding.UTF8.GetBytes(body)));
            var answer = await response.Content.ReadAsStringAsync();
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is null && answer.Contains("overloaded", StringComparison.Ordinal))
            {
                return "no Retry-After";
            }

            return response.IsSuccessStatusCode ? "ok" : JsonElement.Parse(answer).GetProperty("code").GetString()!;
        }
        catch (HttpRequestException)
        {
            return "broken";
        }
    }

    private static async Task<Dictionary<long, int>> StoredAsync(TestNode node)
    {
        var stored = new Dictionary<long, int>();
        using var response = await node.BeginAsync("""{"command":"query","query":"SELECT connection, sequence FROM load WHERE connection >= 0"}""", "text/csv");
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        await lines.ReadLineAsync();
        while (await lines.ReadLineAsync() is { } line)
        {
            var fields = line.Split(',');
            var key = Key(int.Parse(fields[0], CultureInfo.InvariantCulture), int.Parse(fields[1], CultureInfo.InvariantCulture));
            stored[key] = stored.GetValueOrDefault(key) + 1;
        }

        return stored;
    }

    private static long Key(int connection, int sequence) => ((long)connection << 32) | (uint)sequence;
}
