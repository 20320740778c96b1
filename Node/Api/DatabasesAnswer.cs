namespace DistDb.Node.Api;

/// <summary>What <c>GET /databases</c> answers.</summary>
/// <param name="Databases">All databases of the cluster, by name.</param>
/// <param name="Index">The log index that the answer reflects at least.</param>
/// <param name="Node">The node that answers.</param>
public sealed record DatabasesAnswer(IReadOnlyList<DatabaseAnswer> Databases, long Index, int Node);

/// <summary>A database and what its users have defined in it.</summary>
/// <param name="Name">Its name, in lower case.</param>
/// <param name="Bytes">Size of its file at the node that answers.</param>
/// <param name="ForeignKeys">Whether foreign keys are enforced in it.</param>
/// <param name="Tables">Tables, views and virtual tables, by name; without SQLite's own, the cluster's, and those that virtual tables keep their data in.</param>
public sealed record DatabaseAnswer(string Name, long Bytes, bool ForeignKeys, IReadOnlyList<TableAnswer> Tables);

/// <summary>Something that a query can select from.</summary>
/// <param name="Name">Its name, as it was defined.</param>
/// <param name="Kind"><c>table</c>, <c>view</c> or <c>virtual</c>.</param>
/// <param name="Columns">In their order; none where SQLite cannot say.</param>
/// <param name="Problem">Why SQLite cannot use it, such as a view on a table that is gone; else null.</param>
public sealed record TableAnswer(string Name, string Kind, IReadOnlyList<ColumnAnswer> Columns, string? Problem);

/// <summary>A column.</summary>
/// <param name="Name">Its name, as it was defined.</param>
/// <param name="Type">The declared type in upper case; empty where there is none.</param>
/// <param name="NotNull">It was declared <c>NOT NULL</c>.</param>
/// <param name="PrimaryKey">It is the primary key, or a part of it.</param>
/// <param name="Default">The default as SQL, such as <c>'new'</c> or <c>CURRENT_TIMESTAMP</c>; null where none was declared.</param>
/// <param name="Generated">It is computed from other columns, and cannot be written.</param>
public sealed record ColumnAnswer(string Name, string Type, bool NotNull, bool PrimaryKey, string? Default, bool Generated);
