namespace DistDb.Tools;

/// <summary>
/// Sends a write until it is known to be done, or for a bounded time. The write carries an id, so a repeat after a lost answer is
/// applied once; that is what makes repeating safe.
/// </summary>
/// <param name="client">Speaks to the nodes.</param>
/// <param name="nodes">Where to send to; at least one.</param>
/// <param name="limit">How long to keep trying.</param>
internal sealed class RetryingWriter(ClusterClient client, IReadOnlyList<Uri> nodes, TimeSpan limit)
{
    private static readonly TimeSpan _pauseMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _pauseMax = TimeSpan.FromSeconds(1);

    /// <summary>Sends one write, first to the node at a position in the list, counted round.</summary>
    /// <returns>Null when it is done; otherwise the last failure.</returns>
    /// <exception cref="ArgumentException">The write has no id.</exception>
    public async Task<NodeException?> WriteAsync(NodeRequest write, int firstNode, CancellationToken cancellation)
    {
        if (write.Id is null)
        {
            throw new ArgumentException("Only a write with an id can be repeated.", nameof(write));
        }

        var start = TimeProvider.System.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            NodeException failure;
            try
            {
                await client.ExecAsync(nodes[(firstNode + attempt) % nodes.Count], write, cancellation).ConfigureAwait(false);
                return null;
            }
            catch (NodeException e)
            {
                failure = e;
            }

            var pause = Pause(attempt, failure);
            if (!failure.IsTransient || TimeProvider.System.GetElapsedTime(start) + pause > limit)
            {
                return failure;
            }

            await Task.Delay(pause, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Doubles after each round through the nodes, with chance in it, so that many clients do not return all at once.</summary>
    private TimeSpan Pause(int attempt, NodeException failure)
    {
        var asked = (failure as NodeProblemException)?.RetryAfter ?? TimeSpan.Zero;
        var doubled = _pauseMin * Math.Pow(2, Math.Min(attempt / nodes.Count, 10));
        var chosen = doubled < _pauseMax ? doubled : _pauseMax;
        return (asked > chosen ? asked : chosen) * (0.75 + (Random.Shared.NextDouble() / 2));
    }
}
