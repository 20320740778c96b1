using DistDb.Node.Commands;

namespace DistDb.Node.Api.Structured;

/// <summary>A command that names a table and its columns in place of SQL. Names are as the client gave them; <see cref="StructuredSql"/> makes statements of it.</summary>
/// <param name="Table">The table, or the view.</param>
internal abstract record StructuredCommand(string Table);

/// <param name="Columns">In their order; at least one.</param>
/// <param name="IfNotExists">Whether a table that is there already is left as it is.</param>
internal sealed record CreateTableCommand(string Table, IReadOnlyList<ColumnDefinition> Columns, bool IfNotExists) : StructuredCommand(Table);

/// <param name="IfExists">Whether it will do if there is none.</param>
internal sealed record DropTableCommand(string Table, bool IfExists) : StructuredCommand(Table);

/// <param name="Rows">At least one; all with the same columns, in any order.</param>
internal sealed record InsertCommand(string Table, IReadOnlyList<IReadOnlyList<ColumnValue>> Rows) : StructuredCommand(Table);

/// <param name="Data">The new values; at least one.</param>
/// <param name="Conditions">What a row must fulfil, all of it; none for all rows.</param>
internal sealed record UpdateCommand(string Table, IReadOnlyList<ColumnValue> Data, IReadOnlyList<Comparison> Conditions) : StructuredCommand(Table);

/// <param name="Conditions">What a row must fulfil, all of it; none for all rows.</param>
internal sealed record DeleteCommand(string Table, IReadOnlyList<Comparison> Conditions) : StructuredCommand(Table);

/// <param name="Conditions">What a row must fulfil, all of it; none for all rows.</param>
/// <param name="Columns">What to give back, or null for every column.</param>
/// <param name="Order">Most important first.</param>
/// <param name="Limit">Most rows, or null for all.</param>
/// <param name="Offset">Rows to leave out before the first one.</param>
internal sealed record SearchCommand(
    string Table, IReadOnlyList<Comparison> Conditions, IReadOnlyList<string>? Columns, IReadOnlyList<Ordering> Order, long? Limit, long Offset)
    : StructuredCommand(Table);

/// <summary>A column and its value.</summary>
internal readonly record struct ColumnValue(string Column, SqlValue Value);

/// <summary>A column to sort by.</summary>
internal readonly record struct Ordering(string Column, bool IsDescending);

/// <summary>What a column's value must be.</summary>
/// <param name="Column">The column.</param>
/// <param name="Operator">How it is compared.</param>
/// <param name="Values">Any number for <see cref="ComparisonOperator.In"/>, two for <see cref="ComparisonOperator.Between"/>, else one.</param>
internal sealed record Comparison(string Column, ComparisonOperator Operator, IReadOnlyList<SqlValue> Values);

/// <summary>How values are compared. NULL equals NULL here, and is not equal to any other value.</summary>
internal enum ComparisonOperator
{
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Like,
    In,
    Between,
}
