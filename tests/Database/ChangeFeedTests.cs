using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Database.Changes;

namespace DistDb.Tests.Database;

/// <summary>What a database keeps of changes is what was changed: all of it, in order, and nothing that was undone.</summary>
public sealed class ChangeFeedTests : IDisposable
{
    private const long Plenty = 1 << 30;

    private readonly TestDatabase _database = new() { ChangesBytesMax = Plenty };

    public void Dispose() => _database.Dispose();

    [Fact]
    public void Rows_are_told_with_their_key_and_their_values()
    {
        _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY, x REAL, b BLOB, s DEFAULT 'd')");
        var from = _database.Writer.AppliedIndex;
        _database.Do("INSERT INTO t(id, x, b) VALUES (7, 1, x'00ff')", "UPDATE t SET x = 2.5, s = NULL WHERE id = 7", "UPDATE t SET id = 8", "DELETE FROM t");

        Told(from).Should().Equal(
            "insert t id=7: id=7 x=1.0 b=x'00FF' s='d'",
            "update t id=7: id=7 x=2.5 b=x'00FF' s=NULL",
            "update t id=8 was id=7: id=8 x=2.5 b=x'00FF' s=NULL",
            "delete t id=8");
    }

    [Theory]
    [InlineData("CREATE TABLE t(k TEXT PRIMARY KEY, v)", "insert t k='a': k='a' v=1|update t k='a': k='a' v=2|update t k='b' was k='a': k='b' v=2|delete t k='b'")]
    [InlineData("CREATE TABLE t(k TEXT PRIMARY KEY, v) WITHOUT ROWID", "insert t k='a': k='a' v=1|update t k='a': k='a' v=2|update t k='b' was k='a': k='b' v=2|delete t k='b'")]
    [InlineData("CREATE TABLE t(v, k TEXT, PRIMARY KEY(k, v)) WITHOUT ROWID", "insert t k='a' v=1: v=1 k='a'|update t k='a' v=2 was k='a' v=1: v=2 k='a'|update t k='b' v=2 was k='a' v=2: v=2 k='b'|delete t k='b' v=2")]
    [InlineData("CREATE TABLE t(k, v)", "insert t rowid=1: k='a' v=1|update t rowid=1: k='a' v=2|update t rowid=1: k='b' v=2|delete t rowid=1")]
    [InlineData("CREATE TABLE t(rowid TEXT, k, v)", "insert t _rowid_=1: rowid=NULL k='a' v=1|update t _rowid_=1: rowid=NULL k='a' v=2|update t _rowid_=1: rowid=NULL k='b' v=2|delete t _rowid_=1")]
    [InlineData("CREATE TABLE t(k, g AS (k || '!') VIRTUAL, v, h AS (v * 10) STORED)", "insert t rowid=1: k='a' v=1 h=10|update t rowid=1: k='a' v=2 h=20|update t rowid=1: k='b' v=2 h=20|delete t rowid=1")]
    [InlineData("CREATE TABLE t(g AS (k || '!') VIRTUAL, v, k TEXT PRIMARY KEY, h REAL AS (v * 10) STORED) WITHOUT ROWID", "insert t k='a': v=1 k='a' h=10.0|update t k='a': v=2 k='a' h=20.0|update t k='b' was k='a': v=2 k='b' h=20.0|delete t k='b'")]
    [InlineData("CREATE TABLE t(k, id INTEGER PRIMARY KEY DESC, v)", "insert t id=NULL rowid=1: k='a' id=NULL v=1|update t id=NULL rowid=1: k='a' id=NULL v=2|update t id=NULL rowid=1: k='b' id=NULL v=2|delete t id=NULL rowid=1")]
    public void Every_kind_of_table_has_its_key(string create, string expected)
    {
        _database.Do(create);
        var from = _database.Writer.AppliedIndex;
        _database.Do("INSERT INTO t(k, v) VALUES ('a', 1)", "UPDATE t SET v = 2", "UPDATE t SET k = 'b'", "DELETE FROM t");

        Told(from).Should().Equal(expected.Split('|'));
    }

    [Fact]
    public void Behind_a_generated_column_a_key_keeps_its_value_and_no_wrong_one_is_told()
    {
        // SQLite 3.40 gives the rowid in place of b, so that b is left out.
        _database.Do("CREATE TABLE t(a, g AS (a + 1) VIRTUAL, id INTEGER PRIMARY KEY, b, c)");
        var from = _database.Writer.AppliedIndex;
        _database.Do("INSERT INTO t(a, id, b, c) VALUES (1, 77, 'b', 'c')", "UPDATE t SET c = 'd'", "DELETE FROM t");

        Told(from).Select(t => t.Replace(" b='b'", "", StringComparison.Ordinal)).Should().Equal(
            "insert t id=77: a=1 id=77 c='c'", "update t id=77: a=1 id=77 c='d'", "delete t id=77");
    }

    [Fact]
    public void Triggers_cascades_and_replaced_rows_are_told()
    {
        _database.Do(
            "CREATE TABLE p(id INTEGER PRIMARY KEY, u UNIQUE)",
            "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE)",
            "CREATE TABLE log(at TEXT DEFAULT CURRENT_TIMESTAMP, what)",
            "CREATE TRIGGER tr AFTER UPDATE ON p BEGIN INSERT INTO log(what) VALUES (new.id); END",
            "INSERT INTO p VALUES (1, 'a'), (2, 'b')",
            "INSERT INTO c VALUES (10, 1), (11, 2)");
        var from = _database.Writer.AppliedIndex;
        _database.Do("REPLACE INTO p VALUES (3, 'a')", "UPDATE p SET id = 20 WHERE id = 2", "INSERT OR IGNORE INTO p VALUES (4, 'a'), (5, 'e')", "DELETE FROM p WHERE id = 20", "DELETE FROM log");

        Told(from).Should().Equal(
            "delete p id=1",
            "delete c id=10",
            "insert p id=3: id=3 u='a'",
            "update p id=20 was id=2: id=20 u='b'",
            "update c id=11: id=11 p=20",
            "insert log rowid=1: at='2024-02-29 12:34:56' what=20",
            "insert p id=5: id=5 u='e'",
            "delete p id=20",
            "delete c id=11",
            "delete log rowid=1");
    }

    [Fact]
    public void The_schema_s_changes_are_told_in_their_place()
    {
        _database.Do(
            "CREATE TABLE t(id INTEGER PRIMARY KEY)",
            "INSERT INTO t VALUES (1)",
            "CREATE TABLE IF NOT EXISTS t(other)",
            "ALTER TABLE t ADD COLUMN n DEFAULT 5",
            "UPDATE t SET n = n + 1",
            "ALTER TABLE t RENAME COLUMN n TO m",
            "INSERT INTO t VALUES (2, 2)",
            "CREATE TABLE made AS SELECT id, m * 1.5 AS r FROM t",
            "CREATE INDEX i ON t(m)",
            "ANALYZE",
            "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT)",
            "ALTER TABLE t RENAME TO u",
            "DELETE FROM u WHERE id = 1",
            "DROP TABLE u");

        Told(0).Should().Equal(
            "CREATE TABLE t",
            "insert t id=1: id=1",
            "ALTER TABLE t",
            "update t id=1: id=1 n=6",
            "ALTER TABLE t",
            "insert t id=2: id=2 m=2",
            "CREATE TABLE made",
            "insert made rowid=1: id=1 r=9.0",
            "insert made rowid=2: id=2 r=3.0",
            "CREATE INDEX i",
            "CREATE TABLE a",
            "ALTER TABLE t",
            "delete u id=1",
            "DROP TABLE u");
    }

    [Fact]
    public void What_belongs_to_virtual_tables_and_to_SQLite_is_not_told()
    {
        _database.Do("CREATE VIRTUAL TABLE f USING fts5(body)", "CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, v)");
        var from = _database.Writer.AppliedIndex;
        _database.Do("INSERT INTO f VALUES ('hello')", "INSERT INTO a(v) VALUES ('x')", "DELETE FROM f");

        Told(from).Should().Equal("insert a id=1: id=1 v='x'");
    }

    [Fact]
    public void What_is_undone_is_not_told()
    {
        _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)", "INSERT INTO t VALUES (1, 1)");
        var from = _database.Writer.AppliedIndex;
        _database.Writer.Begin(_database.NextStamp());
        var ordinal = 0;
        WriteOutcome Write(WriteCommand command)
        {
            var outcome = _database.Writer.Execute(command, ordinal, new(MaySchema: true), Timeout.InfiniteTimeSpan);
            ordinal += outcome is WriteOutcome.Succeeded ? 1 : 0;
            return outcome;
        }

        Write(_database.Transaction(TestDatabase.Sql("INSERT INTO t VALUES (2, 2)"), TestDatabase.Sql("INSERT INTO t VALUES (3, 1)"))).Should().BeOfType<WriteOutcome.Failed>();
        Write(_database.Command(TestDatabase.Sql("INSERT INTO t VALUES (4, 4)"), "key 4")).Should().BeOfType<WriteOutcome.Succeeded>();
        Write(_database.Command(TestDatabase.Sql("INSERT OR FAIL INTO t VALUES (5, 5), (6, 1)"))).Should().BeOfType<WriteOutcome.Failed>();
        Write(_database.Transaction(TestDatabase.Sql("CREATE TABLE gone(x)"), TestDatabase.Sql("INSERT INTO gone VALUES (1)"), TestDatabase.Sql("nonsense"))).Should().BeOfType<WriteOutcome.Failed>();
        Write(_database.Command(TestDatabase.Sql("INSERT INTO t VALUES (7, 7)"))).Should().BeOfType<WriteOutcome.Succeeded>();
        _database.Writer.Commit();
        _database.Writer.Begin(_database.NextStamp());
        Write(_database.Command(TestDatabase.Sql("INSERT INTO t VALUES (8, 8)")));
        _database.Writer.Rollback();

        Told(from).Should().Equal("insert t id=4: id=4 u=4", "insert t id=7: id=7 u=7");
        var changes = Read(from).Single().Read();
        changes.Select(c => c.Write).Should().Equal(0, 1);
        changes.Select(c => c.WriteId).Should().Equal("key 4", null);
    }

    [Fact]
    public void Of_an_interactive_transaction_only_what_was_committed_is_told()
    {
        _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY)");
        var from = _database.Writer.AppliedIndex;
        string[] statements =
        [
            "INSERT INTO t VALUES (1)", "SAVEPOINT a", "INSERT INTO t VALUES (2)", "SAVEPOINT b", "INSERT INTO t VALUES (3)", "ROLLBACK TO a", "INSERT INTO t VALUES (4)",
            "SAVEPOINT c", "INSERT INTO t VALUES (5)", "RELEASE c", "", "CREATE TABLE u(x)", "SAVEPOINT d", "ALTER TABLE u ADD COLUMN y", "ROLLBACK TO d", "INSERT INTO u VALUES (6)",
        ];
        var command = _database.Transaction([.. statements.Select(s => TestDatabase.Sql(s))]) with { Interactive = new(Guid.NewGuid(), TestDatabase.StartMs, 5) };
        _database.Execute(command).Should().BeOfType<WriteOutcome.Succeeded>();

        Told(from).Should().Equal("insert t id=1: id=1", "insert t id=4: id=4", "insert t id=5: id=5", "CREATE TABLE u", "insert u rowid=1: x=6");
    }

    [Fact]
    public void What_a_client_tries_between_entries_is_not_told()
    {
        _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY)");
        var from = _database.Writer.AppliedIndex;
        var transaction = new InteractiveTransaction(new(Guid.NewGuid(), TestDatabase.StartMs, 5), withoutForeignKeys: false);
        _database.Writer.Step(transaction, TestDatabase.Sql("INSERT INTO t VALUES (1)"), new(MaySchema: true), Timeout.InfiniteTimeSpan).Failure.Should().BeNull();
        _database.Do("INSERT INTO t VALUES (2)");

        Told(from).Should().Equal("insert t id=2: id=2");
    }

    [Fact]
    public void A_large_entry_comes_in_pieces_that_can_be_taken_up_one_by_one()
    {
        _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY, s)");
        var from = _database.Writer.AppliedIndex;
        _database.Writer.Begin(_database.NextStamp());
        Execute("WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO t SELECT i, 's' FROM n", 0, "first");
        Execute("INSERT INTO t VALUES (5000, zeroblob(600000)), (5001, 'end')", 1, "second");
        _database.Writer.Commit();

        List<ChangePiece> pieces = [];
        var position = new ChangePosition(from);
        while (Reading(_database, position, bytesMax: 1) is { Pieces: [var piece] })
        {
            pieces.Add(piece);
            position = piece.Position;
        }

        pieces.Select(p => p.Position.ToString()).Should().Equal($"{from + 1}.0", $"{from + 1}.1", $"{from + 1}.2", $"{from + 1}.3", $"{from + 1}");
        pieces.SelectMany(p => p.Read()).Select(c => c.Key[0].Value.Integer).Should().Equal(Enumerable.Range(1, 2500).Select(i => (long)i).Concat([5000, 5001]));
        pieces.SelectMany(p => p.Read()).Select(c => c.WriteId).Should().Equal(Enumerable.Repeat("first", 2500).Concat(["second", "second"]));
        pieces.Should().OnlyContain(p => p.Read().Count <= ChangeLog.PieceChanges);

        void Execute(string sql, int ordinal, string key) =>
            _database.Writer.Execute(_database.Command(TestDatabase.Sql(sql), key), ordinal, new(MaySchema: false), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
    }

    [Fact]
    public void The_oldest_entries_go_and_whoever_needs_them_is_told_so()
    {
        using var database = new TestDatabase { ChangesBytesMax = 10_000 };
        database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY, s)");
        for (var i = 0; i < 100; i++)
        {
            database.Do("INSERT INTO t(s) VALUES (hex(zeroblob(200)))");
        }

        var (first, oldest) = (Reading(database, 0), Reading(database, 0).GoneUpTo!.Value);
        first.Pieces.Should().BeEmpty();
        oldest.Should().BeInRange(70, 90);
        Reading(database, oldest - 1).GoneUpTo.Should().Be(oldest);
        Reading(database, oldest).Pieces.Select(p => p.Position.Index).Should().Equal(Enumerable.Range(0, (int)(database.Writer.AppliedIndex - oldest)).Select(i => oldest + 1 + i));
        database.Restart();
        database.Do("INSERT INTO t(s) VALUES ('after a restart')");
        Reading(database, oldest + 5).Pieces[^1].Position.Index.Should().Be(database.Writer.AppliedIndex);

        // An entry of its own that is larger than all that may be kept leaves nothing.
        database.Do("INSERT INTO t(s) VALUES (hex(randomblob(20000)))");
        Reading(database, database.Writer.AppliedIndex - 1).GoneUpTo.Should().Be(database.Writer.AppliedIndex);
        Reading(database, database.Writer.AppliedIndex).Should().BeEquivalentTo(new ChangeReading([], null, IsOff: false));
    }

    [Fact]
    public void An_entry_that_keeps_none_leaves_none()
    {
        _database.Do("CREATE TABLE t(x)", "INSERT INTO t VALUES (1)");
        Reading(_database, 0).Pieces.Should().HaveCount(2);
        _database.Execute(_database.Command(TestDatabase.Sql("INSERT INTO t VALUES (2)")), stamp: _database.NextStamp() with { ChangesBytesMax = 0 });
        Reading(_database, 2).Should().BeEquivalentTo(new ChangeReading([], 3, IsOff: true));
        Reading(_database, 3).GoneUpTo.Should().BeNull("nothing was written since");
        _database.Do("INSERT INTO t VALUES (3)");
        Reading(_database, 2).GoneUpTo.Should().Be(3);
        Told(3).Should().Equal("insert t rowid=3: x=3");
    }

    [Fact]
    public void Statements_that_were_compiled_before_tell_their_changes_too()
    {
        using var database = new TestDatabase { ChangesBytesMax = null };
        var off = database.NextStamp() with { ChangesBytesMax = 0 };
        database.Execute(database.Command(TestDatabase.Sql("CREATE TABLE t(id INTEGER PRIMARY KEY)")), stamp: off);
        database.Execute(database.Command(TestDatabase.Sql("DELETE FROM t")), stamp: database.NextStamp() with { ChangesBytesMax = 0 });
        database.Execute(database.Command(TestDatabase.Sql("INSERT INTO t VALUES (1), (2)")), stamp: database.NextStamp() with { ChangesBytesMax = Plenty });
        database.Execute(database.Command(TestDatabase.Sql("DELETE FROM t")), stamp: database.NextStamp() with { ChangesBytesMax = Plenty });

        Reading(database, 3).Pieces.Single().Read().Select(Say).Should().Equal("delete t id=1", "delete t id=2");
    }

    private static ChangeReading Reading(TestDatabase database, long from) => Reading(database, new(from), long.MaxValue);

    private static ChangeReading Reading(TestDatabase database, ChangePosition from, long bytesMax) =>
        database.Readers.ReadChangesAsync(from, bytesMax, CancellationToken.None).GetAwaiter().GetResult();

    private IReadOnlyList<ChangePiece> Read(long from) => Reading(_database, from).Pieces;

    private IEnumerable<string> Told(long from) => Read(from).SelectMany(p => p.Read()).Select(Say);

    private static string Say(Change change) =>
        change.Operation == Change.Schema ? $"{change.Statement} {change.Name}".Trim()
        : $"{change.Operation} {change.Table} {Say(change.Key)}{(change.OldKey is { } old ? $" was {Say(old)}" : "")}{(change.Values is { } values ? $": {Say(values)}" : "")}";

    private static string Say(IEnumerable<(string Name, SqlValue Value)> values) => string.Join(' ', values.Select(v => $"{v.Name}={Say(v.Value)}"));

    private static string Say(SqlValue value) => value.Kind switch
    {
        SqlValueKind.Text => $"'{value.Text}'",
        SqlValueKind.Blob => $"x'{Convert.ToHexString(value.Blob)}'",
        SqlValueKind.Real => value.Real.ToString("0.0##", CultureInfo.InvariantCulture),
        SqlValueKind.Null => "NULL",
        _ => value.Integer.ToString(CultureInfo.InvariantCulture),
    };
}
