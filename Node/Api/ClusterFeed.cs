using System.Text.Json;
using System.Threading.Channels;

namespace DistDb.Node.Api;

/// <summary>
/// The cluster as this node sees it, twice a second, to all who listen: made once for all of them, and not at all while nobody does. A listener that is slow
/// misses pictures, and gets the newest one. Thread safe.
/// </summary>
internal sealed class ClusterFeed(StatusBuilder status) : BackgroundService
{
    // A node that falls silent counts as gone after a second; so this shows it within two, whatever else takes time.
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(500);

    private readonly Lock _lock = new();
    private readonly List<Channel<byte[]>> _listeners = [];
    private TaskCompletionSource _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The JSON of <c>GET /cluster</c>, at once and then again and again, until the token ends it.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ListenAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return Picture();
        var channel = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
        lock (_lock)
        {
            _listeners.Add(channel);
            _wanted.TrySetResult();
        }

        try
        {
            await foreach (var picture in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return picture;
            }
        }
        finally
        {
            lock (_lock)
            {
                _listeners.Remove(channel);
                if (_listeners.Count == 0)
                {
                    _wanted = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval);
        try
        {
            while (true)
            {
                Task wanted;
                lock (_lock)
                {
                    wanted = _wanted.Task;
                }

                await wanted.WaitAsync(stoppingToken).ConfigureAwait(false);
                await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false);
                Publish();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private void Publish()
    {
        var picture = Picture();
        lock (_lock)
        {
            foreach (var listener in _listeners)
            {
                // Never full: the oldest makes room.
                listener.Writer.TryWrite(picture);
            }
        }
    }

    private byte[] Picture() => JsonSerializer.SerializeToUtf8Bytes(status.Cluster(), ApiJsonContext.Default.ClusterStatus);
}
