using System.Text.Json;

namespace DistDb.Data;

/// <summary>One try at one node did not succeed.</summary>
internal sealed class NodeFailure(Uri server, string code, string message, Exception? inner = null) : Exception(message, inner)
{
    public Uri Server { get; } = server;

    /// <summary>The node's code, or <see cref="DistDbException.Unreachable"/>.</summary>
    public string Code { get; } = code;

    /// <summary>Whether the request may have reached somebody who may still do it.</summary>
    public bool MayBeDone { get; init; }

    /// <summary>0 where the node gave no answer.</summary>
    public int Status { get; init; }

    /// <summary>Who is the master, where the request was the master's.</summary>
    public Uri? Master { get; init; }

    public TimeSpan RetryAfter { get; init; }

    public int SqliteCode { get; init; }

    public int? Statement { get; init; }

    /// <summary>What became of the transaction: <c>open</c>, <c>rolled_back</c>, <c>committed</c>, <c>unknown</c>; null where it is about none.</summary>
    public string? TransactionState { get; init; }

    /// <summary>Whether the same request may succeed at another node or in a moment. With its id it is done once, however often it is sent.</summary>
    public bool IsWorthAnother => Code is DistDbException.Unreachable or "not_master" or "outcome_unknown" or "no_quorum" or "overloaded" or "not_ready" or "repairing";

    public static NodeFailure Unreachable(Uri server, string reason, bool mayBeDone, Exception? inner = null) =>
        new(server, DistDbException.Unreachable, $"{server.GetLeftPart(UriPartial.Authority)} cannot be reached: {reason.TrimEnd('.')}.", inner) { MayBeDone = mayBeDone };

    /// <param name="server">The node.</param>
    /// <param name="response">Its answer, which is no success.</param>
    /// <param name="body">What it says.</param>
    public static NodeFailure Problem(Uri server, HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        var status = (int)response.StatusCode;
        try
        {
            using var json = JsonDocument.Parse(body);
            if (json.RootElement.ValueKind == JsonValueKind.Object && Text(json.RootElement, "code") is { } code)
            {
                return new(server, code, Text(json.RootElement, "detail") ?? Text(json.RootElement, "title") ?? code)
                {
                    // A defect tells nothing of what was done before it.
                    MayBeDone = code is "outcome_unknown" or "internal",
                    Status = status,
                    Master = Text(json.RootElement, "master") is { } address && Uri.TryCreate(address, UriKind.Absolute, out var master) ? master : null,
                    RetryAfter = response.Headers.RetryAfter?.Delta ?? TimeSpan.Zero,
                    SqliteCode = Number(json.RootElement, "sqlite_code") ?? 0,
                    Statement = Number(json.RootElement, "statement"),
                    TransactionState = Text(json.RootElement, "state"),
                };
            }
        }
        catch (JsonException)
        {
            // Below: it is another server's.
        }

        return NotOurs(server, status);
    }

    /// <summary>Something answers there that is no node.</summary>
    public static NodeFailure NotOurs(Uri server, int status, Exception? inner = null) =>
        new(server, DistDbException.Unreachable, $"{server.GetLeftPart(UriPartial.Authority)} answers (HTTP {status}), but not as a node of DistDb does. Look at the connection string's Servers.", inner) { MayBeDone = true, Status = status };

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? Number(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.TryGetInt32(out var number) ? number : null;
}
