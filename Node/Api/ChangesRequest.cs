using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;

namespace DistDb.Node.Api;

/// <summary>What <c>GET /changes</c> is asked for.</summary>
/// <param name="Database">The database.</param>
/// <param name="Tables">Whose rows are wanted; empty for all.</param>
/// <param name="From">What the client has seen; null for whatever there is now.</param>
internal sealed record ChangesRequest(DatabaseName Database, IReadOnlyList<string> Tables, ChangePosition? From)
{
    /// <summary>The header with which a browser connects again.</summary>
    public const string LastEventId = "Last-Event-ID";

    private static readonly string[] _known = ["database", "table", "from"];

    /// <exception cref="RequestRejectedException">A parameter is unknown or wrong.</exception>
    public static ChangesRequest Read(HttpRequest request)
    {
        var query = request.Query;
        if (query.Keys.FirstOrDefault(k => !_known.Contains(k, StringComparer.Ordinal)) is { } unknown)
        {
            throw StrictJson.Bad($"Unknown parameter \"{unknown}\". Known ones: {string.Join(", ", _known)}.");
        }

        if (query["database"].Count > 1 || query["from"].Count > 1)
        {
            throw StrictJson.Bad("\"database\" and \"from\" are given once; \"table\" as often as you like.");
        }

        var name = query["database"].FirstOrDefault() is { Length: > 0 } given ? given : DatabaseName.Main.Value;
        if (!DatabaseName.TryParse(name, out var database))
        {
            throw StrictJson.Bad($"\"{name}\" is no name of a database.");
        }

        if (database == DatabaseName.HistoryQuery)
        {
            throw StrictJson.Bad($"The changes of \"{database}\" are not kept: each of its rows tells of a write. Query it, or GET /history.");
        }

        // A browser that connects again sends where it was; the address stays as the page had it.
        return request.Headers[LastEventId].ToString() is { Length: > 0 } last ? new(database, TablesOf(query), Parse(last, $"The header {LastEventId}"))
            : query["from"].FirstOrDefault() is { Length: > 0 } from ? new(database, TablesOf(query), Parse(from, "\"from\""))
            : new(database, TablesOf(query), null);
    }

    /// <summary>Whether a change is wanted. Those of the schema always are: they may rename a table.</summary>
    public bool Wants(Change change) => change.Table is null || Tables.Count == 0 || Tables.Contains(change.Table, StringComparer.OrdinalIgnoreCase);

    private static string[] TablesOf(IQueryCollection query) => [.. query["table"].Where(t => !string.IsNullOrEmpty(t)).Select(t => t!)];

    private static ChangePosition Parse(string text, string where) => ChangePosition.TryParse(text, out var position)
        ? position
        : throw StrictJson.Bad($"{where} must be the index of an entry, as the answers' X-DistDb-Index has it, or the id of an event.");
}
