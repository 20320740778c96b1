using System.Text.Json;

namespace DistDb.Tests.Support;

/// <summary>What a node answered.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="ContentType">The media type without its parameters.</param>
/// <param name="Text">The body.</param>
internal sealed record Answer(int Status, string? ContentType, string Text)
{
    public bool IsOk => Status == 200;

    /// <summary>The body, which must be JSON.</summary>
    public JsonElement Json => JsonElement.Parse(Text);

    /// <summary>A problem's stable name, or null.</summary>
    public string? Code => ContentType == "application/problem+json" ? Json.GetProperty("code").GetString() : null;

    public string Detail => Json.GetProperty("detail").GetString()!;

    public long Index => Json.GetProperty("index").GetInt64();

    public long RowsAffected => Json.GetProperty("rows_affected").GetInt64();

    /// <summary>The rows as JSON, such as <c>[[1,"a"]]</c>.</summary>
    public string Rows => Json.GetProperty("rows").GetRawText();

    /// <summary>The only value of the only row.</summary>
    public JsonElement Scalar => Json.GetProperty("rows").EnumerateArray().Single().EnumerateArray().Single();
}
