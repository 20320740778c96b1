using DistDb.Tests.Database;
using FsCheck;
using FsCheck.Fluent;

namespace DistDb.Tests.Fuzz;

/// <summary>Statements of all kinds: right ones, those with a piece too many or too few, and words in any order.</summary>
internal static class FuzzSql
{
    private static readonly string[] _corpus =
    [
        .. SqlFeatures.All.SelectMany(f => f.Steps.SelectMany(s => s.Statements).Append(f.Query)),
        .. SqlRefusals.All.SelectMany(r => r.Statements),
        "CREATE TABLE IF NOT EXISTS fuzz(id INTEGER PRIMARY KEY, a, b DEFAULT (random()), c DEFAULT CURRENT_TIMESTAMP)",
        "INSERT INTO fuzz(a) VALUES (?)", "INSERT INTO fuzz(a, b) VALUES (:a, $b) RETURNING *", "UPDATE fuzz SET a = ?2 WHERE id % 7 = ?1", "DELETE FROM fuzz WHERE id % 3 = 0", "SELECT * FROM fuzz",
        "INSERT INTO fuzz(a) SELECT randomblob(100) FROM fuzz LIMIT 5", "DROP TABLE IF EXISTS t", "DROP TABLE IF EXISTS u", "DROP TABLE IF EXISTS f", "DROP TABLE IF EXISTS c", "DROP TABLE IF EXISTS p",
        "DROP VIEW IF EXISTS v", "DROP TABLE IF EXISTS r", "DROP TABLE IF EXISTS g", "DELETE FROM fuzz", "DELETE FROM t",
        "CREATE DATABASE one", "CREATE DATABASE IF NOT EXISTS two", "DROP DATABASE one", "DROP DATABASE IF EXISTS two", "CREATE DATABASE \"../x\"", "DROP DATABASE main",
        "SELECT zeroblob(1000000000)", "INSERT INTO fuzz(a) VALUES (zeroblob(2000000000))", "SELECT randomblob(-9223372036854775808)", "SELECT printf('%*d', 2000000000, 1)", "SELECT replace(hex(zeroblob(100000)), '0', hex(zeroblob(1000)))",
        "SELECT CAST(x'ff00fe' AS TEXT), 9e999, -9e999, 0.0 / 0, char(0), x'', NULL", "SELECT '\ud83e\udd86', char(55296), char(1114111)", "SELECT abs(-9223372036854775808)", "SELECT json('{\"a\":', 1)", "SELECT a, a, a FROM fuzz",
        "EXPLAIN SELECT * FROM fuzz", "SELECT * FROM pragma_database_list", "SELECT * FROM pragma_compile_options", "SELECT * FROM dbstat", "SELECT * FROM sqlite_schema", "SELECT " + new string('(', 1100) + "1" + new string(')', 1100),
        "SELECT " + string.Join(" + ", Enumerable.Repeat("1", 1200)), "SELECT " + string.Join(", ", Enumerable.Repeat("1", 2100)), "SELECT 1 UNION ALL " + string.Join(" UNION ALL ", Enumerable.Repeat("SELECT 2", 600)), "SELECT ?32767, ?250001, ?0, ?-1", "SELECT :a, @a, $a, $a::b(c)", "", ";", "--", "/*",
        "CREATE TRIGGER loop AFTER INSERT ON fuzz BEGIN INSERT INTO fuzz(a) VALUES (new.a); END", "CREATE VIEW v AS SELECT * FROM v", "SELECT * FROM v", "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c LIMIT 2000",
        "SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaa' LIKE '%a%a%a%a%a%a%a%b'", "SELECT * FROM fuzz ORDER BY 99", "SELECT fts5(NULL), rtreecheck('main', 'r'), matchinfo(f) FROM f", "ALTER TABLE fuzz ADD COLUMN \"\u0000\"", "INSERT INTO fuzz(id) VALUES (9223372036854775806)",
    ];

    private static readonly string[] _words =
    [
        .. _corpus.SelectMany(sql => sql.Length < 500 ? sql.Split(' ') : []).Distinct(),
        "\"", "'", "`", "[", "]", ";", "--", "/*", "*/", "\n", "\\", "%", "?", "?1", ":x", "(", ")", "0x", "x'", "1e", "\0", "\u202e", "é", "NULL", "_distdb_state", "sqlite_schema", "main.", "temp.", "EXPLAIN", "RETURNING", "NOT", "LIMIT -1",
    ];

    /// <summary>What works on the tables of <see cref="Setup"/>, so that there is something to break.</summary>
    private static readonly string[] _useful =
    [
        "CREATE TABLE IF NOT EXISTS fuzz(id INTEGER PRIMARY KEY, a, b DEFAULT (random()), c DEFAULT CURRENT_TIMESTAMP)", "CREATE TABLE IF NOT EXISTS t(a, b)", "CREATE TABLE IF NOT EXISTS u(a INTEGER PRIMARY KEY, b UNIQUE)",
        "CREATE VIRTUAL TABLE IF NOT EXISTS f USING fts5(body)", "CREATE VIRTUAL TABLE IF NOT EXISTS r USING rtree(id, x0, x1)", "CREATE INDEX IF NOT EXISTS i ON fuzz(a, b)", "CREATE VIEW IF NOT EXISTS v AS SELECT a, b FROM fuzz",
        "INSERT INTO fuzz(a) VALUES (1), ('x'), (x'00ff'), (NULL), (1e300)", "INSERT INTO fuzz(a, b) SELECT b, a FROM fuzz ORDER BY random() LIMIT 5", "INSERT OR REPLACE INTO u VALUES (abs(random() % 50), abs(random() % 50))", "INSERT INTO u(b) VALUES (5), (5)",
        "INSERT INTO f VALUES ('one two ' || datetime('now'))", "INSERT INTO r VALUES (NULL, random() % 100, 200)", "UPDATE fuzz SET c = random() WHERE id % 5 = 1 RETURNING id, c", "UPDATE u SET b = b + 1", "DELETE FROM fuzz WHERE id NOT IN (SELECT id FROM fuzz ORDER BY id DESC LIMIT 200)", "DELETE FROM f WHERE rowid % 2",
        "SELECT count(*), max(a) FROM fuzz", "SELECT f.rowid, highlight(f, 0, '<', '>') FROM f WHERE f MATCH 'one'", "SELECT * FROM r WHERE x0 > 5", "SELECT * FROM v JOIN u ON u.b = v.a", "SELECT json_group_array(a) FROM u", "PRAGMA table_info(fuzz)", "ANALYZE", "REINDEX", "ALTER TABLE fuzz ADD COLUMN d DEFAULT 7", "ALTER TABLE fuzz DROP COLUMN d",
    ];

    /// <summary>What a run begins with.</summary>
    public static IEnumerable<string> Setup => _useful.Where(sql => sql.StartsWith("CREATE", StringComparison.Ordinal) || sql.StartsWith("INSERT INTO fuzz", StringComparison.Ordinal));

    /// <summary>Texts for <c>query</c>.</summary>
    public static Gen<string> Statements { get; } = Gen.Frequency(
        (6, Gen.Elements(_corpus)),
        (8, Gen.Elements(_useful)),
        (4, from sql in Gen.Elements(_corpus.Concat(_useful).ToArray())
            from changes in Gen.Choose(1, 3)
            from positions in Gen.Choose(0, int.MaxValue - 1).ArrayOf(changes)
            from words in Gen.Elements(_words).ArrayOf(changes)
            from kinds in Gen.Choose(0, 3).ArrayOf(changes)
            select Change(sql, positions, words, kinds)),
        (1, Gen.Elements(_words).ArrayOf().Select(words => string.Join(' ', words))));

    /// <summary>Names and fragments, most of them hostile.</summary>
    public static Gen<string> Names { get; } = Gen.Frequency(
        (3, Gen.Elements("fuzz", "t", "id", "a", "b", "c", "main", "one", "two", "FUZZ", "rowid")),
        (1, Gen.Elements(_words)),
        (1, Gen.Elements(_words).ArrayOf(2).Select(string.Concat)),
        (1, Gen.Elements(
            "", " ", ".", "..", "../../x", "a/b", "a\\b", "con", "nul\0byte", "_distdb_state", "sqlite_master", "-id", "\"; DROP TABLE fuzz; --", "' OR 1=1 --", new string('n', 65), new string('n', 5000), "😀", "ä", "\u202e", "%s%n", "${x}", "{{7*7}}", "<script>")));

    private static string Change(string sql, int[] positions, string[] words, int[] kinds)
    {
        var pieces = sql.Split(' ').ToList();
        for (var i = 0; i < positions.Length && pieces.Count > 0; i++)
        {
            var at = positions[i] % pieces.Count;
            switch (kinds[i])
            {
                case 0:
                    pieces.RemoveAt(at);
                    break;
                case 1:
                    pieces.Insert(at, words[i]);
                    break;
                case 2:
                    pieces[at] = words[i];
                    break;
                default:
                    pieces.Insert(at, pieces[positions[i] / 7 % pieces.Count]);
                    break;
            }
        }

        return string.Join(' ', pieces);
    }
}
