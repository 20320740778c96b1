using System.Data.Common;

namespace DistDb.Data;

/// <summary>A node refused, or no node answered. The message says what happened, what was kept and what to do.</summary>
public sealed class DistDbException : DbException
{
    /// <summary>The <see cref="Code"/> where no node could be reached, or the one that could broke off.</summary>
    public const string Unreachable = "unreachable";

    internal DistDbException(string message, string code, bool isTransient, DistDbOutcome outcome, Exception? inner = null)
        : base(message, inner)
    {
        Code = code;
        IsTransient = isTransient;
        Outcome = outcome;
    }

    /// <summary>The server's stable code, such as <c>constraint</c>, <c>sql_error</c>, <c>no_quorum</c>, <c>transaction_lost</c>, <c>timeout</c>; or <see cref="Unreachable"/>.</summary>
    public string Code { get; }

    /// <summary>Whether the same may succeed soon, be it a statement or the transaction from its beginning. Never true where the <see cref="Outcome"/> is unknown: doing it again could do it twice.</summary>
    public override bool IsTransient { get; }

    /// <summary>Whether it may be done nevertheless.</summary>
    public DistDbOutcome Outcome { get; }

    /// <summary>SQLite's extended result code, or 0 where SQLite has nothing to do with it.</summary>
    public int SqliteExtendedErrorCode { get; internal init; }

    /// <summary>SQLite's primary result code, such as 19 for a constraint, or 0.</summary>
    public int SqliteErrorCode => SqliteExtendedErrorCode & 0xff;

    /// <summary>The position, from 0, of the statement that failed among those sent together; null where it is about all of them.</summary>
    public int? Statement { get; internal init; }

    /// <summary>The address of the node that said so or could not be reached; null where none was asked.</summary>
    public Uri? Server { get; internal init; }

    /// <summary>The id under which the write was sent; null for what only reads and for transactions.</summary>
    public string? WriteId { get; internal init; }

    /// <summary>The HTTP status of the node's answer; 0 where there was none.</summary>
    public int HttpStatus { get; internal init; }

    /// <summary>The command of a batch that failed.</summary>
    public new DistDbBatchCommand? BatchCommand { get; internal set; }

    /// <inheritdoc/>
    protected override DbBatchCommand? DbBatchCommand => BatchCommand;
}
