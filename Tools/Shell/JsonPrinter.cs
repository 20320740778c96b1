using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary>An array of objects; values as nodes write them.</summary>
internal sealed class JsonPrinter(TextWriter output) : RowsPrinter(output)
{
    /// <summary>Two columns may have the same name.</summary>
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _buffer = new();

    public override void End() => Output.WriteLine(HasShown ? "]" : "[]");

    protected override void Clear()
    {
    }

    protected override bool Take(SqlValue[] row)
    {
        _buffer.ResetWrittenCount();
        using var json = new Utf8JsonWriter(_buffer, _options);
        json.WriteStartObject();
        for (var i = 0; i < row.Length; i++)
        {
            json.WritePropertyName(Columns[i]);
            SqlValueJson.Write(json, row[i]);
        }

        json.WriteEndObject();
        json.Flush();
        Output.Write(HasShown ? ",\n" : "[");
        Output.Write(Encoding.UTF8.GetString(_buffer.WrittenSpan));
        return true;
    }
}
