namespace DistDb.Node.Commands;

/// <summary>
/// The bytes of a write's outcome, as remembered under an idempotency key and as sent between nodes.
/// <code>
/// results  count, count x (rows affected: signed, last insert id: signed, has rows: bool, [row set])
/// row set  columns: count, count x (name: text, type: text), rows: count, count x (value per column)
/// </code>
/// </summary>
public static class StatementResultCodec
{
    public static void Write(WireWriter writer, IReadOnlyList<StatementResult> results)
    {
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
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static IReadOnlyList<StatementResult> Read(ref WireReader reader)
    {
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
        for (var r = 0; r < rows.Length; r++)
        {
            rows[r] = new SqlValue[columns.Length];
            for (var c = 0; c < columns.Length; c++)
            {
                rows[r][c] = LogCommandCodec.ReadValue(ref reader);
            }
        }

        return new(columns, types, rows);
    }
}
