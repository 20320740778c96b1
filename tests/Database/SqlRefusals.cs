namespace DistDb.Tests.Database;

/// <summary>What of SQLite is not available, row by row as the README has it. All of it is refused with a reason.</summary>
internal static class SqlRefusals
{
    /// <summary>From a database with a table t(a INTEGER PRIMARY KEY, b), a row in it, and statistics.</summary>
    public static IReadOnlyList<SqlRefusal> All { get; } =
    [
        new("`BEGIN`, `COMMIT`, `END`, `ROLLBACK`, `SAVEPOINT`, `RELEASE`",
            "BEGIN", "BEGIN EXCLUSIVE TRANSACTION", "COMMIT", "END", "ROLLBACK", "ROLLBACK TO s", "SAVEPOINT s", "RELEASE SAVEPOINT s"),
        new("`ATTACH`, `DETACH`, `VACUUM`",
            "ATTACH DATABASE 'x.db' AS x", "ATTACH ':memory:' AS x", "DETACH main", "VACUUM", "VACUUM main", "VACUUM INTO 'x.db'"),
        new("`PRAGMA`, except reading ones (`table_info`, `index_list`, `foreign_key_check`, ...) with command `query`",
            "PRAGMA foreign_keys = OFF", "PRAGMA journal_mode = DELETE", "PRAGMA main.synchronous", "PRAGMA writable_schema(1)", "PRAGMA optimize", "PRAGMA incremental_vacuum(1)", "PRAGMA defer_foreign_keys = ON", "PRAGMA database_list", "PRAGMA page_size = 512", "PRAGMA user_version = 1"),
        new("temporary tables, indexes, views and triggers (`TEMP`)",
            "CREATE TEMP TABLE x(a)", "CREATE TEMPORARY TABLE x AS SELECT 1", "CREATE TABLE temp.x(a)", "CREATE VIRTUAL TABLE temp.x USING fts5(a)", "CREATE TEMP VIEW x AS SELECT 1", "CREATE VIEW temp.x AS SELECT 1", "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END"),
        new("`load_extension()`, `fts3_tokenizer()`",
            "SELECT load_extension('x')", "INSERT INTO t(b) SELECT load_extension('x', 'y')", "SELECT fts3_tokenizer('simple')", "INSERT INTO t(b) SELECT fts3_tokenizer('simple', x'00')"),
        new("in writes: `total_changes()`, `sqlite_version()`, `sqlite_source_id()`, `sqlite_compileoption_get()`, `sqlite_compileoption_used()`, `fts5_source_id()`",
            "INSERT INTO t(b) VALUES (total_changes())", "UPDATE t SET b = sqlite_version()", "DELETE FROM t WHERE b <> sqlite_source_id()", "INSERT INTO t(b) VALUES (sqlite_compileoption_get(1))", "INSERT INTO t(b) VALUES (1) RETURNING sqlite_compileoption_used('x')", "CREATE TABLE x AS SELECT fts5_source_id()"),
        new("in writes: reading `pragma_...`, `dbstat`, `sqlite_stmt`",
            "INSERT INTO t(b) SELECT name FROM pragma_table_info('t')", "CREATE TABLE x AS SELECT * FROM dbstat", "DELETE FROM t WHERE b IN (SELECT sql FROM sqlite_stmt)"),
        new("in writes: `EXPLAIN`, except `EXPLAIN QUERY PLAN`",
            "EXPLAIN SELECT * FROM t", "EXPLAIN DELETE FROM t", "EXPLAIN CREATE TABLE x(a)"),
        new("virtual tables, except of `fts3`, `fts4`, `fts4aux`, `fts3tokenize`, `fts5`, `fts5vocab`, `rtree`, `rtree_i32`, `geopoly`",
            "CREATE VIRTUAL TABLE x USING dbstat", "CREATE VIRTUAL TABLE x USING csv(filename = '/etc/passwd')", "CREATE VIRTUAL TABLE x USING json_each", "CREATE VIRTUAL TABLE x USING sqlite_stmt"),
        new("tables named `_distdb_...`",
            "CREATE TABLE _distdb_mine(a)", "SELECT * FROM _DISTDB_state", "DELETE FROM _distdb_requests", "DROP TABLE _distdb_state", "ALTER TABLE _distdb_state ADD COLUMN a", "CREATE INDEX x ON _distdb_state(pin)"),
        new("writing `sqlite_stat...`, `ANALYZE sqlite_schema`",
            "INSERT INTO sqlite_stat1 VALUES ('t', NULL, '5')", "UPDATE sqlite_stat1 SET stat = '1'", "DELETE FROM sqlite_stat1", "DROP TABLE sqlite_stat1", "ANALYZE sqlite_schema"),
        new("rowid `9223372036854775807`",
            "INSERT INTO t VALUES (9223372036854775807, 1)", "UPDATE t SET a = 9223372036854775807 WHERE a = 1"),
    ];

    /// <summary>The functions among them.</summary>
    public static IEnumerable<string> Functions =>
        All.SelectMany(r => Names(r.Row).Refused).Where(name => name.EndsWith("()", StringComparison.Ordinal)).Select(name => name[..^2]);

    /// <summary>What a row names in backticks.</summary>
    public static (IReadOnlyList<string> Refused, IReadOnlyList<string> Allowed) Names(string row)
    {
        var halves = row.Split(", except ", 2);
        return (InBackticks(halves[0]), halves.Length == 1 ? [] : InBackticks(halves[1]));
    }

    private static List<string> InBackticks(string text) => [.. text.Split('`').Where((_, i) => i % 2 == 1)];
}
