using System.Buffers;
using System.Text;
using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary>The CSV that a node itself would send.</summary>
internal sealed class CsvPrinter(TextWriter output) : RowsPrinter(output)
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private bool _hasNames;

    public override void End()
    {
        using var csv = new CsvRowsWriter(_buffer);
        ShowNames(csv);
        Flush();
    }

    protected override void Clear()
    {
    }

    protected override bool Take(SqlValue[] row)
    {
        using var csv = new CsvRowsWriter(_buffer);
        ShowNames(csv);
        csv.Write(row);
        Flush();
        return true;
    }

    private void ShowNames(CsvRowsWriter csv)
    {
        if (!_hasNames)
        {
            _hasNames = true;
            csv.Begin(Columns, []);
        }
    }

    private void Flush()
    {
        Output.Write(Encoding.UTF8.GetString(_buffer.WrittenSpan));
        _buffer.ResetWrittenCount();
    }
}
