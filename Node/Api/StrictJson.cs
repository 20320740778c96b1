using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>
/// Reads single JSON values strictly: a wrong type or a number that cannot be kept exactly is refused by name, because whatever would be guessed could be
/// data that is lost or changed. Each method expects the reader at the value's first token and leaves it at its last.
/// </summary>
internal static class StrictJson
{
    /// <summary>How to read a body.</summary>
    public static readonly JsonReaderOptions Options = new() { MaxDepth = 16 };

    public static RequestRejectedException Bad(string detail) => new(FailureCode.BadRequest, detail);

    /// <summary>Reads a whole body, and says in words where it is no JSON.</summary>
    /// <exception cref="RequestRejectedException">It is none, or <paramref name="read"/> refuses it.</exception>
    public static T ReadBody<T>(ReadOnlySpan<byte> body, RequestBody.Parser<T> read)
    {
        try
        {
            return body.TrimStart(" \t\r\n"u8).IsEmpty ? throw Bad("The body is empty; send a JSON object.") : read(body);
        }
        catch (JsonException e)
        {
            throw Bad($"The body is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}). Check quotes and commas there.");
        }
        catch (InvalidOperationException)
        {
            // The reader's word for a string whose escapes make no Unicode text.
            throw Bad("A string in the body is not valid Unicode text (half of a surrogate pair, or broken UTF-8).");
        }
    }

    /// <exception cref="RequestRejectedException">Something follows.</exception>
    public static void RequireEnd(ref Utf8JsonReader reader)
    {
        if (reader.Read())
        {
            throw Bad("The body has more than one JSON value.");
        }
    }

    /// <exception cref="RequestRejectedException">It is no string.</exception>
    public static string ReadText(ref Utf8JsonReader reader, string where)
    {
        Expect(ref reader, JsonTokenType.String, $"\"{where}\"", "a string");
        return reader.GetString()!;
    }

    /// <summary>A string, or null for null.</summary>
    /// <exception cref="RequestRejectedException">It is neither.</exception>
    public static string? ReadOptionalText(ref Utf8JsonReader reader, string where) =>
        reader.TokenType == JsonTokenType.Null ? null : ReadText(ref reader, where);

    /// <summary>A boolean; null is false.</summary>
    /// <exception cref="RequestRejectedException">It is none.</exception>
    public static bool ReadFlag(ref Utf8JsonReader reader, string where) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False or JsonTokenType.Null => false,
        var other => throw Bad($"\"{where}\" must be true or false, not {Describe(other)}."),
    };

    /// <summary>A whole number from 0, or null for null.</summary>
    /// <param name="reader">At the value.</param>
    /// <param name="where">The field.</param>
    /// <param name="what">What it stands for, for the refusal.</param>
    /// <exception cref="RequestRejectedException">It is neither.</exception>
    public static long? ReadCount(ref Utf8JsonReader reader, string where, string what)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var count) && count >= 0
            ? count
            : throw Bad($"\"{where}\" must be {what}: a whole number from 0.");
    }

    /// <summary>A number of something, from 1; null where it is left out.</summary>
    /// <exception cref="RequestRejectedException">It is anything else.</exception>
    public static long? ReadPositive(ref Utf8JsonReader reader, string where, long max, string unit)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var count) && count >= 1 && count <= max
            ? count
            : throw Bad($"\"{where}\" must be a number of {unit}: a whole number from 1 to {max}.");
    }

    /// <summary>An SQL value: null, a boolean as 1 or 0, a number, a string, or a blob as <c>{"base64": "..."}</c>.</summary>
    /// <exception cref="RequestRejectedException">It is anything else, or an integer beyond 64 bits.</exception>
    public static SqlValue ReadValue(ref Utf8JsonReader reader, string where)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return SqlValue.Null;
            case JsonTokenType.True:
                return SqlValue.From(1);
            case JsonTokenType.False:
                return SqlValue.From(0);
            case JsonTokenType.String:
                return SqlValue.From(reader.GetString()!);
            case JsonTokenType.Number:
                return ReadNumber(ref reader, where);
            case JsonTokenType.StartObject:
                return ReadBlob(ref reader, where);
            default:
                throw Bad($"\"{where}\" is {Describe(reader.TokenType)}; a value is null, a boolean, a number, a string, or {{\"base64\": \"...\"}} for a blob. To store JSON, send it as a string.");
        }
    }

    /// <exception cref="RequestRejectedException">The reader is at something else.</exception>
    public static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what, string expected)
    {
        if (reader.TokenType != type)
        {
            throw Bad($"{what} must be {expected}, not {Describe(reader.TokenType)}.");
        }
    }

    /// <summary>What a value is, in words.</summary>
    public static string Describe(JsonTokenType type) => type switch
    {
        JsonTokenType.Null => "null",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        JsonTokenType.Number => "a number",
        JsonTokenType.String => "a string",
        JsonTokenType.StartArray => "an array",
        _ => "an object",
    };

    private static SqlValue ReadNumber(ref Utf8JsonReader reader, string where)
    {
        if (reader.TryGetInt64(out var integer))
        {
            return SqlValue.From(integer);
        }

        // Written as an integer but beyond 64 bits: a double would silently be another number.
        return reader.ValueSpan.IndexOfAny("."u8[0], "e"u8[0], "E"u8[0]) < 0
            ? throw Bad($"\"{where}\" is an integer beyond 64 bits. Send it as a string, or with a fraction (such as 1e20) if an approximation will do.")
            : SqlValue.From(reader.GetDouble());
    }

    private static SqlValue ReadBlob(ref Utf8JsonReader reader, string where)
    {
        byte[]? bytes = null;
        if (reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("base64"u8)
            && reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            bytes = reader.TryGetBytesFromBase64(out var decoded)
                ? decoded
                : throw Bad($"\"{where}.base64\" is not valid base64.");
        }

        return bytes is not null && reader.Read() && reader.TokenType == JsonTokenType.EndObject
            ? SqlValue.From(bytes)
            : throw Bad($"\"{where}\" is an object; the only one allowed as a value is {{\"base64\": \"...\"}}. To store JSON, send it as a string.");
    }
}
