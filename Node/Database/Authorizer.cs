using System.Text;
using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// Judges what statements do, as SQLite compiles them: refuses what must not be done here, and notes what decides a statement's
/// <see cref="StatementKind"/>. SQLite asks it again whenever it compiles a statement anew, also in the middle of a step.
/// </summary>
/// <param name="forWrites">True for the writer, whose statements must mean the same on every replica; a reader may see more.</param>
internal sealed class Authorizer(bool forWrites)
{
    private const int Allow = 0;
    private const int Deny = 1;
    private const int Ignore = 2;

    private const string TemporaryRefusal =
        "Temporary tables, views and triggers are not available: a request has no session that they could live in.";

    private bool _preparing;
    private bool _schema;
    private bool _rows;
    private bool _statistics;
    private bool _asked;
    private StatementSummary? _schemaSummary;
    private StatementSummary? _rowSummary;
    private bool _selects;
    private string? _pragma;

    /// <summary>Set while a statement is prepared that describes the schema to a client and never enters the log: what a reader may see, the writer may then too.</summary>
    public bool IsDescribing { get; set; }

    /// <summary>Set around our own statements, which may do anything.</summary>
    public bool Bypass { get; set; }

    /// <summary>Why the last statement was refused, as a sentence for its sender; null where it was not.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Call before a statement is prepared.</summary>
    public void BeginPrepare()
    {
        _preparing = true;
        _schema = _rows = _statistics = _asked = _selects = false;
        _schemaSummary = _rowSummary = null;
        _pragma = null;
        Refusal = null;
    }

    /// <summary>What the statement that was prepared last does; for whoever looks at the history.</summary>
    public StatementSummary Summarize(StatementKind kind) => kind switch
    {
        StatementKind.Read => StatementSummary.Select,
        StatementKind.RowWrite when _rowSummary is { } rows => rows,
        _ => _schemaSummary ?? new("SCHEMA", null),
    };

    /// <summary>Call after a statement was prepared; the notes taken decide its kind.</summary>
    /// <param name="readOnly">What sqlite3_stmt_readonly says. It alone does not make a read: a schema statement that has nothing to
    /// do is sometimes read-only. Nor do the notes alone make a write: to connect an R-Tree for a SELECT, SQLite prepares inserts.</param>
    /// <param name="explain">What sqlite3_stmt_isexplain says: 1 for EXPLAIN, 2 for EXPLAIN QUERY PLAN. For both SQLite asks as if it did what
    /// it explains.</param>
    public StatementKind EndPrepare(bool readOnly, int explain)
    {
        _preparing = false;
        if (explain != 0)
        {
            if (forWrites && explain == 1)
            {
                // Its rows have addresses and counters of this process, and all replicas would remember them with a transaction's "id".
                Refusal ??= "EXPLAIN is not available in writes: it may give something else on another replica. Send it with command \"query\".";
            }

            return StatementKind.Read;
        }

        if (_schema)
        {
            return StatementKind.Schema;
        }

        // Every read asks at least for SELECT or PRAGMA.
        if (readOnly && _asked)
        {
            if (forWrites && !IsDescribing && !_selects && _pragma is not null)
            {
                // No full-text search or R-Tree asked for it.
                RefusePragma(_pragma);
            }

            return StatementKind.Read;
        }

        // ANALYZE and DROP write the statistics too, but by way of a schema statement.
        if (_statistics)
        {
            Refusal = "The tables sqlite_stat* are written by ANALYZE alone; run ANALYZE instead.";
        }

        // Without a single note it is DROP ... IF EXISTS or CREATE ... IF NOT EXISTS with nothing to do.
        return _rows ? StatementKind.RowWrite : StatementKind.Schema;
    }

    /// <summary>Call before a statement is stepped, so that an older refusal is not taken for its own.</summary>
    public void BeginStep() => Refusal = null;

    /// <summary>Answers SQLite. Arguments are UTF-8 and empty where SQLite gives none; their meaning depends on the action.</summary>
    public int Decide(AuthorizerAction action, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> schema)
    {
        if (Bypass)
        {
            return Allow;
        }

        // ALTER TABLE rewrites the temporary schema too, though it is always empty here.
        if (Is(schema, "temp"u8) && !Is(first, "sqlite_temp_master"u8) && !Is(first, "sqlite_temp_schema"u8))
        {
            return Refuse(TemporaryRefusal);
        }

        _asked = true;
        switch (action)
        {
            case AuthorizerAction.Select:
                _selects |= _preparing;
                return Allow;

            case AuthorizerAction.Recursive:
                return Allow;

            case AuthorizerAction.Read:
                return IsInternal(first) ? RefuseInternal()
                    : forWrites && IsOwnState(first) ? RefuseOwnState(first)
                    : Allow;

            case AuthorizerAction.Insert:
            case AuthorizerAction.Update:
            case AuthorizerAction.Delete:
                return DecideRowWrite(action, first);

            case AuthorizerAction.Function:
                return Is(second, "load_extension"u8) || Is(second, "fts3_tokenizer"u8)
                    ? Refuse($"{Text(second)}() is not available: it reaches into the process.")
                    : Allow;

            case AuthorizerAction.Pragma:
                return DecidePragma(first, second);

            case AuthorizerAction.Analyze:
            case AuthorizerAction.Reindex:
                // Both visit every table when none is named: leave ours out silently.
                NoteSchema(action, first);
                return IsInternal(first) ? Ignore : Allow;

            case AuthorizerAction.DropTable when StartsWith(first, "sqlite_stat"u8):
                return Refuse("The tables sqlite_stat* belong to ANALYZE; run ANALYZE to renew them.");

            case AuthorizerAction.CreateVirtualTable when !IsKnownModule(second):
                return Refuse($"Virtual tables of the module \"{Text(second)}\" are not available; fts3, fts4, fts5 and rtree are.");

            case AuthorizerAction.CreateIndex:
            case AuthorizerAction.CreateTable:
            case AuthorizerAction.CreateTrigger:
            case AuthorizerAction.CreateView:
            case AuthorizerAction.CreateVirtualTable:
            case AuthorizerAction.DropIndex:
            case AuthorizerAction.DropTable:
            case AuthorizerAction.DropTrigger:
            case AuthorizerAction.DropView:
            case AuthorizerAction.DropVirtualTable:
            case AuthorizerAction.AlterTable:
                NoteSchema(action, action == AuthorizerAction.AlterTable ? second : first);
                return IsInternal(first) || IsInternal(second) ? RefuseInternal() : Allow;

            case AuthorizerAction.Transaction:
            case AuthorizerAction.Savepoint:
                return Refuse($"{(action == AuthorizerAction.Savepoint ? "Savepoints" : Text(first))} cannot be sent as a statement; " +
                    "send the statements together in \"transaction\", which does all of them or none.");

            case AuthorizerAction.Attach:
            case AuthorizerAction.Detach:
                return Refuse("ATTACH, DETACH and VACUUM are not available: name one database in \"database\", " +
                    "and take copies by way of a backup.");

            case AuthorizerAction.CreateTempIndex:
            case AuthorizerAction.CreateTempTable:
            case AuthorizerAction.CreateTempTrigger:
            case AuthorizerAction.CreateTempView:
            case AuthorizerAction.DropTempIndex:
            case AuthorizerAction.DropTempTable:
            case AuthorizerAction.DropTempTrigger:
            case AuthorizerAction.DropTempView:
                return Refuse(TemporaryRefusal);

            default:
                return Refuse($"This SQLite asks about an action that is not known here ({(int)action}).");
        }
    }

    /// <summary>Notes that a write called one of <see cref="Native.OwnStateFunctions"/>.</summary>
    public void RefuseOwnStateFunction() => Refusal =
        "total_changes(), sqlite_version(), sqlite_source_id(), sqlite_compileoption_*() and the like are not available in writes, nor in " +
        "the defaults and triggers that writes use: they may give something else on another replica. Query them first and send the " +
        "values as parameters.";

    private int DecideRowWrite(AuthorizerAction action, ReadOnlySpan<byte> table)
    {
        if (IsInternal(table))
        {
            return RefuseInternal();
        }

        // Every schema statement writes here, and the first use of an eponymous virtual table asks for it without doing so.
        // SQLite itself refuses it to users (defensive mode).
        if (!Is(table, "sqlite_master"u8) && !Is(table, "sqlite_temp_master"u8) && _preparing)
        {
            _rows = true;
            _rowSummary ??= new(NameOf(action), Text(table));
            _statistics |= StartsWith(table, "sqlite_stat"u8);
        }

        return Allow;
    }

    private int DecidePragma(ReadOnlySpan<byte> pragma, ReadOnlySpan<byte> argument)
    {
        // Full-text search and R-Trees ask for these two themselves while they work.
        if (argument.IsEmpty && (Is(pragma, "data_version"u8) || Is(pragma, "page_size"u8)))
        {
            if (_preparing)
            {
                _pragma = Text(pragma);
            }

            return Allow;
        }

        if (forWrites && !IsDescribing)
        {
            return RefusePragma(Text(pragma));
        }

        if (!ReadablePragmas.Contains(Text(pragma), !argument.IsEmpty))
        {
            return Refuse($"PRAGMA {Text(pragma)} is not available{(argument.IsEmpty ? "" : " with a value")}; " +
                $"these are: {ReadablePragmas.List}.{HintOf(Text(pragma))}");
        }

        // Asked within a step it comes from pragma_table_info() and its like, by which clients go through all tables: they find nothing of these.
        return !IsInternal(argument) && !StartsWith(argument, "sqlite_autoindex__distdb_"u8) ? Allow : _preparing ? RefuseInternal() : Ignore;
    }

    private void NoteSchema(AuthorizerAction action, ReadOnlySpan<byte> name)
    {
        if (_preparing)
        {
            _schema = true;
            _schemaSummary ??= new(NameOf(action), Text(name));
        }
    }

    private static string NameOf(AuthorizerAction action) => action switch
    {
        AuthorizerAction.Insert => "INSERT",
        AuthorizerAction.Update => "UPDATE",
        AuthorizerAction.Delete => "DELETE",
        AuthorizerAction.Analyze => "ANALYZE",
        AuthorizerAction.Reindex => "REINDEX",
        AuthorizerAction.CreateIndex => "CREATE INDEX",
        AuthorizerAction.CreateTable or AuthorizerAction.CreateVirtualTable => "CREATE TABLE",
        AuthorizerAction.CreateTrigger => "CREATE TRIGGER",
        AuthorizerAction.CreateView => "CREATE VIEW",
        AuthorizerAction.DropIndex => "DROP INDEX",
        AuthorizerAction.DropTable or AuthorizerAction.DropVirtualTable => "DROP TABLE",
        AuthorizerAction.DropTrigger => "DROP TRIGGER",
        AuthorizerAction.DropView => "DROP VIEW",
        AuthorizerAction.AlterTable => "ALTER TABLE",
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, null),
    };

    private int RefusePragma(string pragma) => Refuse(
        $"PRAGMA {pragma} is not available in writes: settings are the same on every replica. " +
        $"Those that describe the schema can be read with command \"query\".{HintOf(pragma)}");

    private static string HintOf(string pragma) => pragma.Equals("foreign_keys", StringComparison.OrdinalIgnoreCase)
        ? " Foreign keys are enforced, except in a database that was created WITH foreign_keys = off."
        : "";

    private int RefuseInternal() =>
        Refuse($"Names that begin with {InternalSchema.Prefix} are reserved for the cluster's own tables; choose another name.");

    private int RefuseOwnState(ReadOnlySpan<byte> table) =>
        Refuse($"The table \"{Text(table)}\" cannot be read within a write: it may hold something else on another replica. " +
            "Query it first and send the values as parameters.");

    private int Refuse(string reason)
    {
        Refusal = reason;
        return Deny;
    }

    private static bool IsInternal(ReadOnlySpan<byte> name) => StartsWith(name, "_distdb_"u8);

    /// <summary>Tables that show the state of one SQLite rather than content.</summary>
    private static bool IsOwnState(ReadOnlySpan<byte> table) =>
        StartsWith(table, "pragma_"u8) || Is(table, "dbstat"u8) || Is(table, "sqlite_stmt"u8) || Is(table, "sqlite_dbpage"u8) ||
        Is(table, "sqlite_memstat"u8) || Is(table, "bytecode"u8) || Is(table, "tables_used"u8);

    /// <summary>Modules whose tables hold content, or are computed from content alone.</summary>
    private static bool IsKnownModule(ReadOnlySpan<byte> module) =>
        Is(module, "fts3"u8) || Is(module, "fts4"u8) || Is(module, "fts4aux"u8) || Is(module, "fts3tokenize"u8) ||
        Is(module, "fts5"u8) || Is(module, "fts5vocab"u8) || Is(module, "rtree"u8) || Is(module, "rtree_i32"u8) || Is(module, "geopoly"u8);

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> other) => Ascii.EqualsIgnoreCase(name, other);

    private static bool StartsWith(ReadOnlySpan<byte> name, ReadOnlySpan<byte> prefix) =>
        name.Length >= prefix.Length && Ascii.EqualsIgnoreCase(name[..prefix.Length], prefix);

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);
}
