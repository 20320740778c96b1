using System.Net.Sockets;
using DistDb.Tools;
using DistDb.Tools.Bench;

namespace DistDb.Bench.Compare;

/// <summary>The same HTTP client for every system that is spoken to by HTTP.</summary>
internal static class HttpLoad
{
    private static readonly TimeSpan _attemptTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Runs a load against one node.</summary>
    /// <param name="node">Which.</param>
    /// <param name="clients">How many at once.</param>
    /// <param name="load">How long.</param>
    /// <param name="requestsOf">A client's requests, which it sends round and round.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<Sample> RunAsync(Uri node, int clients, LoadTime load, Func<int, byte[][]> requestsOf, CancellationToken cancellation)
    {
        var result = await new LoadGenerator([node], [], clients, 1, SourceOf).RunAsync(load.WarmUp, load.Measured, cancellation).ConfigureAwait(false);
        return new(
            result.PerSecond, result.All.Percentile(0.50).TotalMilliseconds, result.All.Percentile(0.99).TotalMilliseconds, result.Failed);

        Func<LoadRequest> SourceOf(int client)
        {
            var requests = requestsOf(client);
            var next = -1;
            return () => new(0, requests[next = (next + 1) % requests.Length]);
        }
    }

    /// <summary>Sends a request until it succeeds at any of some nodes.</summary>
    /// <exception cref="ToolException">It does not within a minute.</exception>
    public static async Task UntilTakenAsync(IEnumerable<Uri> nodes, byte[] request, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        var attempts = nodes.Select(node => TryAgainAsync(node, request, limit.Token)).ToList();
        var first = await Task.WhenAny(attempts).ConfigureAwait(false);
        await limit.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(attempts).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        if (!await first.ConfigureAwait(false))
        {
            throw new ToolException("Nobody took a write within a minute.", ExitCode.BadNews);
        }
    }

    /// <returns>False where it was cancelled before.</returns>
    private static async Task<bool> TryAgainAsync(Uri node, byte[] request, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            using var attempt = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            attempt.CancelAfter(_attemptTimeout);
            try
            {
                using var connection = new LoadConnection(node);
                await connection.ConnectAsync(attempt.Token).ConfigureAwait(false);
                if (await connection.SendAsync(request, attempt.Token).ConfigureAwait(false) == 200)
                {
                    return true;
                }
            }
            catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
            {
                // Not yet; it is asked again.
            }

            await Task.WhenAny(Task.Delay(_pause, cancellation)).ConfigureAwait(false);
        }

        return false;
    }
}
