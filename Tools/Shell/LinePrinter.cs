using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary><c>name = value</c>, and an empty line between rows; values are not cut.</summary>
internal sealed class LinePrinter(TextWriter output) : RowsPrinter(output)
{
    public override void End()
    {
    }

    protected override void Clear()
    {
    }

    protected override bool Take(SqlValue[] row)
    {
        if (HasShown)
        {
            Output.WriteLine();
        }

        var width = Columns.Max(column => column.Length);
        for (var i = 0; i < row.Length; i++)
        {
            Output.WriteLine($"{ToolConsole.Printable(Columns[i]).PadLeft(width)} = {ToolConsole.Show(row[i], quoted: false, cut: false)}");
        }

        return true;
    }
}
