using DistDb.Node.Commands;

namespace DistDb.Node.Replication;

/// <summary>About how many bytes a write takes in memory and in the log; for limits, where a rough figure will do.</summary>
internal static class WriteSize
{
    private const int StatementOverhead = 100;
    private const int ValueOverhead = 16;

    public static long Of(IReadOnlyList<Statement> statements)
    {
        long bytes = 0;
        foreach (var statement in statements)
        {
            bytes += StatementOverhead + statement.Sql.Length;
            IEnumerable<SqlValue> values = statement.Parameters.Named?.Values ?? statement.Parameters.Positional ?? [];
            foreach (var value in values)
            {
                bytes += ValueOverhead + value.Kind switch
                {
                    SqlValueKind.Text => value.Text.Length,
                    SqlValueKind.Blob => value.Blob.Length,
                    _ => 0,
                };
            }
        }

        return bytes;
    }
}
