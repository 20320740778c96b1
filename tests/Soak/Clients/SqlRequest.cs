using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DistDb.Tests.Soak.Clients;

/// <summary>What is asked of a node.</summary>
/// <param name="IsRead">Rows are asked for, and nothing is changed.</param>
/// <param name="Statements">One, or several that are one transaction.</param>
internal sealed record SqlRequest(bool IsRead, params IReadOnlyList<(string Query, object[] Params)> Statements)
{
    private static readonly JsonSerializerOptions _json = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>Where.</summary>
    public string Database { get; init; } = "main";

    /// <summary>It changes the schema, or the databases themselves: the master's business.</summary>
    public bool IsSchema { get; init; }

    /// <summary>The body of a request.</summary>
    /// <param name="id">The write's idempotency key, or null.</param>
    /// <param name="isStrong">Of a read.</param>
    public byte[] Body(string? id, bool isStrong) => Statements.Count == 1
        ? JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                command = IsRead ? "query" : "exec",
                database = Database,
                query = Statements[0].Query,
                @params = Statements[0].Params,
                consistency = isStrong ? "strong" : null,
                id,
            },
            _json)
        : JsonSerializer.SerializeToUtf8Bytes(
            new { command = "exec", database = Database, transaction = Statements.Select(s => new { query = s.Query, @params = s.Params }), id }, _json);
}
