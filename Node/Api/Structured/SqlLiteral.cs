using System.Globalization;
using DistDb.Node.Commands;

namespace DistDb.Node.Api.Structured;

/// <summary>Values as SQL, for the one place where they cannot be bound: a column's default.</summary>
internal static class SqlLiteral
{
    /// <param name="value">Any value.</param>
    /// <param name="where">The field that it came in, for the refusal.</param>
    /// <exception cref="RequestRejectedException">It is a text with a NUL, at which SQLite would take the statement to end.</exception>
    public static string Of(SqlValue value, string where) => value.Kind switch
    {
        SqlValueKind.Null => "NULL",
        SqlValueKind.Integer => value.Integer.ToString(CultureInfo.InvariantCulture),
        SqlValueKind.Real => SqlValueJson.RealText(value.Real),
        SqlValueKind.Text when value.Text.Contains('\0', StringComparison.Ordinal) => throw new RequestRejectedException(
            FailureCode.BadRequest, $"\"{where}\" contains a NUL character, which a default cannot have. Nothing was done."),
        SqlValueKind.Text => $"'{value.Text.Replace("'", "''", StringComparison.Ordinal)}'",
        SqlValueKind.Blob => $"x'{Convert.ToHexString(value.Blob)}'",
        _ => throw new ArgumentOutOfRangeException(nameof(value), value.Kind, null),
    };
}
