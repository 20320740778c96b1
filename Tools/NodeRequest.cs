using System.Buffers;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Tools;

/// <summary>The body of <c>POST /query</c>, as far as the tools use it.</summary>
/// <param name="Command"><c>query</c> for rows, <c>exec</c> for writes.</param>
/// <param name="Sql">One statement.</param>
public sealed record NodeRequest(string Command, string Sql)
{
    /// <summary>Values for the statement's <c>?</c>, in order.</summary>
    public IReadOnlyList<SqlValue> Parameters { get; init; } = [];

    /// <summary>The statements of a transaction in place of the one; null for none.</summary>
    public IReadOnlyList<string>? Transaction { get; init; }

    public string Database { get; init; } = "main";

    /// <summary>Makes a repeated write apply once.</summary>
    public string? Id { get; init; }

    /// <summary><c>strong</c> for a linearizable read; null for one of what the node has.</summary>
    public string? Consistency { get; init; }

    /// <summary>The read waits until the node has applied this index; 0 waits for nothing.</summary>
    public long MinIndex { get; init; }

    public static NodeRequest Query(string sql, params SqlValue[] parameters) => new("query", sql) { Parameters = parameters };

    /// <summary>All statements or none.</summary>
    public static NodeRequest All(IReadOnlyList<string> statements) => new("exec", "") { Transaction = statements };

    public static NodeRequest Exec(string sql, params SqlValue[] parameters) => new("exec", sql) { Parameters = parameters };

    /// <summary>The body as UTF-8 JSON; what has its default value is left out.</summary>
    public ReadOnlyMemory<byte> ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("command", Command);
        if (Transaction is null)
        {
            json.WriteString("query", Sql);
        }
        else
        {
            json.WriteStartArray("transaction");
            foreach (var statement in Transaction)
            {
                json.WriteStartObject();
                json.WriteString("query", statement);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (Parameters.Count > 0)
        {
            json.WriteStartArray("params");
            foreach (var value in Parameters)
            {
                SqlValueJson.Write(json, value);
            }

            json.WriteEndArray();
        }

        if (Database != "main")
        {
            json.WriteString("database", Database);
        }

        if (Id is not null)
        {
            json.WriteString("id", Id);
        }

        if (Consistency is not null)
        {
            json.WriteString("consistency", Consistency);
        }

        if (MinIndex > 0)
        {
            json.WriteNumber("min_index", MinIndex);
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
