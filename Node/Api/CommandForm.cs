namespace DistDb.Node.Api;

/// <summary>What a request may ask for.</summary>
internal enum CommandKind
{
    Exec,
    Query,
    CreateDatabase,
    DropDatabase,
    CreateTable,
    DropTable,
    Insert,
    Update,
    Delete,
    Search,
}

/// <summary>A command with the fields that belong to it beside the <see cref="Common"/> ones.</summary>
/// <param name="Kind">The command.</param>
/// <param name="Name">As clients write it, in either case.</param>
/// <param name="Fields">Its own fields.</param>
internal sealed record CommandForm(CommandKind Kind, string Name, params IReadOnlyList<string> Fields)
{
    private static readonly Dictionary<string, CommandForm> _byName = ((CommandForm[])
    [
        new(CommandKind.Exec, "exec", "query", "params", "transaction"),
        new(CommandKind.Query, "query", "query", "params", "max_rows"),
        new(CommandKind.CreateDatabase, "create_db", "if_not_exists", "foreign_keys"),
        new(CommandKind.DropDatabase, "drop_db", "if_exists"),
        new(CommandKind.CreateTable, "create_table", "table", "columns", "data", "if_not_exists"),
        new(CommandKind.DropTable, "drop_table", "table", "if_exists"),
        new(CommandKind.Insert, "insert", "table", "data"),
        new(CommandKind.Update, "update", "table", "data", "condition", "all"),
        new(CommandKind.Delete, "delete", "table", "condition", "all"),
        new(CommandKind.Search, "search", "table", "condition", "columns", "order_by", "limit", "offset", "max_rows"),
    ]).ToDictionary(f => f.Name, StringComparer.OrdinalIgnoreCase);

    private static readonly CommandForm[] _byKind = [.. _byName.Values.OrderBy(f => f.Kind)];

    /// <summary>The fields of every command.</summary>
    public static IReadOnlyList<string> Common { get; } = ["command", "database", "id", "consistency", "min_index", "timeout_ms", "is_master", "is_replicated"];

    /// <summary>All commands.</summary>
    public static IReadOnlyCollection<CommandForm> All => _byName.Values;

    /// <summary>All its fields, for a refusal.</summary>
    public string FieldList => string.Join(", ", Common.Take(1).Concat(Fields).Concat(Common.Skip(1)));

    private static string Names => string.Join(", ", _byName.Values.Select(f => f.Name));

    /// <summary>Finds a command by its name.</summary>
    /// <param name="name">In either case; null where the request has none.</param>
    /// <exception cref="RequestRejectedException">There is no such command.</exception>
    public static CommandForm Find(string? name) =>
        name is null ? throw StrictJson.Bad($"\"command\" is missing; use \"exec\" to write or \"query\" to read. All commands: {Names}.")
        : _byName.TryGetValue(name, out var form) ? form
        : throw StrictJson.Bad($"Unknown command \"{name}\"; use \"exec\" to write or \"query\" to read. All commands: {Names}.");

    /// <summary>The form of a command.</summary>
    public static CommandForm Of(CommandKind kind) => _byKind[(int)kind];

    /// <summary>Refuses a field that is not the command's.</summary>
    /// <exception cref="RequestRejectedException">It is not.</exception>
    public void Require(string field)
    {
        if (Common.Contains(field) || Fields.Contains(field))
        {
            return;
        }

        var others = _byName.Values.Where(f => f.Fields.Contains(field)).Select(f => f.Name).ToList();
        throw StrictJson.Bad(others.Count == 0
            ? $"Unknown field \"{field}\". Fields of {Name}: {FieldList}."
            : $"The field \"{field}\" does not go with command \"{Name}\", but with {string.Join(", ", others)}. Fields of {Name}: {FieldList}.");
    }
}
