namespace DistDb.Node.Transport;

/// <summary>What this process knows of another node from having met it; outlives the links. Thread safe.</summary>
internal sealed class PeerContact
{
    private volatile PeerIdentity? _identity;
    private long _frameCount;
    private long _partCount;
    private long _heardAtTicks;

    /// <summary>What it said of itself in the newest handshake that succeeded, in either direction.</summary>
    public PeerIdentity? Identity
    {
        get => _identity;
        set => _identity = value;
    }

    /// <summary>How many frames came from it, and parts of such as are still coming; grows as long as it is there.</summary>
    public long SignCount => Volatile.Read(ref _frameCount) + PartCount;

    /// <summary>How many parts of frames came from it that were not the last.</summary>
    public long PartCount => Volatile.Read(ref _partCount);

    /// <summary>When the last one came.</summary>
    public DateTimeOffset? HeardAt => Volatile.Read(ref _heardAtTicks) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>A frame came.</summary>
    public void Hear()
    {
        Volatile.Write(ref _heardAtTicks, DateTime.UtcNow.Ticks);
        Interlocked.Increment(ref _frameCount);
    }

    /// <summary>Part of a frame came, and not its last one.</summary>
    public void HearPart() => Interlocked.Increment(ref _partCount);
}
