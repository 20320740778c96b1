using System.Text;
using System.Text.Json;

namespace DistDb.Tests.Fuzz;

/// <summary>What every answer of a node must be, whatever it was asked.</summary>
/// <param name="secrets">Paths of files that no answer may tell.</param>
internal sealed class AnswerCheck(params string[] secrets)
{
    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The codes of the README with their statuses, and those of addresses. A node that is well has no other to give.</summary>
    private static readonly Dictionary<string, int> _codes = new()
    {
        ["bad_request"] = 400,
        ["sql_error"] = 400,
        ["constraint"] = 409,
        ["id_reused"] = 409,
        ["conflict"] = 409,
        ["forbidden"] = 403,
        ["not_master"] = 403,
        ["privileged_flag"] = 403,
        ["no_such_database"] = 404,
        ["no_such_node"] = 404,
        ["not_found"] = 404,
        ["method_not_allowed"] = 405,
        ["timeout"] = 408,
        ["too_large"] = 413,
        ["overloaded"] = 503,

        // On a machine that is busy with other things a leader may be late.
        ["no_quorum"] = 503,
        ["outcome_unknown"] = 504,
    };

    /// <summary>Judges an answer.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="mediaType">The content type without parameters, or null.</param>
    /// <param name="body">All of it.</param>
    /// <param name="code">Its code, or <c>ok</c>.</param>
    /// <returns>What is wrong with it, or null.</returns>
    public string? Judge(int status, string? mediaType, byte[] body, out string code)
    {
        code = $"status {status}";
        string text;
        try
        {
            text = _strict.GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return "it is not UTF-8";
        }

        if (Array.Find([.. secrets, "   at ", "Exception", "DistDb.Node", "Microsoft."], word => text.Contains(word, StringComparison.Ordinal)) is { } secret)
        {
            return $"it tells \"{secret}\"";
        }

        switch (mediaType)
        {
            case "application/json" when status == 200 || (status == 503 && text.StartsWith("{\"status\":\"not_ready\"", StringComparison.Ordinal)):
                code = "ok";
                return IsObject(text) ? null : "it is not a JSON object";
            case "text/csv" or "text/plain" when status == 200:
                code = "ok";
                return null;
            case "application/problem+json":
                return IsObject(text) ? JudgeProblem(JsonElement.Parse(text), status, ref code) : "it is not a JSON object";
            default:
                return $"its content type is {mediaType ?? "none"} with status {status}";
        }
    }

    private static string? JudgeProblem(JsonElement problem, int status, ref string code)
    {
        foreach (var member in (string[])["type", "title", "detail", "code"])
        {
            if (!problem.TryGetProperty(member, out var value) || value.ValueKind != JsonValueKind.String || value.GetString()!.Length == 0)
            {
                return $"the problem has no {member}";
            }
        }

        code = problem.GetProperty("code").GetString()!;
        return !_codes.TryGetValue(code, out var expected) ? $"its code is {code}"
            : expected != status && !(code == "bad_request" && status is >= 400 and < 500) ? $"its status is {status} for {code}"
            : problem.TryGetProperty("status", out var told) && told.GetInt32() != status ? $"its status is {status}, and it tells of {told}"
            : null;
    }

    private static bool IsObject(string text)
    {
        try
        {
            return JsonElement.Parse(text).ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
