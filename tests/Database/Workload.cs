using System.Globalization;
using DistDb.Node.Commands;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

/// <summary>
/// A seeded stream of writes that lean on everything by which replicas could differ: time and chance in statements, defaults and
/// triggers, unordered selections, full-text and spatial indexes, schema changes, and writes that fail.
/// </summary>
internal sealed class Workload(int seed)
{
    private static readonly string[] _schema =
    [
        """
        CREATE TABLE people(
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, born REAL, note,
            made TEXT DEFAULT CURRENT_TIMESTAMP, lucky INTEGER DEFAULT (random()), token DEFAULT (hex(randomblob(6))),
            day TEXT DEFAULT (date('now', 'localtime')), shout TEXT GENERATED ALWAYS AS (upper(name)) STORED,
            UNIQUE(name))
        """,
        "CREATE INDEX people_lucky ON people(lucky % 7, name)",
        "CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, what, at DEFAULT (julianday('now')), dice)",
        "CREATE TABLE counts(kind TEXT, day TEXT, n INTEGER, PRIMARY KEY(kind, day)) WITHOUT ROWID",
        "CREATE TABLE strictly(id INTEGER PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT",
        "CREATE TABLE parent(id INTEGER PRIMARY KEY, v)",
        "CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, v)",
        "CREATE TABLE docs(id INTEGER PRIMARY KEY, body TEXT, meta TEXT CHECK (json_valid(meta)), size INT AS (length(body)))",
        "CREATE TABLE plain(a, b, c)",
        "CREATE TABLE guarded(a CHECK (a > 0))",
        "CREATE VIRTUAL TABLE search USING fts5(body, tag, prefix='2')",
        "CREATE VIRTUAL TABLE search4 USING fts4(body)",
        "CREATE VIRTUAL TABLE space USING rtree(id, x0, x1, y0, y1)",
        """
        CREATE TRIGGER people_insert AFTER INSERT ON people BEGIN
            INSERT INTO audit(what, dice) VALUES ('born ' || new.name || ' ' || strftime('%Y-%m-%d %H:%M:%f', 'now'), random() % 6);
            INSERT INTO counts VALUES ('people', date('now'), 1) ON CONFLICT DO UPDATE SET n = n + 1;
        END
        """,
        """
        CREATE TRIGGER docs_insert AFTER INSERT ON docs BEGIN
            INSERT INTO search(rowid, body, tag) VALUES (new.id, new.body, CURRENT_TIME);
            INSERT INTO plain(a, b, c) VALUES (last_insert_rowid(), changes(), new.id);
        END
        """,
        "CREATE TRIGGER docs_delete AFTER DELETE ON docs BEGIN DELETE FROM search WHERE rowid = old.id; END",
        "CREATE TRIGGER guard BEFORE INSERT ON guarded WHEN new.a = 13 BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END",
        "CREATE VIEW recent AS SELECT * FROM people WHERE born > julianday('now') - 20000",
    ];

    private static readonly string[] _words =
        ["alpha", "beta", "gamma", "delta", "Grüße", "naïve", "😀", "日本", "nul\0inside", "tail ", "", "_distdb_state", "ß", "x'y"];

    private readonly Random _random = new(seed);
    private readonly List<WriteCommand> _keyed = [];
    private long _sequence;
    private int _tables;

    /// <summary>The schema, then any number of writes.</summary>
    public IEnumerable<WriteCommand> Writes()
    {
        foreach (var sql in _schema)
        {
            yield return Single(Sql(sql));
        }

        while (true)
        {
            yield return Next();
        }
    }

    private WriteCommand Next()
    {
        var command = _random.Next(20) switch
        {
            0 => Transaction(_random.Next(2, 6)),
            _ => Single(Statement()),
        };
        if (_random.Next(15) != 0)
        {
            return command;
        }

        // Some keys come again: with the same body, or with another, which fails.
        if (_keyed.Count > 0 && _random.Next(4) == 0)
        {
            var first = _keyed[_random.Next(_keyed.Count)];
            return _random.Next(3) == 0 ? command with { IdempotencyKey = first.IdempotencyKey } : first with { Id = command.Id };
        }

        command = command with { IdempotencyKey = $"key-{_sequence}" };
        _keyed.Add(command);
        return command;
    }

    private Statement Statement() => _random.Next(38) switch
    {
        0 or 1 or 2 => Sql("INSERT INTO people(name, born, note) VALUES (?, julianday('now') - ?, ?)", Name(), Integer(30000), Value()),
        3 => Sql("INSERT INTO people(name, note) VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET note = excluded.note, lucky = random() RETURNING *", Name(), Value()),
        4 => Sql("INSERT OR REPLACE INTO people(id, name) VALUES (?, ?)", Integer(60), Name()),
        5 => Sql("INSERT OR IGNORE INTO people(name) SELECT name || ? FROM people LIMIT 3", Integer(50)),
        6 => Named("UPDATE people SET note = :note, born = born + $days WHERE id % @m = 0", ("note", Value()), ("days", Real()), ("m", Integer(9))),
        7 => Sql("UPDATE people SET lucky = random() WHERE id IN (SELECT id FROM people WHERE lucky > ? LIMIT 5)", Integer(1000)),
        8 => Sql("DELETE FROM people WHERE id = ? RETURNING id, made, token", Integer(80)),
        9 => Sql("DELETE FROM people WHERE id IN (SELECT id FROM people ORDER BY random() LIMIT 2)"),
        10 => Sql("INSERT INTO audit(what, dice) SELECT name, lucky FROM recent LIMIT 4"),
        11 => Sql("DELETE FROM audit WHERE id < (SELECT max(id) FROM audit) - 150"),
        12 => Sql("INSERT INTO counts VALUES (?, date('now', ?), 1) ON CONFLICT DO UPDATE SET n = n + 1", Word(), SqlValue.From($"-{_random.Next(9)} days")),
        13 => Sql("INSERT INTO strictly(i, r, t, b, a) VALUES (?, ?, ?, ?, ?)", Integer(99), Real(), Word(), Blob(), Value()),
        14 => Sql("INSERT INTO strictly(i, t) VALUES (?, ?)", Value(), Value()),
        15 => Sql("INSERT INTO parent(v) VALUES (strftime('%s', 'now') || ?)", Word()),
        16 => Sql("INSERT INTO child(parent, v) VALUES (?, unixepoch())", Integer(60)),
        17 => Sql("DELETE FROM parent WHERE id = ?", Integer(60)),
        18 or 19 => Sql("INSERT INTO docs(body, meta) VALUES (?, json_object('n', ?, 'at', datetime('now')))", Text(), Value(allowBlob: false)),
        20 => Sql("UPDATE docs SET meta = json_set(meta, '$.seen', CURRENT_TIMESTAMP, '$.r', random()) WHERE id % 5 = ?", Integer(5)),
        21 => Sql("DELETE FROM docs WHERE id = ?", Integer(90)),
        22 => Sql("INSERT INTO docs(body, meta) VALUES (?, ?)", Text(), Word()),
        23 => Sql("INSERT INTO search4(body) VALUES (?)", Text()),
        24 => Sql("DELETE FROM search4 WHERE docid = ?", Integer(60)),
        25 => Sql("INSERT INTO search(search) VALUES ('optimize')"),
        26 => Sql("INSERT INTO plain(a, b, c) SELECT rowid, rank, body FROM search WHERE search MATCH ? LIMIT 3", SqlValue.From(_words[_random.Next(4)])),
        27 => Sql("INSERT OR REPLACE INTO space VALUES (?1, ?2, ?2 + abs(random() % 10), ?2, ?2 + 2.5)", Integer(50), Real()),
        28 => Sql("INSERT INTO plain(a, b, c) SELECT id, x0, y1 FROM space WHERE x1 > ? AND x0 < ?", Real(), Real()),
        29 => Sql("INSERT INTO plain(a, b, c) VALUES (random(), randomblob(abs(random() % 40)), ?)", Value()),
        30 => Sql("INSERT INTO plain(a, b, c) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?) SELECT n, sqrt(n) * sin(n), printf('%.17g', exp(n / 7.0)) FROM c", Integer(12)),
        31 => Sql("DELETE FROM plain WHERE rowid IN (SELECT rowid FROM plain LIMIT 4)"),
        32 => Sql("UPDATE plain SET c = (SELECT group_concat(name) FROM (SELECT name FROM people LIMIT 3)) WHERE a = ?", Integer(12)),
        33 => Sql("INSERT INTO guarded VALUES (?)", Integer(20)),
        34 => Sql("INSERT INTO guarded VALUES (?)", Integer(14)),
        35 => Sql(_random.Next(3) switch
        {
            0 => "INSERT INTO nosuch VALUES (1)",
            1 => "INSERT INTO people(name) VALUES ('a'), ('b'), (NULL)",
            _ => "INSERT OR ROLLBACK INTO parent(id) SELECT id FROM parent",
        }),
        36 => Sql("INSERT INTO plain(a, b, c) VALUES (CAST(? AS TEXT), -0.0, 9223372036854775807)", Blob()),
        _ => Schema(),
    };

    private Statement Schema() => Sql(_random.Next(8) switch
    {
        0 => "ANALYZE",
        1 => $"CREATE TABLE made_{++_tables} AS SELECT name, lucky, datetime('now') AS at FROM people LIMIT 7",
        2 => $"DROP TABLE IF EXISTS made_{_random.Next(1, _tables + 2)}",
        3 => $"ALTER TABLE plain ADD COLUMN extra_{_sequence} DEFAULT 7",
        4 => "CREATE INDEX IF NOT EXISTS plain_a ON plain(a)",
        5 => "DROP INDEX IF EXISTS plain_a",
        6 => "REINDEX",
        _ => $"ALTER TABLE made_{Math.Max(1, _tables)} RENAME TO kept_{_sequence}",
    });

    private WriteCommand Single(Statement statement) => new()
    {
        Id = new(_random.Next(3), 42, ++_sequence),
        Database = "main",
        Statements = [statement],
    };

    private WriteCommand Transaction(int count) => Single(Sql("")) with
    {
        Statements = [.. Enumerable.Range(0, count).Select(_ => Statement()), Sql("SELECT count(*), random() FROM people")],
        IsTransaction = true,
    };

    private SqlValue Name() => SqlValue.From(_words[_random.Next(_words.Length)] + _random.Next(60).ToString(CultureInfo.InvariantCulture));

    private SqlValue Word() => SqlValue.From(_words[_random.Next(_words.Length)]);

    private SqlValue Text() => SqlValue.From(string.Join(' ', Enumerable.Range(0, _random.Next(1, 12)).Select(_ => _words[_random.Next(_words.Length)])));

    private SqlValue Integer(int below) => SqlValue.From((long)_random.Next(below));

    private SqlValue Real() => SqlValue.From((_random.NextDouble() - 0.5) * 1000);

    private SqlValue Blob()
    {
        var bytes = new byte[_random.Next(30)];
        _random.NextBytes(bytes);
        return SqlValue.From(bytes);
    }

    private SqlValue Value(bool allowBlob = true) => _random.Next(allowBlob ? 6 : 5) switch
    {
        0 => SqlValue.Null,
        1 => SqlValue.From(_random.NextInt64(long.MinValue, long.MaxValue)),
        2 => Real(),
        3 => Integer(10),
        4 => Word(),
        _ => Blob(),
    };
}
