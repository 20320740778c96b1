using System.Text.Json;
using DistDb.Node.Api;

namespace DistDb.Tools;

/// <summary>
/// One JSON object for programs. It is written while the comparison runs, so the tables come first, in no more memory than one table's
/// rows take.
/// </summary>
internal sealed class JsonComparisonReport : IComparisonReport, IDisposable
{
    private readonly TextWriter _output;
    private readonly MemoryStream _buffer = new();
    private readonly Utf8JsonWriter _json;

    public JsonComparisonReport(TextWriter output)
    {
        _output = output;
        _json = new(_buffer);
        _json.WriteStartObject();
        _json.WriteStartArray("tables");
    }

    public void Add(TableComparison table)
    {
        _json.WriteStartObject();
        _json.WriteString("database", table.Database);
        _json.WriteString("table", table.Table);
        _json.WriteBoolean("identical", table.Finding is null);
        _json.WriteStartArray("replicas");
        foreach (var content in table.Contents)
        {
            WriteContent(content);
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
        Flush();
    }

    public void Finish(ComparisonResult result)
    {
        _json.WriteEndArray();
        _json.WriteBoolean("identical", result.Identical);
        _json.WriteBoolean("complete", result.Compared.Count == result.Replicas.Count);
        _json.WriteNumber("index_min", result.IndexMin);
        _json.WriteNumber("index_max", result.IndexMax);
        _json.WriteStartArray("nodes");
        foreach (var replica in result.Replicas)
        {
            _json.WriteStartObject();
            _json.WriteNumber("id", replica.Id);
            _json.WriteString("address", replica.Address.GetLeftPart(UriPartial.Authority));
            _json.WriteString("failure", replica.Failure);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteStartArray("findings");
        foreach (var finding in result.Findings)
        {
            _json.WriteStartObject();
            _json.WriteString("kind", finding.Kind switch
            {
                FindingKind.Schema => "schema",
                FindingKind.Rows => "rows",
                FindingKind.Undecided => "undecided",
                _ => throw new ArgumentOutOfRangeException(nameof(result), finding.Kind, null),
            });
            _json.WriteString("database", finding.Database);
            _json.WriteString("name", finding.Name);
            _json.WriteString("detail", finding.Detail);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
        Flush();
        _output.WriteLine();
    }

    public void Dispose()
    {
        _json.Dispose();
        _buffer.Dispose();
    }

    private void WriteContent(TableContent content)
    {
        _json.WriteStartObject();
        _json.WriteNumber("node", content.Replica.Id);
        if (content.RowCount is { } count)
        {
            _json.WriteNumber("row_count", count);
        }
        else
        {
            _json.WriteNull("row_count");
        }

        _json.WriteStartArray("columns");
        foreach (var column in content.Columns)
        {
            _json.WriteStringValue(column);
        }

        _json.WriteEndArray();
        _json.WriteStartArray("rows");
        foreach (var row in content.Rows)
        {
            _json.WriteStartArray();
            foreach (var value in row)
            {
                SqlValueJson.Write(_json, value);
            }

            _json.WriteEndArray();
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    private void Flush()
    {
        _json.Flush();
        _output.Write(System.Text.Encoding.UTF8.GetString(_buffer.GetBuffer(), 0, (int)_buffer.Length));
        _buffer.SetLength(0);
    }
}
