namespace DistDb.Node.Transport;

/// <summary>
/// Bounds how many links may be at their beginning at once, while nobody knows who is at the other end. When there are too many the oldest
/// goes: a node proves itself within milliseconds, so that the oldest is a stranger's, and a flood of those keeps no node out. Thread safe.
/// </summary>
internal sealed class HandshakeSlots(int max)
{
    private readonly LinkedList<CancellationTokenSource> _running = [];

    /// <summary>Begins a handshake, which is cancelled when it has to make room.</summary>
    /// <param name="handshake">Must not be disposed of before <see cref="Leave"/>.</param>
    /// <returns>Whether another had to make room.</returns>
    public bool Enter(CancellationTokenSource handshake)
    {
        lock (_running)
        {
            _running.AddLast(handshake);
            if (_running.Count <= max)
            {
                return false;
            }

            // On another thread, because whatever waits there may go on at once where it is cancelled.
            _running.First!.Value.CancelAfter(TimeSpan.Zero);
            _running.RemoveFirst();
            return true;
        }
    }

    /// <summary>The handshake is over, whatever came of it.</summary>
    public void Leave(CancellationTokenSource handshake)
    {
        lock (_running)
        {
            _running.Remove(handshake);
        }
    }
}
