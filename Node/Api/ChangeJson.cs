using System.Text.Json;
using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;

namespace DistDb.Node.Api;

/// <summary>Changes as those who follow get them; values as <c>POST /query</c> answers them.</summary>
internal static class ChangeJson
{
    public static void Write(Utf8JsonWriter json, Change change)
    {
        json.WriteStartObject();
        json.WriteNumber("write"u8, change.Write);
        if (change.WriteId is { } id)
        {
            json.WriteString("id"u8, id);
        }

        json.WriteString("operation"u8, change.Operation);
        if (change.Operation == Change.Schema)
        {
            json.WriteString("statement"u8, change.Statement);
            if (change.Name is { } name)
            {
                json.WriteString("name"u8, name);
            }

            json.WriteString("sql"u8, change.Sql);
        }
        else
        {
            json.WriteString("table"u8, change.Table);
            Write(json, "key"u8, change.Key);
            Write(json, "old_key"u8, change.OldKey);
            Write(json, "values"u8, change.Values);
        }

        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<(string Name, SqlValue Value)>? values)
    {
        if (values is null)
        {
            return;
        }

        json.WriteStartObject(name);
        foreach (var (column, value) in values)
        {
            json.WritePropertyName(column);
            SqlValueJson.Write(json, value);
        }

        json.WriteEndObject();
    }
}
