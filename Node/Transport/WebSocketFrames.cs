using System.Net.WebSockets;
using DistDb.Node.Commands;

namespace DistDb.Node.Transport;

/// <summary>Whole binary messages over a WebSocket.</summary>
internal static class WebSocketFrames
{
    /// <summary>Longest message taken in: the largest log entry (a request body of 16 MiB) with room around it.</summary>
    public const int FrameBytesMax = 64 << 20;

    /// <summary>Longest message of the handshake; small, because its sender is not known yet.</summary>
    public const int HandshakeBytesMax = 4096;

    /// <summary>A link keeps this much memory, in each direction, from one message to the next.</summary>
    public const int KeptBytesMax = 1 << 20;

    // A read ends when its memory is full. On a slow link the parts of a large message should come faster than elections are called.
    private const int PartBytesMax = 32 << 10;

    public static ValueTask SendAsync(WebSocket socket, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        socket.SendAsync(bytes, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);

    /// <summary>Sends a payload and its tag; a large one piece by piece, so that the first ones arrive while the others are being sealed.</summary>
    /// <param name="socket">Where it goes.</param>
    /// <param name="writer">The payload, to which the tag is added.</param>
    /// <param name="seal">Makes the tag.</param>
    /// <param name="cancellationToken">Ends the sending, and with it the socket.</param>
    public static async ValueTask SendAsync(WebSocket socket, WireWriter writer, FrameSeal seal, CancellationToken cancellationToken)
    {
        var sent = 0;
        for (; writer.BytesWritten - sent > PartBytesMax; sent += PartBytesMax)
        {
            var part = writer.Written.Slice(sent, PartBytesMax);
            seal.Add(part.Span);
            await socket.SendAsync(part, WebSocketMessageType.Binary, endOfMessage: false, cancellationToken).ConfigureAwait(false);
        }

        Finish(writer, seal, sent);
        await SendAsync(socket, writer.Written[sent..], cancellationToken).ConfigureAwait(false);
    }

    private static void Finish(WireWriter writer, FrameSeal seal, int sent)
    {
        Span<byte> tag = stackalloc byte[FrameSeal.TagBytes];
        seal.Add(writer.Written.Span[sent..]);
        seal.Finish(tag);
        writer.WriteRaw(tag);
    }

    /// <summary>The next message in <paramref name="buffer"/>, which is cleared first; false when the other end closed.</summary>
    /// <param name="socket">Where it comes from.</param>
    /// <param name="buffer">Takes it.</param>
    /// <param name="bytesMax">Most bytes that it may have.</param>
    /// <param name="partCame">Told of every part but the last.</param>
    /// <param name="cancellationToken">Ends the wait, and with it the socket.</param>
    /// <exception cref="PeerRefusedException">The message is longer than <paramref name="bytesMax"/> or not binary.</exception>
    public static async ValueTask<bool> ReceiveAsync(
        WebSocket socket, FrameBuffer buffer, int bytesMax, Action? partCame, CancellationToken cancellationToken)
    {
        buffer.Clear();
        while (true)
        {
            var memory = buffer.GetMemory();
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
