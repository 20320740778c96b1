using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>The link over which another node, which has proved who it is, speaks to this one.</summary>
/// <param name="identity">Who it is.</param>
/// <param name="lifetime">Ends the link; may be disposed of after <see cref="Dispose"/>.</param>
internal sealed class IncomingLink(PeerIdentity identity, CancellationTokenSource lifetime) : IDisposable
{
    private readonly Lock _lock = new();
    private bool _hasEnded;

    public PeerIdentity Identity => identity;

    public NodeId Peer { get; } = new(identity.Node);

    /// <summary>Ends the link, unless that has ended by itself.</summary>
    public void End()
    {
        lock (_lock)
        {
            if (!_hasEnded)
            {
                // On another thread, because whatever waits there may go on at once where it is cancelled.
                lifetime.CancelAfter(TimeSpan.Zero);
            }
        }
    }

    /// <summary>The link has ended.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _hasEnded = true;
        }
    }
}
