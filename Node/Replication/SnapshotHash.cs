using System.Security.Cryptography;

namespace DistDb.Node.Replication;

/// <summary>SHA-256 of a snapshot's files one after the other.</summary>
internal sealed class SnapshotHash : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[BufferBytes];

    public void Add(Stream content)
    {
        for (int count; (count = content.Read(_buffer)) > 0;)
        {
            _hash.AppendData(_buffer, 0, count);
        }
    }

    public byte[] ToArray() => _hash.GetCurrentHash();

    public void Dispose() => _hash.Dispose();
}
