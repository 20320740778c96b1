using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>Tells a statement's own errors, which its sender is told, from errors of the storage, which stop the node.</summary>
internal static class SqliteErrors
{
    public const string VacuumRefusal =
        "VACUUM is not available: it renumbers rows on one replica alone. A backup is written without the free pages.";

    /// <summary>SQLITE_ERROR.</summary>
    public const int Error = 1;

    /// <summary>SQLITE_READONLY.</summary>
    public const int ReadOnly = 8;

    /// <summary>SQLITE_BUSY.</summary>
    public const int Busy = 5;

    /// <summary>SQLITE_BUSY_SNAPSHOT: a transaction that has read cannot write any more, as another has written since.</summary>
    public const int BusySnapshot = 517;

    /// <summary>SQLITE_CONSTRAINT_FOREIGNKEY.</summary>
    public const int ConstraintForeignKey = 787;

    /// <summary>SQLITE_FULL.</summary>
    public const int Full = 13;

    /// <summary>SQLITE_CORRUPT.</summary>
    public const int Corrupt = 11;

    /// <summary>SQLITE_NOTADB.</summary>
    public const int NotADatabase = 26;

    private const int Internal = 2;
    private const int NoMemory = 7;
    private const int Interrupt = 9;
    private const int InputOutput = 10;
    private const int CannotOpen = 14;
    private const int Protocol = 15;
    private const int TooBig = 18;
    private const int Constraint = 19;
    private const int Mismatch = 20;
    private const int Misuse = 21;
    private const int Authorization = 23;

    /// <summary>What full-text search says of content that contradicts its index; a client can bring it about, so it is no damage.</summary>
    private const int CorruptVirtualTable = Corrupt | (1 << 8);

    /// <summary>Whether SQLite says that a statement does not go with what is in the file, rather than that the disk or the memory failed.</summary>
    public static bool BlamesStatement(int code) => (code & 0xff) is Error or Internal or TooBig or Constraint or Mismatch;

    /// <summary>The failure to answer for the statement that just failed on the connection.</summary>
    /// <exception cref="StorageFailedException">It is the storage that failed.</exception>
    public static Failure ToFailure(Connection connection, int code)
    {
        if (connection.Authorizer.Refusal is { } refusal)
        {
            return new(FailureCode.Forbidden, refusal, code);
        }

        var message = connection.ErrorMessage;
        return (code & 0xff) switch
        {
            _ when code == CorruptVirtualTable => new(FailureCode.SqlError, message, code),
            Constraint => new(FailureCode.Constraint, message, code),
            Interrupt => new(
                FailureCode.Timeout, "The statement reached its time limit and was stopped; narrow it, or give it an index.", code),
            TooBig => new(
                FailureCode.TooLarge, $"{message}: a value, row or SQL text may have {DatabaseOptions.ValueBytesMax} bytes.", code),
            Authorization => new(FailureCode.Forbidden, message, code),
            Full when DiskProbe.HasRoom(connection.Path) => new(FailureCode.SqlError, message, code),
            Busy or NoMemory or ReadOnly or InputOutput or Corrupt or Full or CannotOpen or Protocol or NotADatabase =>
                throw connection.StorageFailed(code),
            Misuse => throw new InvalidOperationException($"SQLite was used wrongly: {message} (code {code})."),
            _ => new(FailureCode.SqlError, message, code),
        };
    }
}
