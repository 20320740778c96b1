using System.Buffers;
using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>One JSON object: the columns, their types, the rows, and then where they come from.</summary>
internal sealed class JsonRowsWriter(IBufferWriter<byte> output, bool isPretty, bool asObjects) : IRowsWriter
{
    private readonly Utf8JsonWriter _json = new(output, ResultJson.Options(isPretty));
    private IReadOnlyList<string> _columns = [];

    public string ContentType => "application/json";

    public long PendingBytes => _json.BytesPending;

    public void Begin(IReadOnlyList<string> columns, IReadOnlyList<string> types)
    {
        _columns = columns;
        _json.WriteStartObject();
        ResultJson.BeginRows(_json, columns, types);
    }

    public void Write(SqlValue[] row) => ResultJson.WriteRow(_json, _columns, row, asObjects);

    public void End(long index, int node, double elapsedMs)
    {
        _json.WriteEndArray();
        ResultJson.WriteOrigin(_json, index, node, elapsedMs);
        _json.WriteEndObject();
    }

    public void Commit() => _json.Flush();

    public void Dispose() => _json.Dispose();
}
