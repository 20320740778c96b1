using System.Buffers;
using System.Text;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary>A cell of a <see cref="ToolTable"/>.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Color">In which colour, on a terminal; null for the usual one.</param>
internal readonly record struct ToolCell(string Text, Color? Color = null)
{
    public static implicit operator ToolCell(string text) => new(text);
}

/// <summary>A table that a tool answers with: for people, or as CSV.</summary>
internal sealed class ToolTable(params string[] columns)
{
    private readonly List<ToolCell[]> _rows = [];

    /// <param name="cells">One for each column.</param>
    public void Add(params ToolCell[] cells) => _rows.Add(cells);

    public void Write(TextWriter output, bool isCsv)
    {
        if (!isCsv)
        {
            ToolConsole.Create(output).Write(ToTable());
            return;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using var csv = new CsvRowsWriter(buffer);
        csv.Begin(columns, []);
        foreach (var row in _rows)
        {
            csv.Write(Array.ConvertAll(row, cell => SqlValue.From(cell.Text)));
        }

        output.Write(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    /// <summary>As it is drawn for people.</summary>
    public Table ToTable()
    {
        var table = ToolConsole.NewTable(columns);
        foreach (var row in _rows)
        {
            table.AddRow(row.Select(cell => new Text(ToolConsole.Printable(cell.Text), cell.Color is { } color ? new(color) : null)));
        }

        return table;
    }
}
