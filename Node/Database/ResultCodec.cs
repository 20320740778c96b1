using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// The bytes of a write's results, as the request ledger keeps them: a version byte, then <see cref="StatementResultCodec"/>'s layout. They are part
/// of the database file, so the layout never changes without a new version.
/// </summary>
internal static class ResultCodec
{
    private const byte Version = 1;

    public static ReadOnlyMemory<byte> Encode(IReadOnlyList<StatementResult> results)
    {
        var writer = new WireWriter();
        writer.WriteByte(Version);
        StatementResultCodec.Write(writer, results);
        return writer.Written;
    }

    /// <exception cref="InvalidDataException">The bytes are damaged, or of a later version.</exception>
    public static IReadOnlyList<StatementResult> Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        return reader.ReadByte() is var version && version == Version
            ? StatementResultCodec.Read(ref reader)
            : throw new InvalidDataException($"Remembered results of version {version}; a newer release may have written them.");
    }
}
