using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using DistDb.Node.Raft;

namespace DistDb.Node.Api.Hrana;

/// <summary>Names something that one node holds for a client between requests, so that any node knows whose it is.</summary>
/// <param name="Node">The node that holds it.</param>
/// <param name="Id">Random.</param>
/// <param name="Sequence">Of a stream: counts its answers, so that each baton is good once. 0 for a transaction.</param>
internal readonly record struct StreamId(NodeId Node, Guid Id, int Sequence);

/// <summary>
/// Writes and reads the texts that clients get for <see cref="StreamId"/>s. All nodes of a cluster can; nobody else can make one, as they are sealed with a key that is drawn from the cluster secret.
/// <code>
/// base64url of   node: 4 bytes, id: 16 bytes, sequence: 4 bytes, HMAC-SHA256 of these, cut to 16 bytes
/// </code>
/// </summary>
/// <param name="clusterSecret">The cluster's secret.</param>
internal sealed class StreamSeal(ReadOnlyMemory<byte> clusterSecret)
{
    private const int PlainBytes = 24;
    private const int SealBytes = 16;

    private readonly byte[] _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterSecret.ToArray(), 32, info: "distdb streams"u8.ToArray());

    public string Write(StreamId stream)
    {
        Span<byte> bytes = stackalloc byte[PlainBytes + SealBytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, stream.Node.Value);
        stream.Id.TryWriteBytes(bytes[4..]);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], stream.Sequence);
        Seal(bytes[..PlainBytes], bytes[PlainBytes..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Null where no node of this cluster has written it.</summary>
    public StreamId? Read(string text)
    {
        Span<byte> bytes = stackalloc byte[PlainBytes + SealBytes];
        if (text.Length != Base64Url.GetEncodedLength(bytes.Length) || !Base64Url.TryDecodeFromChars(text, bytes, out var written) || written != bytes.Length)
        {
            return null;
        }

        Span<byte> seal = stackalloc byte[SealBytes];
        Seal(bytes[..PlainBytes], seal);
        return CryptographicOperations.FixedTimeEquals(seal, bytes[PlainBytes..])
            ? new(new(BinaryPrimitives.ReadInt32LittleEndian(bytes)), new(bytes[4..20]), BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]))
            : null;
    }

    private void Seal(ReadOnlySpan<byte> plain, Span<byte> seal)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, plain, hash);
        hash[..SealBytes].CopyTo(seal);
    }
}
