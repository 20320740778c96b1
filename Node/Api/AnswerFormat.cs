using Microsoft.Net.Http.Headers;

namespace DistDb.Node.Api;

/// <summary>Which format a client wants for rows, by its <c>Accept</c> header.</summary>
internal static class AnswerFormat
{
    private static readonly MediaTypeHeaderValue _json = new("application/json");
    private static readonly MediaTypeHeaderValue _csv = new("text/csv");

    /// <summary>
    /// Whether CSV is preferred to JSON. The range that names a type most closely counts for it, and JSON wins a tie, so that <c>*/*</c> is JSON.
    /// Where neither is wanted the answer is JSON as well, as RFC 9110 (12.5.1) allows: better than an error after the work was done.
    /// </summary>
    public static bool IsCsv(IList<MediaTypeHeaderValue> accept) => Quality(accept, _csv) > Quality(accept, _json);

    private static double Quality(IList<MediaTypeHeaderValue> accept, MediaTypeHeaderValue type) =>
        accept.Where(range => type.IsSubsetOf(new(range.MediaType)))
            .OrderBy(range => range.MatchesAllTypes ? 2 : range.MatchesAllSubTypes ? 1 : 0)
            .Select(range => range.Quality ?? 1)
            .FirstOrDefault();
}
