using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Api;

/// <summary>Makes a query of what <c>GET /history</c> asks for: filters in the URL, all of which must match, newest rows first.</summary>
internal static class HistoryRequest
{
    private const int LimitDefault = 100;
    private const int LimitMax = 10_000;

    private static readonly string[] _known = ["database", "table", "node", "operation", "contains", "since", "limit", "objects", "pretty"];

    /// <exception cref="RequestRejectedException">A filter is unknown or wrong.</exception>
    public static QueryRequest Read(IQueryCollection query)
    {
        if (query.Keys.FirstOrDefault(k => !_known.Contains(k, StringComparer.Ordinal)) is { } unknown)
        {
            throw StrictJson.Bad($"Unknown parameter \"{unknown}\". Known ones: {string.Join(", ", _known)}.");
        }

        List<string> conditions = [];
        List<SqlValue> values = [];
        AddText("database", "\"database\" = ? COLLATE NOCASE");
        AddText("table", "\"table\" = ? COLLATE NOCASE");
        AddText("operation", "operation = ? COLLATE NOCASE");
        AddText("contains", "instr(lower(query), lower(?)) > 0");
        if (Find("node") is { } node)
        {
            Add("node = ?", SqlValue.From(ReadNumber("node", node, int.MaxValue)));
        }

        if (Find("since") is { } since)
        {
            Add("time >= ?", SqlValue.From(ReadTime(since)));
        }

        var limit = Find("limit") is { } given ? ReadNumber("limit", given, LimitMax) : LimitDefault;
        values.Add(SqlValue.From(limit));
        var where = conditions.Count == 0 ? "" : $"WHERE {string.Join(" AND ", conditions)} ";
        return new()
        {
            IsQuery = true,
            IsTransaction = false,
            Database = DatabaseName.HistoryQuery,
            Statements = [new($"SELECT * FROM queries {where}ORDER BY id DESC LIMIT ?", StatementParameters.FromPositional(values))],
        };

        string? Find(string name) =>
            query[name] is not { Count: > 0 } found ? null
            : found.Count == 1 ? found[0]
            : throw StrictJson.Bad($"\"{name}\" is given {found.Count} times; give it once.");

        void Add(string condition, SqlValue value)
        {
            conditions.Add(condition);
            values.Add(value);
        }

        void AddText(string name, string condition)
        {
            if (Find(name) is { } text)
            {
                Add(condition, SqlValue.From(text));
            }
        }
    }

    private static long ReadNumber(string name, string text, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max
            ? number
            : throw StrictJson.Bad($"\"{name}\" must be a whole number from 0 to {max}.");

    private static string ReadTime(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time.ToString(QueryHistory.TimeFormat, CultureInfo.InvariantCulture)
            : throw StrictJson.Bad("\"since\" must be a time, such as 2026-01-31T12:00:00Z; without a zone it is UTC.");
}
