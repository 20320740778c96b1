namespace DistDb.Tools;

/// <summary>
/// Asks one node after the other until one answers: the one rule by which tools repeat a request. Only what may be asked twice may be asked
/// this way: what reads, what does no harm when it is done again, and writes with an id.
/// </summary>
internal static class Failover
{
    private static readonly TimeSpan _pauseMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _pauseMax = TimeSpan.FromSeconds(1);

    /// <summary>Asks each node once, at once, and then round and round with pauses for as long as the patience lasts.</summary>
    /// <param name="nodes">At least one.</param>
    /// <param name="first">The position of the node that is asked first; counted round.</param>
    /// <param name="patience">How long to go on after the first round; zero for not at all.</param>
    /// <param name="ask">Sends the request.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The node that answered, and what.</returns>
    /// <exception cref="NodeException">The first failure that another try would not mend; or what the last node that answered said; or that the first cannot be reached.</exception>
    public static async Task<(Uri Node, T Answer)> AskAsync<T>(
        IReadOnlyList<Uri> nodes, int first, TimeSpan patience, Func<Uri, Task<T>> ask, CancellationToken cancellation)
    {
        var start = TimeProvider.System.GetTimestamp();
        NodeException? telling = null;
        for (var attempt = 0; ; attempt++)
        {
            var node = nodes[(first + attempt) % nodes.Count];
            NodeException failure;
            try
            {
                return (node, await ask(node).ConfigureAwait(false));
            }
            catch (NodeException e) when (e.IsTransient)
            {
                failure = e;
                telling = telling is null || e is NodeProblemException ? e : telling;
            }

            if (attempt + 1 < nodes.Count)
            {
                continue;
            }

            var pause = Pause(attempt / nodes.Count, failure);
            if (TimeProvider.System.GetElapsedTime(start) + pause > patience)
            {
                throw telling;
            }

            await Task.Delay(pause, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Doubles with each round through the nodes, with chance in it, so that many clients do not return all at once.</summary>
    private static TimeSpan Pause(int round, NodeException failure)
    {
        var asked = (failure as NodeProblemException)?.RetryAfter ?? TimeSpan.Zero;
        var doubled = _pauseMin * Math.Pow(2, Math.Min(round, 10));
        var chosen = doubled < _pauseMax ? doubled : _pauseMax;
        return (asked > chosen ? asked : chosen) * (0.75 + (Random.Shared.NextDouble() / 2));
    }
}
