using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// The bytes of a write's results, as the request ledger keeps them. They are part of the database file, so the layout never changes
/// without a new version byte.
/// <code>
/// results   version: byte (1), count, count x result
/// result    rows affected: signed, last insert id: signed, has rows: byte (0, 1), [rows]
/// rows      column count, count x (name: text, type: text), row count, count x (column count x value)
/// value     as in <see cref="LogCommandCodec"/>
/// </code>
/// </summary>
internal static class ResultCodec
{
    private const byte Version = 1;

    public static ReadOnlyMemory<byte> Encode(IReadOnlyList<StatementResult> results)
    {
        var writer = new WireWriter();
        writer.WriteByte(Version);
        writer.WriteUnsigned((ulong)results.Count);
        foreach (var result in results)
        {
            writer.WriteSigned(result.RowsAffected);
            writer.WriteSigned(result.LastInsertId);
            writer.WriteBool(result.Rows is not null);
            if (result.Rows is { } rows)
            {
                WriteRows(writer, rows);
            }
        }

        return writer.Written;
    }

    /// <exception cref="InvalidDataException">The bytes are damaged, or of a later version.</exception>
    public static IReadOnlyList<StatementResult> Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        if (reader.ReadByte() is var version && version != Version)
        {
            throw new InvalidDataException($"Remembered results of version {version}; a newer release may have written them.");
        }

        var results = new StatementResult[reader.ReadCount()];
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = new(reader.ReadSigned(), reader.ReadSigned(), reader.ReadBool() ? ReadRows(ref reader) : null);
        }

        return results;
    }

    private static void WriteRows(WireWriter writer, RowSet rows)
    {
        writer.WriteUnsigned((ulong)rows.Columns.Count);
        for (var i = 0; i < rows.Columns.Count; i++)
        {
            writer.WriteText(rows.Columns[i]);
            writer.WriteText(rows.Types[i]);
        }

        writer.WriteUnsigned((ulong)rows.Rows.Count);
        foreach (var row in rows.Rows)
        {
            foreach (var value in row)
            {
                LogCommandCodec.WriteValue(writer, value);
            }
        }
    }

    private static RowSet ReadRows(ref WireReader reader)
    {
        var columns = new string[reader.ReadCount()];
        var types = new string[columns.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = reader.ReadText();
            types[i] = reader.ReadText();
        }

        var rows = new SqlValue[reader.ReadCount()][];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = new SqlValue[columns.Length];
            for (var column = 0; column < columns.Length; column++)
            {
                rows[i][column] = LogCommandCodec.ReadValue(ref reader);
            }
        }

        return new(columns, types, rows);
    }
}
