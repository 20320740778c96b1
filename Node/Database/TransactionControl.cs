using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>What a statement of transaction control does.</summary>
public enum TransactionVerb
{
    Begin,
    Commit,
    Rollback,
    Savepoint,
    Release,
    RollbackTo,
}

/// <summary>How a transaction begins.</summary>
public enum TransactionMode
{
    /// <summary>It reads what is there, and takes its turn to write with its first write.</summary>
    Deferred,

    /// <summary>It takes its turn to write at once.</summary>
    Immediate,

    /// <summary>It never writes.</summary>
    ReadOnly,
}

/// <summary><c>BEGIN</c>, <c>COMMIT</c>, <c>ROLLBACK</c> and savepoints, which SQLite must not see: a node has one transaction of its own around those of its clients.</summary>
/// <param name="Verb">What it does.</param>
/// <param name="Mode">Of <c>BEGIN</c>; libSQL's <c>BEGIN READONLY</c> as well.</param>
/// <param name="Name">The savepoint's.</param>
public sealed record TransactionControl(TransactionVerb Verb, TransactionMode Mode = TransactionMode.Deferred, string Name = "")
{
    /// <summary>Reads a statement; null where it is none of these, or not as SQLite has it, which SQLite will then say.</summary>
    public static TransactionControl? Parse(string sql)
    {
        var tokens = new SqlTokens(sql);
        while (tokens.TakeSymbol(';'))
        {
        }

        var control = Read(tokens);
        if (control is null)
        {
            return null;
        }

        while (tokens.TakeSymbol(';'))
        {
        }

        return tokens.AtEnd ? control : null;
    }

    private static TransactionControl? Read(SqlTokens tokens)
    {
        if (tokens.TakeWord("BEGIN"))
        {
            var mode = tokens.TakeWord("IMMEDIATE") || tokens.TakeWord("EXCLUSIVE") ? TransactionMode.Immediate
                : tokens.TakeWord("READONLY") ? TransactionMode.ReadOnly
                : TransactionMode.Deferred;
            if (mode == TransactionMode.Deferred)
            {
                tokens.TakeWord("DEFERRED");
            }

            return tokens.TakeWord("TRANSACTION") && tokens.IsWord("READONLY") && tokens.TakeWord("READONLY") ? new(TransactionVerb.Begin, TransactionMode.ReadOnly)
                : SkipName(tokens) ? new(TransactionVerb.Begin, mode)
                : null;
        }

        if (tokens.TakeWord("COMMIT") || tokens.TakeWord("END"))
        {
            tokens.TakeWord("TRANSACTION");
            return SkipName(tokens) ? new(TransactionVerb.Commit) : null;
        }

        if (tokens.TakeWord("ROLLBACK"))
        {
            if (tokens.TakeWord("TRANSACTION") && !tokens.IsWord("TO"))
            {
                return SkipName(tokens) ? new(TransactionVerb.Rollback) : null;
            }

            if (!tokens.TakeWord("TO"))
            {
                return new(TransactionVerb.Rollback);
            }

            tokens.TakeWord("SAVEPOINT");
            return Named(tokens, TransactionVerb.RollbackTo);
        }

        if (tokens.TakeWord("RELEASE"))
        {
            tokens.TakeWord("SAVEPOINT");
            return Named(tokens, TransactionVerb.Release);
        }

        return tokens.TakeWord("SAVEPOINT") ? Named(tokens, TransactionVerb.Savepoint) : null;
    }

    /// <summary>Transactions may have names, which mean nothing.</summary>
    private static bool SkipName(SqlTokens tokens)
    {
        if (tokens.Current.Kind is SqlTokenKind.Word or SqlTokenKind.Name or SqlTokenKind.Text)
        {
            tokens.Take();
        }

        return tokens.Current.Kind is SqlTokenKind.End or SqlTokenKind.Symbol;
    }

    private static TransactionControl? Named(SqlTokens tokens, TransactionVerb verb) =>
        tokens.Current.Kind is SqlTokenKind.Word or SqlTokenKind.Name or SqlTokenKind.Text ? new(verb, Name: tokens.Take().Text) : null;
}
