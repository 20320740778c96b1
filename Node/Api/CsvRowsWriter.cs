using System.Buffers;
using System.Globalization;
using System.Text;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>
/// CSV as of RFC 4180: a line of column names, then one for each row. NULL is an empty field and empty text a quoted one; integers and reals
/// are written as in JSON, so that they read back as they were; blobs are base64.
/// </summary>
internal sealed class CsvRowsWriter(IBufferWriter<byte> output) : IRowsWriter
{
    private static readonly SearchValues<char> _quoted = SearchValues.Create(",\"\r\n");

    public string ContentType => "text/csv; charset=utf-8; header=present";

    public long PendingBytes => 0;

    public void Begin(IReadOnlyList<string> columns, IReadOnlyList<string> types)
    {
        for (var i = 0; i < columns.Count; i++)
        {
            Separate(i);
            WriteText(columns[i]);
        }

        output.Write("\r\n"u8);
    }

    public void Write(SqlValue[] row)
    {
        for (var i = 0; i < row.Length; i++)
        {
            Separate(i);
            WriteValue(row[i]);
        }

        output.Write("\r\n"u8);
    }

    /// <summary>The format has no place for it: the response's headers say where the rows come from.</summary>
    public void End(long index, int node, double elapsedMs)
    {
    }

    public void Commit()
    {
    }

    public void Dispose()
    {
    }

    private void Separate(int column)
    {
        if (column > 0)
        {
            output.Write(","u8);
        }
    }

    private void WriteValue(SqlValue value)
    {
        switch (value.Kind)
        {
            case SqlValueKind.Null:
                break;
            case SqlValueKind.Integer:
                WritePlain(value.Integer.ToString(CultureInfo.InvariantCulture));
                break;
            case SqlValueKind.Real:
                WritePlain(SqlValueJson.RealText(value.Real));
                break;
            case SqlValueKind.Text:
                WriteText(value.Text);
                break;
            case SqlValueKind.Blob:
                WriteText(Convert.ToBase64String(value.Blob));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value.Kind, null);
        }
    }

    private void WriteText(string text)
    {
        if (text.Length == 0 || text.AsSpan().ContainsAny(_quoted))
        {
            WritePlain($"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        }
        else
        {
            WritePlain(text);
        }
    }

    private void WritePlain(string text) => Encoding.UTF8.GetBytes(text, output);
}
