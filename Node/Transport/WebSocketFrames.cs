using System.Buffers;
using System.Net.WebSockets;

namespace DistDb.Node.Transport;

/// <summary>Whole binary messages over a WebSocket.</summary>
internal static class WebSocketFrames
{
    /// <summary>Longest message taken in: the largest log entry (a request body of 16 MiB) with room around it.</summary>
    public const int FrameBytesMax = 64 << 20;

    /// <summary>Longest message of the handshake; small, because its sender is not known yet.</summary>
    public const int HandshakeBytesMax = 4096;

    /// <summary>A link keeps no more memory than this for its next message.</summary>
    public const int KeptBytesMax = 1 << 20;

    // A read ends when its memory is full. On a slow link the parts of a large message should come faster than elections are called.
    private const int PartBytesMax = 16 << 10;

    public static ValueTask SendAsync(WebSocket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);

    /// <summary>The next message in <paramref name="buffer"/>, which is cleared first; false when the other end closed.</summary>
    /// <param name="socket">Where it comes from.</param>
    /// <param name="buffer">Takes it.</param>
    /// <param name="bytesMax">Most bytes that it may have.</param>
    /// <param name="partCame">Told of every part but the last.</param>
    /// <param name="cancellationToken">Ends the wait, and with it the socket.</param>
    /// <exception cref="PeerRefusedException">The message is longer than <paramref name="bytesMax"/> or not binary.</exception>
    public static async ValueTask<bool> ReceiveAsync(
        WebSocket socket, ArrayBufferWriter<byte> buffer, int bytesMax, Action? partCame, CancellationToken cancellationToken)
    {
        buffer.ResetWrittenCount();
        while (true)
        {
            var memory = buffer.GetMemory(4096);
            var result = await socket.ReceiveAsync(memory[..Math.Min(memory.Length, PartBytesMax)], cancellationToken).ConfigureAwait(false);
            if (result.MessageType == WebSocketMessageType.Close)
            {
                return false;
            }

            buffer.Advance(result.Count);
            if (buffer.WrittenCount > bytesMax || result.MessageType != WebSocketMessageType.Binary)
            {
                throw new PeerRefusedException("the other side sent something too long or not binary");
            }

            if (result.EndOfMessage)
            {
                return true;
            }

            partCame?.Invoke();
        }
    }
}
