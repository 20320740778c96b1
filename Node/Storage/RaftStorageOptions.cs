using DistDb.Node.Telemetry;

namespace DistDb.Node.Storage;

/// <summary>Limits of <see cref="RaftStorage"/>.</summary>
public sealed record RaftStorageOptions
{
    /// <summary>Bytes of the newest entries' data kept in memory. Default 32 MiB: seconds of heavy load, so that only a peer that was away reads the disk.</summary>
    public long CachedBytesMax { get; init; } = 32 << 20;

    /// <summary>Told what is appended and how long the disk takes. Default: nobody is.</summary>
    public NodeInstruments? Instruments { get; init; }
}
