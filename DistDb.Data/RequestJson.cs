using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Data;

/// <summary>Writes the bodies of requests; what has its default value is left out.</summary>
internal static class RequestJson
{
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// <c>POST /query</c> with one statement. What may read is sent as a <c>query</c>, of which the node finds out what it does. What surely writes must not be: the node would hold it against the schema first, which a
    /// copy that was sent before may have changed, and only then against the ids that are done.
    /// </summary>
    public static ReadOnlyMemory<byte> Query(BoundStatement statement, string database, string? id, DistDbConsistency consistency, long minIndex, int? timeoutMs) => Write(json =>
    {
        json.WriteString("command", statement.MayRead ? "query" : "exec");
        WriteStatement(json, statement);
        json.WriteString("database", database);
        if (id is not null)
        {
            json.WriteString("id", id);
        }

        if (consistency == DistDbConsistency.Strong)
        {
            json.WriteString("consistency", "strong");
        }

        if (minIndex > 0)
        {
            json.WriteNumber("min_index", minIndex);
        }

        WriteTimeout(json, timeoutMs);
    });

    /// <summary><c>POST /query</c> with several statements, all or nothing.</summary>
    public static ReadOnlyMemory<byte> Transaction(IReadOnlyList<BoundStatement> statements, string database, string id, int? timeoutMs) => Write(json =>
    {
        json.WriteString("command", "exec");
        WriteStatements(json, "transaction", statements);
        json.WriteString("database", database);
        json.WriteString("id", id);
        WriteTimeout(json, timeoutMs);
    });

    /// <summary><c>POST /transactions</c>.</summary>
    public static ReadOnlyMemory<byte> Begin(string database, string mode) => Write(json =>
    {
        json.WriteString("database", database);
        json.WriteString("mode", mode);
    });

    /// <summary><c>POST /transactions/{id}</c>.</summary>
    public static ReadOnlyMemory<byte> Steps(IReadOnlyList<BoundStatement> statements, string? end = null) => Write(json =>
    {
        if (statements.Count > 0)
        {
            WriteStatements(json, "statements", statements);
        }

        if (end is not null)
        {
            json.WriteBoolean(end, true);
        }
    });

    private static ReadOnlyMemory<byte> Write(Action<Utf8JsonWriter> fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, _options);
        json.WriteStartObject();
        fields(json);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    private static void WriteStatements(Utf8JsonWriter json, string name, IReadOnlyList<BoundStatement> statements)
    {
        json.WriteStartArray(name);
        foreach (var statement in statements)
        {
            json.WriteStartObject();
            WriteStatement(json, statement);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteStatement(Utf8JsonWriter json, BoundStatement statement)
    {
        json.WriteString("query", statement.Sql);
        if (statement.Values.Count > 0)
        {
            json.WriteStartArray("params");
            foreach (SqlValue value in statement.Values)
            {
                SqlValueJson.Write(json, value);
            }

            json.WriteEndArray();
        }
    }

    private static void WriteTimeout(Utf8JsonWriter json, int? timeoutMs)
    {
        if (timeoutMs is { } ms)
        {
            json.WriteNumber("timeout_ms", ms);
        }
    }
}
