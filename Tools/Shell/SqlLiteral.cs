using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary>Values as SQL that gives exactly them.</summary>
internal static class SqlLiteral
{
    public static string Of(SqlValue value) => value.Kind switch
    {
        SqlValueKind.Real => SqlValueJson.RealText(value.Real),
        // SQLite takes a NUL for the end of the statement.
        SqlValueKind.Text when value.Text.Contains('\0', StringComparison.Ordinal) =>
            $"CAST(x'{Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(value.Text))}' AS TEXT)",
        SqlValueKind.Text => $"'{value.Text.Replace("'", "''", StringComparison.Ordinal)}'",
        _ => value.ToString(),
    };
}
