using DistDb.Node.Commands;
using Spectre.Console;

namespace DistDb.Tools.Shell;

/// <summary>Tables for people. The columns' widths are those of the rows at hand, so a long result comes as several tables.</summary>
internal sealed class TablePrinter(TextWriter output, bool isTerminal) : RowsPrinter(output)
{
    /// <summary>Some screens full: more at once would keep people waiting, and the memory full.</summary>
    private const int RowsOfTable = 1000;

    private static readonly Style _null = new(Color.Grey, decoration: Decoration.Italic);
    private static readonly Style _blob = new(Color.Blue);

    private readonly List<SqlValue[]> _rows = [];
    private readonly IAnsiConsole _console = ToolConsole.Create(output);

    public override void End()
    {
        if (_rows.Count > 0)
        {
            Show();
        }
    }

    protected override void Clear() => _rows.Clear();

    protected override bool Take(SqlValue[] row)
    {
        _rows.Add(row);
        if (_rows.Count < RowsOfTable)
        {
            return false;
        }

        Show();
        return true;
    }

    private void Show()
    {
        var table = ToolConsole.NewTable(Columns);
        for (var i = 0; i < Columns.Count; i++)
        {
            table.Columns[i].NoWrap = !isTerminal;
            if (_rows.TrueForAll(row => row[i].Kind is SqlValueKind.Integer or SqlValueKind.Real or SqlValueKind.Null))
            {
                table.Columns[i].Alignment = Justify.Right;
            }
        }

        foreach (var row in _rows)
        {
            table.AddRow(row.Select(value => new Text(ToolConsole.Show(value, quoted: false, cut: isTerminal), value.Kind switch
            {
                SqlValueKind.Null => _null,
                SqlValueKind.Blob => _blob,
                _ => null,
            })));
        }

        _console.Write(table);
        _rows.Clear();
    }
}
