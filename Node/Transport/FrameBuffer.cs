using System.Buffers;

namespace DistDb.Node.Transport;

/// <summary>What a link's messages come into, one after the other. The memory of a large one is borrowed for as long as it is there.</summary>
internal sealed class FrameBuffer : IDisposable
{
    private const int OwnBytes = 4096;

    private readonly byte[] _own = new byte[OwnBytes];
    private byte[] _bytes;
    private int _count;

    public FrameBuffer() => _bytes = _own;

    /// <summary>What has come; valid until the next message begins.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _count);

    public int WrittenCount => _count;

    /// <summary>Room for what comes next.</summary>
    public Memory<byte> GetMemory()
    {
        if (_count == _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(2 * _bytes.Length);
            Written.CopyTo(larger);
            GiveBack();
            _bytes = larger;
        }

        return _bytes.AsMemory(_count);
    }

    /// <summary>So much of that was filled.</summary>
    public void Advance(int count) => _count += count;

    /// <summary>Another message begins.</summary>
    public void Clear()
    {
        _count = 0;
        GiveBack();
        _bytes = _own;
    }

    public void Dispose() => Clear();

    private void GiveBack()
    {
        if (_bytes != _own)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}
