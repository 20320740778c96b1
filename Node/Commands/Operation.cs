namespace DistDb.Node.Commands;

/// <summary>What a write does that SQL cannot say. It has its place in the log like any other write, and takes effect on every node there.</summary>
public abstract record Operation;

/// <summary>Moves the master's role.</summary>
/// <param name="Node">Who may change the schema from here on.</param>
public sealed record PromoteOperation(int Node) : Operation;

/// <summary>Has every node compute what its content is at this very entry, and tell the others.</summary>
/// <param name="Repairs">Whether a node that finds itself different from the majority replaces its content.</param>
public sealed record VerifyOperation(bool Repairs) : Operation;

/// <summary>Records reads in the query history.</summary>
/// <param name="Reads">In the order in which they ended.</param>
public sealed record RecordReadsOperation(IReadOnlyList<RecordedRead> Reads) : Operation;

/// <summary>A read that a node answered.</summary>
/// <param name="TimeMs">When, in milliseconds since 1970 UTC, by the node's own clock.</param>
/// <param name="Client">The client's IP address.</param>
/// <param name="Token">The name of its token, or null.</param>
/// <param name="Database">The database.</param>
/// <param name="Sql">The statement.</param>
public sealed record RecordedRead(long TimeMs, string Client, string? Token, string Database, string Sql);

/// <summary>Makes a new, empty database.</summary>
/// <param name="Name">As <see cref="DatabaseName.Value"/> gives it.</param>
/// <param name="IfNotExists">Whether one that is there already is left as it is; otherwise it is a conflict.</param>
/// <param name="ForeignKeys">Whether foreign keys are enforced in it, for as long as it is there.</param>
public sealed record CreateDatabaseOperation(string Name, bool IfNotExists, bool ForeignKeys = true) : Operation;

/// <summary>Deletes a database with all that is in it.</summary>
/// <param name="Name">As <see cref="DatabaseName.Value"/> gives it.</param>
/// <param name="IfExists">Whether it will do if there is none; otherwise that is a failure.</param>
public sealed record DropDatabaseOperation(string Name, bool IfExists) : Operation;

/// <summary>
/// Puts the content of a SQLite file in a database's place, or makes a new database of it. The file came through the log as well, piece by piece, into a
/// staging database, which ends here (docs/adr/0014).
/// </summary>
/// <param name="Name">The database, as <see cref="DatabaseName.Value"/> gives it.</param>
/// <param name="Staging">Where the file is: a name that <see cref="DatabaseName.IsStaging"/> knows.</param>
/// <param name="ByteCount">Bytes of the file.</param>
/// <param name="Replaces">Whether what is in the database may go; otherwise a database with anything in it is a conflict.</param>
/// <param name="ForeignKeys">Whether foreign keys are enforced, where the database is new.</param>
public sealed record LoadDatabaseOperation(string Name, string Staging, long ByteCount, bool Replaces, bool ForeignKeys) : Operation;

/// <summary>Lets whoever has a token in. The token itself is not told to anybody but its owner.</summary>
/// <param name="Name">What it is called, of 1 to 64 characters.</param>
/// <param name="Role">What it allows.</param>
/// <param name="Databases">The databases that it is good for, as <see cref="DatabaseName.Value"/> gives them; empty for all.</param>
/// <param name="LifetimeMs">Milliseconds from this entry's time until it expires, from 1; null for never.</param>
/// <param name="Hash">SHA-256 of the token's UTF-8 bytes.</param>
/// <param name="MustBeFirst">Whether it is a conflict if there is any token already.</param>
public sealed record CreateTokenOperation(
    string Name, TokenRole Role, IReadOnlyList<string> Databases, long? LifetimeMs, ReadOnlyMemory<byte> Hash, bool MustBeFirst) : Operation
{
    /// <summary>Bytes of a <see cref="Hash"/>.</summary>
    public const int HashBytes = 32;
}

/// <summary>Ends a token.</summary>
/// <param name="Name">Its name.</param>
public sealed record RevokeTokenOperation(string Name) : Operation;
