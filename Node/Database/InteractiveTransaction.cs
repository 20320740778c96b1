using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// A client's transaction between its statements, at the leader. It is the list of statements that changed something; that they are in effect in the writer's open SQLite transaction is
/// only the usual case (<see cref="DatabaseWriter.Step"/>): whenever the writer is wanted for something else they are undone, and done again when the transaction goes on, with the
/// same time and chance and so the same result. That holds because nobody else changes the content of the database meanwhile.
/// </summary>
/// <param name="terms">Its time and chance.</param>
/// <param name="withoutForeignKeys">Whether foreign keys are not enforced in it.</param>
public sealed class InteractiveTransaction(InteractiveTerms terms, bool withoutForeignKeys)
{
    private readonly List<Statement> _statements = [];

    public InteractiveTerms Terms { get; } = terms;

    public bool WithoutForeignKeys { get; } = withoutForeignKeys;

    /// <summary>What the log will hold: see <see cref="InteractiveTerms"/>.</summary>
    public IReadOnlyList<Statement> Statements => _statements;

    /// <summary>Whether there is anything to be committed.</summary>
    public bool HasWritten { get; private set; }

    /// <summary>What its statements did together; what a repetition must observe again.</summary>
    public WriteObservation Observation { get; private set; }

    /// <summary>How long it took, in all, to do again what had been undone.</summary>
    public TimeSpan RepeatedFor { get; internal set; }

    /// <summary>How many statements have only read, so that each has chance of its own.</summary>
    internal int ReadCount { get; set; }

    /// <summary>Adds a statement that the log will hold.</summary>
    /// <param name="statement">The statement, or <see cref="InteractiveTerms.Failed"/>.</param>
    /// <param name="result">What it did; null where it changes no content.</param>
    /// <param name="lastInsertId">The last rowid inserted so far.</param>
    internal void Add(Statement statement, StatementResult? result, long lastInsertId)
    {
        _statements.Add(statement);
        HasWritten |= result is not null;
        Observation = new(Observation.RowsAffected + (result?.RowsAffected ?? 0), lastInsertId);
    }
}

/// <summary>What became of a statement of an interactive transaction.</summary>
/// <param name="Result">What it did, where it succeeded.</param>
/// <param name="Failure">Why it failed, where it did.</param>
/// <param name="IsOver">Whether SQLite has rolled back the whole transaction with it.</param>
public readonly record struct StepOutcome(StatementResult? Result, Failure? Failure, bool IsOver = false);
