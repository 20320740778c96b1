using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using DistDb.Node.Tls;

namespace DistDb.Tools.Bench;

/// <summary>A request of a load.</summary>
/// <param name="Operation">Which of the load's operations it is, from 0.</param>
/// <param name="Bytes">As it goes over the wire.</param>
internal readonly record struct LoadRequest(int Operation, byte[] Bytes);

/// <summary>What one load did in its measured time.</summary>
/// <param name="Elapsed">How long that was.</param>
/// <param name="Latencies">Of successful answers, for each operation.</param>
/// <param name="Errors">How often what came in place of a success: a problem's code, or <c>unreachable</c> for a broken connection. Also from the warm-up.</param>
/// <param name="FirstFailure">What the first of them was in full; null without any.</param>
internal sealed record LoadResult(TimeSpan Elapsed, IReadOnlyList<LatencyHistogram> Latencies, IReadOnlyDictionary<string, long> Errors, string? FirstFailure)
{
    /// <summary>Of all operations together.</summary>
    public LatencyHistogram All { get; } = LoadGenerator.Sum(Latencies);

    public double PerSecond => All.Count / Elapsed.TotalSeconds;

    public long Failed => Errors.Values.Sum();
}

/// <summary>
/// Runs one load: a number of clients, each on its own connection, each sending its next request when the last one is answered. Measures a fixed
/// time after a warm-up; the clients never pause between the two. A client whose node dies goes on at another one.
/// </summary>
/// <param name="nodes">Which nodes are asked; the clients are spread over them.</param>
/// <param name="spares">Which are asked when those do not answer.</param>
/// <param name="clients">How many.</param>
/// <param name="operations">How many kinds of requests there are.</param>
/// <param name="sourceOf">Makes what gives a client its requests.</param>
internal sealed class LoadGenerator(IReadOnlyList<Uri> nodes, IReadOnlyList<Uri> spares, int clients, int operations, Func<int, Func<LoadRequest>> sourceOf)
{
    private const int WarmingUp = 0;
    private const int Measuring = 1;
    private const int Over = 2;

    /// <summary>Before a node that does not serve is asked again; a load must not be one of refusals alone.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    private readonly ClientLog[] _logs = [.. Enumerable.Range(0, clients).Select(_ => new ClientLog(operations))];
    private int _phase;

    /// <summary>How long an answer may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>By which CAs to judge the nodes' certificates; null for those that the operating system trusts.</summary>
    public CertificateTrust? Trust { get; init; }

    /// <summary>What was measured so far; for somebody who watches.</summary>
    public (LatencyHistogram Latencies, long Failed) Progress => (Sum(_logs.SelectMany(log => log.Latencies)), _logs.Sum(log => log.Errors.Values.Sum()));

    /// <summary>Adds histograms up.</summary>
    internal static LatencyHistogram Sum(IEnumerable<LatencyHistogram> parts)
    {
        var sum = new LatencyHistogram();
        foreach (var part in parts)
        {
            sum.Add(part);
        }

        return sum;
    }

    /// <summary>Runs it to its end, or until it is cancelled: what was measured until then counts.</summary>
    public async Task<LoadResult> RunAsync(TimeSpan warmUp, TimeSpan time, CancellationToken cancellation)
    {
        using var stop = new CancellationTokenSource();
        var running = Task.WhenAll(_logs.Select((log, i) => RunClientAsync(i, log, stop.Token)));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var watching = WatchAsync(patience.Token);
        await WaitAsync(warmUp, cancellation).ConfigureAwait(false);
        var start = Stopwatch.GetTimestamp();
        Volatile.Write(ref _phase, Measuring);
        await WaitAsync(time, cancellation).ConfigureAwait(false);
        Volatile.Write(ref _phase, Over);
        var elapsed = Stopwatch.GetElapsedTime(start);

        // What is under way gets its answer, within bounds.
        stop.CancelAfter(cancellation.IsCancellationRequested ? TimeSpan.FromSeconds(1) : Timeout);
        await running.ConfigureAwait(false);
        await patience.CancelAsync().ConfigureAwait(false);
        await watching.ConfigureAwait(false);
        return new(
            elapsed,
            [.. Enumerable.Range(0, operations).Select(operation => Sum(_logs.Select(log => log.Latencies[operation])))],
            _logs.SelectMany(log => log.Errors).GroupBy(error => error.Key).ToDictionary(group => group.Key, group => group.Sum(error => error.Value)),
            _logs.Select(log => log.FirstFailure).FirstOrDefault(failure => failure is not null));
    }

    /// <summary>Returns early, and without an exception, when it is cancelled.</summary>
    private static async Task WaitAsync(TimeSpan time, CancellationToken cancellation) => await Task.WhenAny(Task.Delay(time, cancellation)).ConfigureAwait(false);

    private async Task RunClientAsync(int client, ClientLog log, CancellationToken cancellation)
    {
        Uri[] order = [.. Enumerable.Range(0, nodes.Count).Select(i => nodes[(client + i) % nodes.Count]), .. spares];
        var next = sourceOf(client);
        for (var attempt = 0; Volatile.Read(ref _phase) != Over && !cancellation.IsCancellationRequested; attempt++)
        {
            using var connection = new LoadConnection(order[attempt % order.Length], Trust);
            log.Begin(connection);
            try
            {
                await connection.ConnectAsync(cancellation).ConfigureAwait(false);
                while (Volatile.Read(ref _phase) != Over)
                {
                    var request = next();
                    var start = log.Begin(connection);
                    var status = await connection.SendAsync(request.Bytes, cancellation).ConfigureAwait(false);
                    if (status != 200)
                    {
                        var problem = ProblemOf(connection.LastAnswer);
                        log.Fail(CodeOf(problem, status), problem);
                        if (status >= 500)
                        {
                            await WaitAsync(_pause, cancellation).ConfigureAwait(false);
                        }
                    }
                    else if (Volatile.Read(ref _phase) == Measuring)
                    {
                        log.Latencies[request.Operation].Add(Stopwatch.GetElapsedTime(start));
                    }
                }
            }
            catch (Exception e) when (e is SocketException or IOException or AuthenticationException or ObjectDisposedException)
            {
                log.Fail("unreachable", $"{order[attempt % order.Length].Authority}: {e.GetBaseException().Message}");
                await WaitAsync(_pause, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                log.Fail("unanswered", "There was no answer when the load ended.");
            }
            finally
            {
                log.End();
            }
        }
    }

    /// <summary>Breaks connections whose answer takes too long, as of a node that hangs, so that their clients go on.</summary>
    private async Task WatchAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            await WaitAsync(TimeSpan.FromSeconds(1), cancellation).ConfigureAwait(false);
            foreach (var log in _logs)
            {
                log.BreakAfter(Timeout);
            }
        }
    }

    /// <summary>The object in a body, which may have come in chunks: a problem fits one.</summary>
    private static string ProblemOf(string answer)
    {
        var body = answer.Split("\r\n\r\n", 2)[^1];
        var (start, end) = (body.IndexOf('{', StringComparison.Ordinal), body.LastIndexOf('}'));
        return start >= 0 && end > start ? body[start..(end + 1)] : body;
    }

    private static string CodeOf(string problem, int status)
    {
        try
        {
            using var json = JsonDocument.Parse(problem);
            return json.RootElement.TryGetProperty("code", out var code) ? code.GetString()! : $"http_{status}";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return $"http_{status}";
        }
    }

    /// <summary>What one client saw; its own task alone writes it, but for breaking its connection.</summary>
    private sealed class ClientLog(int operations)
    {
        private LoadConnection? _connection;
        private long _since;

        public LatencyHistogram[] Latencies { get; } = [.. Enumerable.Range(0, operations).Select(_ => new LatencyHistogram())];

        public ConcurrentDictionary<string, long> Errors { get; } = new(StringComparer.Ordinal);

        public string? FirstFailure { get; private set; }

        /// <returns>The time at which it waits from now on.</returns>
        public long Begin(LoadConnection connection)
        {
            var now = Stopwatch.GetTimestamp();
            Volatile.Write(ref _since, now);
            Volatile.Write(ref _connection, connection);
            return now;
        }

        public void End() => Volatile.Write(ref _connection, null);

        public void BreakAfter(TimeSpan limit)
        {
            if (Volatile.Read(ref _connection) is { } connection && Stopwatch.GetElapsedTime(Volatile.Read(ref _since)) > limit)
            {
                connection.Dispose();
            }
        }

        public void Fail(string code, string reason)
        {
            Errors.AddOrUpdate(code, 1, (_, count) => count + 1);
            FirstFailure ??= reason;
        }
    }
}
