namespace DistDb.Bench.Growth;

/// <summary>The table that grows, and the statements of its load. Its ids are 1, 2, 3 and so on without a gap.</summary>
internal static class GrowthTable
{
    public const string Create = "CREATE TABLE grown (id INTEGER PRIMARY KEY, client INTEGER, value TEXT)";

    /// <summary>So many rows at once, with the same value.</summary>
    public const string Fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) INSERT INTO grown (client, value) SELECT 0, ?2 FROM n";

    public const string Insert = "INSERT INTO grown (client, value) VALUES (0, ?1)";

    public const string Update = "UPDATE grown SET value = ?1 WHERE id = ?2";

    public const string Read = "SELECT value FROM grown WHERE id = ?1";
}
