using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api.Hrana;

/// <summary>What a client is told that something was not done, in Hrana's words.</summary>
/// <param name="Code">The primary name of SQLite's code where SQLite is the reason; otherwise one of ours, as <c>not_master</c>, or Hrana's, as <c>STREAM_LOST</c>.</param>
/// <param name="Message">SQLite's own text, or a sentence or two.</param>
/// <param name="ExtendedCode">The name of SQLite's extended code, where it has one.</param>
internal sealed record HranaFailure(string Code, string Message, string? ExtendedCode = null)
{
    private static readonly string[] _primary =
    [
        "SQLITE_OK", "SQLITE_ERROR", "SQLITE_INTERNAL", "SQLITE_PERM", "SQLITE_ABORT", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_NOMEM", "SQLITE_READONLY", "SQLITE_INTERRUPT",
        "SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTFOUND", "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_PROTOCOL", "SQLITE_EMPTY", "SQLITE_SCHEMA", "SQLITE_TOOBIG",
        "SQLITE_CONSTRAINT", "SQLITE_MISMATCH", "SQLITE_MISUSE", "SQLITE_NOLFS", "SQLITE_AUTH", "SQLITE_FORMAT", "SQLITE_RANGE", "SQLITE_NOTADB",
    ];

    private static readonly Dictionary<int, string> _extended = new()
    {
        [275] = "SQLITE_CONSTRAINT_CHECK",
        [517] = "SQLITE_BUSY_SNAPSHOT",
        [787] = "SQLITE_CONSTRAINT_FOREIGNKEY",
        [1299] = "SQLITE_CONSTRAINT_NOTNULL",
        [1555] = "SQLITE_CONSTRAINT_PRIMARYKEY",
        [1811] = "SQLITE_CONSTRAINT_TRIGGER",
        [2067] = "SQLITE_CONSTRAINT_UNIQUE",
        [2579] = "SQLITE_CONSTRAINT_ROWID",
        [3091] = "SQLITE_CONSTRAINT_DATATYPE",
    };

    /// <summary>Of a statement.</summary>
    public static HranaFailure Of(Failure failure, string sql)
    {
        if (failure is { SqliteCode: { } code, Code: not FailureCode.Forbidden and not FailureCode.Timeout } && (code & 0xff) < _primary.Length)
        {
            return new(_primary[code & 0xff], failure.Detail, _extended.GetValueOrDefault(code));
        }

        return failure.Code switch
        {
            FailureCode.BadRequest => StatementSplitter.Split(sql).Count() switch
            {
                0 => new("SQL_NO_STATEMENT", "SQL string does not contain any statement"),
                > 1 => new("SQL_MANY_STATEMENTS", "SQL string contains more than one statement"),
                _ => new("ARGS_INVALID", failure.Detail),
            },
            FailureCode.Forbidden when failure.SqliteCode is not null => new("SQLITE_AUTH", failure.Detail),
            FailureCode.Timeout when failure.SqliteCode == Database.SqliteErrors.Busy => new("SQLITE_BUSY", failure.Detail),
            _ => Of(failure),
        };
    }

    /// <summary>Of anything else.</summary>
    public static HranaFailure Of(Failure failure) => failure.Code switch
    {
        FailureCode.TransactionLost => new("STREAM_LOST", failure.Detail),
        FailureCode.TransactionTimeout => new("TRANSACTION_TIMEOUT", failure.Detail),
        FailureCode.Busy => new("SQLITE_BUSY", failure.Detail, "SQLITE_BUSY_SNAPSHOT"),
        var code => new(Problem.Of(code).Code, failure.Detail),
    };

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("message"u8, Message);
        json.WriteString("code"u8, Code);
        if (ExtendedCode is not null)
        {
            json.WriteString("extended_code"u8, ExtendedCode);
        }

        json.WriteEndObject();
    }
}

/// <summary>A request as a whole is refused, and its stream is over.</summary>
internal sealed class HranaException(int status, HranaFailure failure) : Exception(failure.Message)
{
    public HranaException(string message)
        : this(StatusCodes.Status400BadRequest, new("bad_request", message))
    {
    }

    public int Status { get; } = status;

    public HranaFailure Failure { get; } = failure;
}
