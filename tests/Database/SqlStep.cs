namespace DistDb.Tests.Database;

/// <summary>One write of a <see cref="SqlFeature"/>: a statement, or several as a transaction.</summary>
/// <param name="Statements">In order.</param>
/// <param name="Fails">Whether SQLite refuses it, as the feature's point.</param>
internal sealed record SqlStep(IReadOnlyList<string> Statements, bool Fails = false)
{
    public bool IsTransaction => Statements.Count > 1;

    /// <summary>Whether it is for the master alone, by the first word of a statement; what distdb finds must agree.</summary>
    public bool IsSchema => Statements.Any(sql => sql.Split(' ', 2)[0] is "CREATE" or "ALTER" or "DROP" or "REINDEX" or "ANALYZE");

    public static implicit operator SqlStep(string sql) => new([sql]);

    public static SqlStep Failing(params string[] statements) => new(statements, Fails: true);

    public static SqlStep Together(params string[] statements) => new(statements);
}
