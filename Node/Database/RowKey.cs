namespace DistDb.Node.Database;

/// <summary>One row of a table.</summary>
/// <param name="Label">Its key for people, such as <c>id = 7</c>.</param>
/// <param name="Hash">The hash of all of it.</param>
public readonly record struct RowKey(string Label, UInt128 Hash);

/// <summary>Why a list of rows ends where it ends.</summary>
public enum ListEnd : byte
{
    /// <summary>There are no more.</summary>
    Complete = 0,

    /// <summary>There are more than may be listed.</summary>
    Limit = 1,

    /// <summary>SQLite could not read on.</summary>
    Damage = 2,
}

/// <summary>Rows of a table, in the order of their keys.</summary>
public sealed record RowKeyList(IReadOnlyList<RowKey> Keys, ListEnd End);
