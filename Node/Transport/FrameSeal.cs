using System.Buffers.Binary;
using System.Security.Cryptography;

namespace DistDb.Node.Transport;

/// <summary>
/// Seals the frames of one direction of one link: each carries a tag over its place in the sequence and its bytes, so that an
/// altered, repeated, dropped or reordered frame is noticed. Not thread safe.
/// <code>
/// frame   payload, tag: first 16 bytes of HMAC-SHA256(session key, counter: 8 bytes LE, payload)
/// </code>
/// </summary>
internal sealed class FrameSeal(byte[] sessionKey) : IDisposable
{
    /// <summary>128 bits: no forgery within the life of any link.</summary>
    public const int TagBytes = 16;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, sessionKey);
    private ulong _counter;

    // Of the frame that has begun; negative where none has.
    private int _added = -1;

    /// <summary>Takes in the next part of a frame's payload, which is a new one's after <see cref="Finish"/>.</summary>
    public void Add(ReadOnlySpan<byte> part)
    {
        if (_added < 0)
        {
            Span<byte> counter = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(counter, _counter++);
            _hash.AppendData(counter);
            _added = 0;
        }

        _hash.AppendData(part);
        _added += part.Length;
    }

    /// <summary>Writes the tag of the frame whose parts were added.</summary>
    public void Finish(Span<byte> tag)
    {
        Span<byte> full = stackalloc byte[HMACSHA256.HashSizeInBytes];
        _hash.GetHashAndReset(full);
        full[..TagBytes].CopyTo(tag);
        _added = -1;
    }

    /// <summary>Works ahead for <see cref="Open"/>, while the rest of the frame is on its way.</summary>
    /// <param name="beginning">All that has come of it so far.</param>
    public void Preview(ReadOnlySpan<byte> beginning)
    {
        // What comes last is the tag.
        if (beginning.Length - TagBytes is > 0 and var known)
        {
            Add(beginning[Math.Max(_added, 0)..known]);
        }
    }

    /// <summary>The payload of the next frame.</summary>
    /// <exception cref="PeerRefusedException">The frame is not the one that the other end sealed next.</exception>
    public ReadOnlySpan<byte> Open(ReadOnlySpan<byte> frame)
    {
        if (frame.Length >= TagBytes)
        {
            var payload = frame[..^TagBytes];
            Span<byte> expected = stackalloc byte[TagBytes];
            Add(payload[Math.Max(_added, 0)..]);
            Finish(expected);
            if (CryptographicOperations.FixedTimeEquals(expected, frame[^TagBytes..]))
            {
                return payload;
            }
        }

        throw new PeerRefusedException("a message was altered or repeated on its way");
    }

    public void Dispose() => _hash.Dispose();
}
