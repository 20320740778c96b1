using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DistDb.Node.Commands;
using Microsoft.AspNetCore.Http.Features;

namespace DistDb.Node.Api;

/// <summary>Reads small JSON bodies of requests other than queries. Whatever the Content-Type says: curl's default is a form's.</summary>
internal static class JsonBody
{
    /// <summary>Far more than any of them has; they are not counted among the bytes that requests hold.</summary>
    private const int BytesMax = 64 * 1024;

    /// <param name="context">The request.</param>
    /// <param name="type">What is wanted; members that it does not have are refused where it says so.</param>
    /// <param name="example">How such a body looks, for the refusal.</param>
    /// <param name="ifEmpty">What an empty body means; null where it is refused.</param>
    /// <exception cref="RequestRejectedException">The body is something else.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, string example, T? ifEmpty = null)
        where T : class
    {
        // The web server refuses more.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = BytesMax;
        using var bytes = new MemoryStream();
        await context.Request.Body.CopyToAsync(bytes, context.RequestAborted).ConfigureAwait(false);
        if (bytes.Length == 0 && ifEmpty is not null)
        {
            return ifEmpty;
        }

        try
        {
            return JsonSerializer.Deserialize(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), type)
                ?? throw new RequestRejectedException(FailureCode.BadRequest, $"The body is null; it must be a JSON object such as {example}.");
        }
        catch (JsonException e)
        {
            var where = e.Path is { Length: > 1 } path ? $" at {path[2..]}" : "";
            throw new RequestRejectedException(FailureCode.BadRequest, $"The body cannot be used{where}; it must be a JSON object such as {example}. Nothing was done.");
        }
    }
}
