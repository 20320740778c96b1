namespace DistDb.Node.Archive;

/// <summary>Where a node keeps what its log had.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Interval">A piece is closed this long after its first entry came into it, or when it is large enough. What was committed earlier than that can be recovered.</param>
public sealed record LogArchiveOptions(string Folder, TimeSpan Interval)
{
    /// <summary>Bytes of a piece's entries, from which on it is closed. Default 16 MiB: few files, and none that is awkward to copy.</summary>
    public long PieceBytesMax { get; init; } = 16 << 20;
}
