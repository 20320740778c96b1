namespace DistDb.Node.Database;

/// <summary>What may surround a statement without being one: white space, comments and semicolons.</summary>
internal static class SqlTail
{
    /// <summary>The text from its first byte that is neither white space, comment nor semicolon; empty where there is none.</summary>
    public static ReadOnlySpan<byte> SkipBlank(ReadOnlySpan<byte> sql)
    {
        while (!sql.IsEmpty)
        {
            if (sql[0] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f' or (byte)';')
            {
                sql = sql[1..];
            }
            else if (sql.StartsWith("--"u8))
            {
                var end = sql.IndexOf((byte)'\n');
                sql = end < 0 ? [] : sql[(end + 1)..];
            }
            else if (sql.StartsWith("/*"u8))
            {
                // SQLite takes a comment without an end for one that reaches to the end.
                var end = sql[2..].IndexOf("*/"u8);
                sql = end < 0 ? [] : sql[(end + 4)..];
            }
            else
            {
                break;
            }
        }

        return sql;
    }
}
