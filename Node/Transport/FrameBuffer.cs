using System.Buffers;

namespace DistDb.Node.Transport;

/// <summary>What a link's messages come into, one after the other. It keeps its memory for the next one, but not that of a large one.</summary>
internal sealed class FrameBuffer : IDisposable
{
    private const int BytesMin = 4096;

    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(BytesMin);

    /// <summary>What has come; valid until the next message begins.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, WrittenCount);

    /// <summary>How many bytes that are.</summary>
    public int WrittenCount { get; private set; }

    /// <summary>Room for what comes next.</summary>
    public Memory<byte> GetMemory()
    {
        if (WrittenCount == _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(2 * _bytes.Length);
            Written.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }

        return _bytes.AsMemory(WrittenCount);
    }

    /// <summary>So much of that was filled.</summary>
    public void Advance(int count) => WrittenCount += count;

    /// <summary>Another message begins.</summary>
    public void Clear()
    {
        WrittenCount = 0;
        if (_bytes.Length > WebSocketFrames.KeptBytesMax)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = ArrayPool<byte>.Shared.Rent(BytesMin);
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        WrittenCount = 0;
    }
}
