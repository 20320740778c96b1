using System.Diagnostics;
using System.Net.Sockets;

namespace DistDb.Bench;

/// <summary>What one load did in its measured time.</summary>
/// <param name="PerSecond">Successful answers for each second.</param>
/// <param name="P50">Half of them took at most this long.</param>
/// <param name="P99">99 of 100 took at most this long.</param>
/// <param name="Failed">Answers other than 200, and broken connections.</param>
/// <param name="FirstFailure">What the first of them was; null without any.</param>
internal sealed record LoadResult(double PerSecond, TimeSpan P50, TimeSpan P99, long Failed, string? FirstFailure);

/// <summary>
/// Runs one load: a number of clients, each on its own connection, each sending its next request when the last one is answered.
/// Measures a fixed time after a warm-up; the clients never pause between the two.
/// </summary>
internal sealed class LoadCell(IReadOnlyList<Uri> nodes, int clients, Func<int, byte[][]> requestsOf)
{
    private const int WarmingUp = 0;
    private const int Measuring = 1;
    private const int Over = 2;

    private int _phase;

    public async Task<LoadResult> RunAsync(TimeSpan warmUp, TimeSpan time, CancellationToken cancellation)
    {
        var logs = Enumerable.Range(0, clients).Select(_ => new ClientLog()).ToArray();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = Task.WhenAll(logs.Select((log, i) => RunClientAsync(i, log, stop.Token)));
        await Task.Delay(warmUp, cancellation).ConfigureAwait(false);
        var start = Stopwatch.GetTimestamp();
        Volatile.Write(ref _phase, Measuring);
        await Task.Delay(time, cancellation).ConfigureAwait(false);
        Volatile.Write(ref _phase, Over);
        var elapsed = Stopwatch.GetElapsedTime(start);
        await running.ConfigureAwait(false);

        var latencies = logs.SelectMany(log => log.Latencies).ToArray();
        Array.Sort(latencies);
        return new(
            latencies.Length / elapsed.TotalSeconds, Percentile(latencies, 0.50), Percentile(latencies, 0.99),
            logs.Sum(log => log.Failed), logs.Select(log => log.FirstFailure).FirstOrDefault(failure => failure is not null));
    }

    /// <summary>The nearest-rank percentile of sorted times; zero when there are none.</summary>
    internal static TimeSpan Percentile(IReadOnlyList<long> sorted, double fraction) => sorted.Count == 0
        ? TimeSpan.Zero
        : Stopwatch.GetElapsedTime(0, sorted[Math.Max(0, (int)Math.Ceiling(sorted.Count * fraction) - 1)]);

    private async Task RunClientAsync(int client, ClientLog log, CancellationToken cancellation)
    {
        var requests = requestsOf(client);
        var node = nodes[client % nodes.Count];
        while (Volatile.Read(ref _phase) != Over)
        {
            using var connection = new LoadConnection(node);
            try
            {
                await connection.ConnectAsync(cancellation).ConfigureAwait(false);
                for (var i = 0; Volatile.Read(ref _phase) != Over; i = (i + 1) % requests.Length)
                {
                    var start = Stopwatch.GetTimestamp();
                    var status = await connection.SendAsync(requests[i], cancellation).ConfigureAwait(false);
                    if (status != 200)
                    {
                        log.Fail(connection.LastAnswer.Split("\r\n\r\n", 2)[^1]);
                    }
                    else if (Volatile.Read(ref _phase) == Measuring)
                    {
                        log.Latencies.Add(Stopwatch.GetTimestamp() - start);
                    }
                }
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                log.Fail(e.Message);
            }
        }
    }

    /// <summary>What one client saw; its own task alone writes it.</summary>
    private sealed class ClientLog
    {
        /// <summary>Ticks of <see cref="Stopwatch"/>; room for a few seconds, so that the list does not grow while it is measured.</summary>
        public List<long> Latencies { get; } = new(16_384);

        public long Failed { get; private set; }

        public string? FirstFailure { get; private set; }

        public void Fail(string reason)
        {
            Failed++;
            FirstFailure ??= reason;
        }
    }
}
