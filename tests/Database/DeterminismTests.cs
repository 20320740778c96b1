using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Tests.Support;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

/// <summary>What would make replicas differ, trap by trap.</summary>
public sealed class DeterminismTests : IDisposable
{
    private readonly TestDatabase _database = new();

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData("CURRENT_TIMESTAMP", "2024-02-29 12:34:56")]
    [InlineData("CURRENT_DATE", "2024-02-29")]
    [InlineData("CURRENT_TIME", "12:34:56")]
    [InlineData("datetime('now')", "2024-02-29 12:34:56")]
    [InlineData("datetime()", "2024-02-29 12:34:56")]
    [InlineData("strftime('%Y-%m-%d %H:%M:%f', 'now')", "2024-02-29 12:34:56.789")]
    [InlineData("datetime('now', 'localtime')", "2024-02-29 12:34:56")]
    [InlineData("datetime('now', 'utc')", "2024-02-29 12:34:56")]
    [InlineData("strftime('%s', 'now')", "1709210096")]
    [InlineData("printf('%.6f', julianday('now'))", "2460370.024268")]
    [InlineData("unixepoch('now')", "1709210096")]
    public void Now_is_the_time_of_the_entry(string expression, string expected)
    {
        _database.Execute($"CREATE TABLE t(id INTEGER PRIMARY KEY, direct, fallback DEFAULT ({expression}), triggered)")
            .Should().BeOfType<WriteOutcome.Succeeded>();
        _database.Do($"CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET triggered = {expression} WHERE id = new.id; END");
        var stamp = new EntryStamp(_database.Writer.AppliedIndex + 1, StartMs, 1);
        _database.Execute(_database.Command(Sql($"INSERT INTO t(direct) VALUES ({expression})")), stamp: stamp);
        _database.Rows("SELECT direct || '', fallback || '', triggered || '' FROM t").Rows.Single()
            .Select(value => value.Text).Should().Equal(expected, expected, expected);
    }

    [Fact]
    public void Chance_comes_from_the_seed_and_the_place_of_the_write()
    {
        string Content(ulong seed, params int[] ordinals)
        {
            using var database = new TestDatabase();
            database.Do(
                "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b DEFAULT (random()), c)",
                "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET c = hex(randomblob(20)) WHERE id = new.id; END");
            var writer = database.Writer;
            writer.Begin(new(writer.AppliedIndex + 1, StartMs, seed));
            foreach (var ordinal in ordinals)
            {
                writer.Execute(database.Command(Sql("INSERT INTO t(a) SELECT random() FROM (VALUES (1), (2))")), ordinal, new(false), Timeout.InfiniteTimeSpan)
                    .Should().BeOfType<WriteOutcome.Succeeded>();
            }

            writer.Commit();
            return database.Value("SELECT group_concat(a || ' ' || b || ' ' || c) FROM t").Text;
        }

        Content(7, 0, 1).Should().Be(Content(7, 0, 1));
        Content(7, 0, 1).Should().NotBe(Content(8, 0, 1));
        Content(7, 0, 1).Should().NotBe(Content(7, 0, 2));
        Content(7, 0).Split(',', ' ').Should().OnlyHaveUniqueItems();
    }

    [Fact]
    public void A_failed_write_uses_up_no_chance()
    {
        string Content(bool withFailure)
        {
            using var database = new TestDatabase();
            database.Do("CREATE TABLE t(a NOT NULL)");
            var writer = database.Writer;
            writer.Begin(new(writer.AppliedIndex + 1, StartMs, 5));
            if (withFailure)
            {
                writer.Execute(database.Command(Sql("INSERT INTO t VALUES (random()), (NULL)")), 0, new(false), Timeout.InfiniteTimeSpan)
                    .Should().BeOfType<WriteOutcome.Failed>();
            }

            writer.Execute(database.Command(Sql("INSERT INTO t VALUES (random())")), 0, new(false), Timeout.InfiniteTimeSpan);
            writer.Commit();
            return database.Value("SELECT a FROM t").ToString();
        }

        Content(withFailure: true).Should().Be(Content(withFailure: false));
    }

    [Fact]
    public void Randomblob_keeps_its_bounds()
    {
        _database.Do("CREATE TABLE t(a)", "INSERT INTO t VALUES (randomblob(0)), (randomblob(-5)), (randomblob(13))");
        _database.Rows("SELECT length(a) FROM t").Rows.Select(row => row[0].Integer).Should().Equal(1, 1, 13);
        _database.Fail("INSERT INTO t VALUES (randomblob(9000000000))").Code.Should().Be(FailureCode.TooLarge);
        _database.Fail("CREATE INDEX i ON t(a) WHERE a > random()").Detail.Should().Contain("non-deterministic");
    }

    [Theory]
    [InlineData("INSERT INTO t(a) VALUES (9223372036854775807)")]
    [InlineData("UPDATE t SET a = 9223372036854775807")]
    [InlineData("INSERT INTO t VALUES (1, 1) ON CONFLICT DO UPDATE SET a = 9223372036854775807")]
    [InlineData("INSERT INTO f(rowid, body) VALUES (9223372036854775807, 'x')")]
    [InlineData("INSERT INTO r VALUES (9223372036854775807, 0, 1)")]
    [InlineData("INSERT INTO g VALUES (1)")]
    [InlineData("INSERT INTO t(a) VALUES (9223372036854775806), (NULL)")]
    public void The_highest_rowid_is_refused_since_the_next_would_be_random(string sql)
    {
        _database.Do(
            "CREATE TABLE t(a INTEGER PRIMARY KEY, b)",
            "INSERT INTO t VALUES (1, 1)",
            "CREATE VIRTUAL TABLE f USING fts5(body)",
            "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1)",
            "CREATE TABLE g(a)",
            "CREATE TRIGGER g_t AFTER INSERT ON g BEGIN INSERT INTO t(a) VALUES (9223372036854775807); END");
        var failure = _database.Fail(sql);
        failure.Code.Should().Be(FailureCode.Forbidden);
        failure.Detail.Should().Contain("rowid");
        _database.Do("INSERT INTO t(a) VALUES (9223372036854775806)", "DELETE FROM t WHERE a = 9223372036854775806");
    }

    [Fact]
    public void Last_insert_rowid_and_changes_start_alike_after_a_failure_and_after_a_restart()
    {
        _database.Do("CREATE TABLE t(a UNIQUE)", "CREATE TABLE seen(id, count)", "INSERT INTO t VALUES (1), (2), (3)");
        const string Look = "INSERT INTO seen VALUES (last_insert_rowid(), changes())";
        _database.Do(Look);
        _database.Fail("INSERT INTO t VALUES (4), (5), (1)");
        _database.Do(Look);
        _database.Restart();
        _database.Do(Look);
        var writer = _database.Writer;
        writer.Begin(_database.NextStamp());
        writer.Execute(_database.Command(Sql("INSERT INTO t VALUES (8), (9), (1)")), 0, new(false), Timeout.InfiniteTimeSpan);
        writer.Execute(_database.Command(Sql(Look)), 0, new(false), Timeout.InfiniteTimeSpan);
        writer.Commit();
        _database.Rows("SELECT id, count FROM seen").Rows.Should().HaveCount(4)
            .And.OnlyContain(row => row[0].Integer == 0 && row[1].Integer == 1);
    }

    [Fact]
    public void Autoincrement_at_its_end_is_the_statements_own_error()
    {
        _database.Do(
            "CREATE TABLE t(a INTEGER PRIMARY KEY AUTOINCREMENT)",
            "INSERT INTO t VALUES (1)",
            "UPDATE sqlite_sequence SET seq = 9223372036854775807");
        var failure = _database.Fail("INSERT INTO t DEFAULT VALUES");
        failure.Code.Should().Be(FailureCode.SqlError);
        failure.SqliteCode.Should().Be(13);
        _database.Do("UPDATE sqlite_sequence SET seq = 5", "INSERT INTO t DEFAULT VALUES");
        _database.Value("SELECT max(a) FROM t").Integer.Should().Be(6);
        Directory.GetFiles(Path.GetDirectoryName(_database.Path)!).Should().NotContain(file => file.EndsWith(".probe"));
    }

    [Fact]
    public void A_contradiction_in_a_full_text_index_is_the_statements_own_error()
    {
        _database.Do(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, body)",
            "CREATE VIRTUAL TABLE f USING fts5(body, content='t', content_rowid='id')",
            "INSERT INTO t VALUES (1, 'one')");
        var failure = _database.Fail("INSERT INTO f(f, rank) VALUES ('integrity-check', 1)");
        failure.Code.Should().Be(FailureCode.SqlError);
        failure.SqliteCode.Should().Be(267);
        _database.Do("INSERT INTO f(f) VALUES ('rebuild')");
    }

    [Fact]
    public void Analyze_leaves_our_tables_out_and_its_rollback_leaves_no_plan_behind()
    {
        _database.Do(
            "CREATE TABLE t(a, b)",
            "CREATE INDEX t_a ON t(a)",
            "CREATE INDEX t_b ON t(b)",
            "INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500) SELECT n, 1 FROM c");

        // As a query of the writer, whose plans decide what INSERT ... SELECT and LIMIT give.
        string Plan()
        {
            _database.Writer.Begin(_database.NextStamp());
            var outcome = _database.Writer.Execute(
                _database.Transaction(Sql("EXPLAIN QUERY PLAN SELECT * FROM t WHERE a = 1 AND b = 1")), 0, new(true), Timeout.InfiniteTimeSpan);
            _database.Writer.Rollback();
            return outcome.Should().BeOfType<WriteOutcome.Succeeded>().Subject.Results[0].Rows!.Rows[0][3].Text;
        }

        var before = Plan();
        _database.Fail(_database.Transaction(Sql("ANALYZE"), Sql("SELECT nosuch"))).Code.Should().Be(FailureCode.SqlError);
        Plan().Should().Be(before);
        _database.Writer.Begin(_database.NextStamp());
        _database.Writer.Execute(_database.Command(Sql("ANALYZE")), 0, new(true), Timeout.InfiniteTimeSpan);
        _database.Writer.Rollback();
        Plan().Should().Be(before);

        _database.Do("ANALYZE");
        var analyzed = Plan();
        analyzed.Should().NotBe(before, because: "otherwise this test shows nothing");
        _database.Restart();
        Plan().Should().Be(analyzed);
        _database.Rows("SELECT DISTINCT tbl FROM sqlite_stat1").Rows.Select(row => row[0].Text).Should().Equal("t");
        _database.Do("DROP INDEX t_a", "DROP INDEX t_b");
        var dropped = Plan();
        _database.Restart();
        Plan().Should().Be(dropped);
    }

    [Fact]
    public void Full_text_rows_before_a_schema_change_in_the_same_entry_are_kept()
    {
        _database.Do("CREATE VIRTUAL TABLE f USING fts5(body)", "CREATE VIRTUAL TABLE f4 USING fts4(body)");
        var writer = _database.Writer;
        writer.Begin(_database.NextStamp());
        var ordinal = 0;
        foreach (var sql in (string[])
        [
            "INSERT INTO f VALUES ('one')", "INSERT INTO f4 VALUES ('one')", "CREATE TABLE t(a)", "INSERT INTO f VALUES ('two')",
            "INSERT INTO f4 VALUES ('two')", "ALTER TABLE t ADD COLUMN b", "INSERT INTO f VALUES ('one two')",
        ])
        {
            writer.Execute(_database.Command(Sql(sql)), ordinal++, new(true), Timeout.InfiniteTimeSpan)
                .Should().BeOfType<WriteOutcome.Succeeded>(because: sql);
        }

        writer.Execute(_database.Transaction(Sql("INSERT INTO f VALUES ('two')"), Sql("CREATE TABLE x(a)"), Sql("nonsense")), ordinal, new(true), Timeout.InfiniteTimeSpan)
            .Should().BeOfType<WriteOutcome.Failed>();
        writer.Commit();
        _database.Value("SELECT count(*) FROM f WHERE f MATCH 'one'").Integer.Should().Be(2);
        _database.Value("SELECT count(*) FROM f WHERE f MATCH 'two'").Integer.Should().Be(2);
        _database.Value("SELECT count(*) FROM f4 WHERE f4 MATCH 'two'").Integer.Should().Be(1);
        _database.Do("INSERT INTO f(f, rank) VALUES ('integrity-check', 1)", "INSERT INTO f4(f4) VALUES ('integrity-check')");
    }

    [Fact]
    public void The_hash_that_compares_replicas_notices_one_changed_value_and_its_type()
    {
        string Hash(string value)
        {
            using var database = new TestDatabase();
            database.Do("CREATE TABLE t(a)", "INSERT INTO t VALUES (1), (2), (3)", $"UPDATE t SET a = {value} WHERE rowid = 2");
            return ContentHash.Of(database.Path);
        }

        Hash("2").Should().Be(Hash("2"));
        Hash("2").Should().NotBe(Hash("4"));
        Hash("2").Should().NotBe(Hash("2.0"));
        Hash("2").Should().NotBe(Hash("'2'"));
    }
}
