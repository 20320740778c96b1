using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>A node sends its spans where OpenTelemetry's variables say.</summary>
public sealed class TraceExportTests
{
    private const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

    [Fact]
    public async Task Spans_of_a_clients_trace_arrive_at_the_collector()
    {
        using var collector = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort()}/";
        collector.Prefixes.Add(address);
        collector.Start();
        var received = new ConcurrentQueue<(string Path, byte[] Body)>();
        var receiving = ReceiveAsync(collector, received);

        await using var cluster = TestCluster.Create(0, _ => [], _ => new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        });
        cluster[0].Start();
        await cluster.WaitUntilReadyAsync();
        var answer = await cluster[0].SendAsync(new(HttpMethod.Post, "/query")
        {
            Content = new StringContent("""{"command":"exec","query":"CREATE TABLE traced (a)"}"""),
            Headers = { { "traceparent", $"00-{TraceId}-00f067aa0ba902b7-01" } },
        });
        answer.IsOk.Should().BeTrue(answer.Text);
        var traceId = Convert.FromHexString(TraceId);
        await cluster.WaitUntilAsync("the collector has the trace", () => Task.FromResult(
            received.Any(r => r.Path == "/v1/traces" && r.Body.AsSpan().IndexOf(traceId) >= 0 && r.Body.AsSpan().IndexOf("replicate"u8) >= 0)));
        collector.Stop();
        await receiving;
    }

    private static async Task ReceiveAsync(HttpListener collector, ConcurrentQueue<(string Path, byte[] Body)> received)
    {
        try
        {
            while (true)
            {
                var context = await collector.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                received.Enqueue((context.Request.Url!.AbsolutePath, body.ToArray()));
                context.Response.Close();
            }
        }
        catch (Exception e) when (e is HttpListenerException or InvalidOperationException && !collector.IsListening)
        {
            // Stopped.
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
