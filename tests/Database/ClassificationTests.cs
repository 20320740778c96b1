using DistDb.Node.Commands;
using DistDb.Node.Database;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

public sealed class ClassificationTests : IDisposable
{
    private readonly TestDatabase _database = new();

    public ClassificationTests() => _database.Do(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)",
        "CREATE TABLE u(a, b)",
        "CREATE INDEX t_b ON t(b)",
        "CREATE VIEW v AS SELECT a, b FROM t",
        "CREATE TRIGGER v_insert INSTEAD OF INSERT ON v BEGIN INSERT INTO t(b) VALUES (new.b); END",
        "CREATE VIRTUAL TABLE f USING fts5(body)",
        "CREATE VIRTUAL TABLE f4 USING fts4(body)",
        "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1)",
        "ANALYZE");

    public void Dispose() => _database.Dispose();

    [Theory]
    [InlineData("SELECT 1")]
    [InlineData("  -- comment\n /* another */ SELECT a FROM t ; -- trailing \n ; /* open")]
    [InlineData("VALUES (1), (2)")]
    [InlineData("WITH x AS (SELECT 1) SELECT * FROM x")]
    [InlineData("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n FROM c")]
    [InlineData("EXPLAIN SELECT * FROM t")]
    [InlineData("EXPLAIN INSERT INTO t VALUES (1, 'x')")]
    [InlineData("EXPLAIN QUERY PLAN DELETE FROM t")]
    [InlineData("explain create table x(a)")]
    [InlineData("SELECT * FROM v")]
    [InlineData("SELECT * FROM json_each('[1,2]')")]
    [InlineData("SELECT * FROM f WHERE f MATCH 'x'")]
    [InlineData("SELECT * FROM f4 WHERE f4 MATCH 'x'")]
    [InlineData("SELECT * FROM r WHERE x0 < 1")]
    [InlineData("SELECT random(), 'now', total_changes(), sqlite_version()")]
    [InlineData("SELECT name FROM sqlite_master")]
    [InlineData("SELECT name FROM pragma_table_info('t')")]
    [InlineData("SELECT '_distdb_state', 'VACUUM', \"a\" FROM t")]
    [InlineData("PRAGMA table_info(t)")]
    [InlineData("PRAGMA user_version")]
    [InlineData("PRAGMA integrity_check")]
    [InlineData("SELECT * FROM sqlite_stat1")]
    public void Reads(string sql) => _database.Query(sql).Should().BeOfType<ReadOutcome.RowsRead>();

    [Theory]
    [InlineData("INSERT INTO t(b) VALUES ('x')")]
    [InlineData("/* SELECT */ INSERT INTO t(b) VALUES ('x') -- SELECT")]
    [InlineData("WITH x AS (SELECT 'q' AS b) INSERT INTO t(b) SELECT b FROM x")]
    [InlineData("INSERT INTO t(b) VALUES ('x') RETURNING a")]
    [InlineData("REPLACE INTO t VALUES (1, 'x')")]
    [InlineData("INSERT INTO t VALUES (1, 'x') ON CONFLICT DO UPDATE SET b = excluded.b")]
    [InlineData("UPDATE t SET b = 'x'")]
    [InlineData("WITH x AS (SELECT 1) UPDATE t SET b = 'x' WHERE a IN x")]
    [InlineData("DELETE FROM t")]
    [InlineData("INSERT INTO v(b) VALUES ('x')")]
    [InlineData("INSERT INTO f(body) VALUES ('x')")]
    [InlineData("INSERT INTO f4(body) VALUES ('x')")]
    [InlineData("INSERT INTO r VALUES (1, 0, 1)")]
    [InlineData("INSERT INTO t(b) VALUES ('_distdb_state'), ('select _distdb_requests')")]
    public void Row_writes(string sql)
    {
        _database.Query(sql).Should().Be(new ReadOutcome.NotARead(IsSchema: false));
        _database.Execute(_database.Command(Sql(sql)), maySchema: false).Should().BeOfType<WriteOutcome.Succeeded>();
    }

    [Theory]
    [InlineData("CREATE TABLE x(a)")]
    [InlineData("CREATE TABLE x AS SELECT * FROM t")]
    [InlineData("CREATE TABLE IF NOT EXISTS t(a)")]
    [InlineData("DROP TABLE IF EXISTS nosuch")]
    [InlineData("DROP TABLE t")]
    [InlineData("DROP TABLE f")]
    [InlineData("ALTER TABLE u RENAME TO w")]
    [InlineData("ALTER TABLE u RENAME COLUMN a TO c")]
    [InlineData("ALTER TABLE u ADD COLUMN c DEFAULT 1")]
    [InlineData("ALTER TABLE u DROP COLUMN b")]
    [InlineData("CREATE INDEX t_ab ON t(a, b)")]
    [InlineData("DROP INDEX t_b")]
    [InlineData("CREATE VIEW w AS SELECT 1")]
    [InlineData("DROP VIEW v")]
    [InlineData("CREATE TRIGGER t_insert AFTER INSERT ON t BEGIN DELETE FROM u; END")]
    [InlineData("DROP TRIGGER v_insert")]
    [InlineData("CREATE VIRTUAL TABLE g USING fts5(a)")]
    [InlineData("CREATE VIRTUAL TABLE g USING rtree_i32(id, x0, x1)")]
    [InlineData("REINDEX")]
    [InlineData("REINDEX t_b")]
    [InlineData("ANALYZE")]
    [InlineData("ANALYZE t")]
    public void Schema_changes(string sql)
    {
        _database.Query(sql).Should().Be(new ReadOutcome.NotARead(IsSchema: true));
        _database.Fail(_database.Command(Sql(sql)), maySchema: false).Code.Should().Be(FailureCode.NotMaster);
        _database.Execute(sql).Should().BeOfType<WriteOutcome.Succeeded>()
            .Subject.Observation.RowsAffected.Should().Be(0);
    }

    [Theory]
    [InlineData("BEGIN", "transaction")]
    [InlineData("BEGIN IMMEDIATE", "transaction")]
    [InlineData("COMMIT", "transaction")]
    [InlineData("ROLLBACK", "transaction")]
    [InlineData("SAVEPOINT x", "transaction")]
    [InlineData("RELEASE write", "transaction")]
    [InlineData("ROLLBACK TO write", "transaction")]
    [InlineData("VACUUM", "backup")]
    [InlineData("/* tidy */ vacuum main", "backup")]
    [InlineData("VACUUM INTO '/tmp/distdb-never-written.db'", "backup")]
    [InlineData("ATTACH ':memory:' AS x", "database")]
    [InlineData("DETACH main", "database")]
    [InlineData("CREATE TEMP TABLE x(a)", "Temporary")]
    [InlineData("CREATE TABLE temp.x(a)", "Temporary")]
    [InlineData("CREATE TEMP VIEW x AS SELECT 1", "Temporary")]
    [InlineData("CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END", "Temporary")]
    [InlineData("PRAGMA foreign_keys = OFF", "created WITH foreign_keys = off")]
    [InlineData("PRAGMA query_only = OFF", "PRAGMA")]
    [InlineData("PRAGMA journal_mode", "PRAGMA")]
    [InlineData("PRAGMA journal_mode = DELETE", "PRAGMA")]
    [InlineData("PRAGMA user_version = 3", "PRAGMA")]
    [InlineData("PRAGMA writable_schema = ON", "PRAGMA")]
    [InlineData("PRAGMA wal_checkpoint", "PRAGMA")]
    [InlineData("SELECT load_extension('x')", "load_extension")]
    [InlineData("SELECT hex(fts3_tokenizer('simple'))", "fts3_tokenizer")]
    [InlineData("INSERT INTO sqlite_stat1 VALUES ('t', NULL, '1000000')", "ANALYZE")]
    [InlineData("DELETE FROM sqlite_stat1", "ANALYZE")]
    [InlineData("DROP TABLE sqlite_stat1", "ANALYZE")]
    [InlineData("CREATE VIRTUAL TABLE x USING dbstat", "dbstat")]
    [InlineData("SELECT * FROM _distdb_state", "_distdb_")]
    [InlineData("SELECT count(*) FROM main._DISTDB_Requests", "_distdb_")]
    [InlineData("PRAGMA table_info(_distdb_state)", "PRAGMA|_distdb_")]
    [InlineData("UPDATE _distdb_state SET master_node = 9", "_distdb_")]
    [InlineData("INSERT INTO _distdb_requests SELECT * FROM _distdb_requests", "_distdb_")]
    [InlineData("DELETE FROM _distdb_requests", "_distdb_")]
    [InlineData("DROP TABLE _distdb_state", "_distdb_")]
    [InlineData("DROP INDEX _distdb_requests_by_time", "_distdb_")]
    [InlineData("CREATE TABLE _DistDB_mine(a)", "_distdb_")]
    [InlineData("CREATE INDEX x ON _distdb_requests(entry_index)", "_distdb_")]
    [InlineData("CREATE TRIGGER x AFTER UPDATE ON _distdb_state BEGIN DELETE FROM t; END", "_distdb_")]
    [InlineData("CREATE VIRTUAL TABLE _distdb_f USING fts5(a)", "_distdb_")]
    [InlineData("ALTER TABLE _distdb_state RENAME TO mine", "_distdb_")]
    [InlineData("ALTER TABLE _distdb_state ADD COLUMN mine", "_distdb_")]
    public void Refused_by_readers_and_by_the_writer(string sql, string hint)
    {
        var hints = hint.Split('|');
        var reading = _database.Query(sql).Should().BeOfType<ReadOutcome.Failed>().Subject.Failure;
        reading.Code.Should().Be(FailureCode.Forbidden);
        reading.Detail.Should().ContainAny(hints);
        var writing = _database.Fail(sql);
        writing.Code.Should().Be(FailureCode.Forbidden);
        writing.Detail.Should().ContainAny(hints);
        var within = _database.Fail(_database.Transaction(Sql("DELETE FROM u"), Sql(sql)));
        within.Code.Should().Be(FailureCode.Forbidden);
        within.StatementIndex.Should().Be(1);
        File.Exists("/tmp/distdb-never-written.db").Should().BeFalse();
    }

    [Theory]
    [InlineData("INSERT INTO u(a) SELECT total_changes()")]
    [InlineData("INSERT INTO u(a) SELECT sqlite_version()")]
    [InlineData("INSERT INTO u(a) SELECT sqlite_source_id()")]
    [InlineData("INSERT INTO u(a) SELECT sqlite_compileoption_get(0)")]
    [InlineData("INSERT INTO u(a) SELECT sqlite_compileoption_used('X')")]
    [InlineData("INSERT INTO u(a) SELECT fts5_source_id()")]
    [InlineData("INSERT INTO u(a) SELECT name FROM pragma_table_info('t')")]
    [InlineData("INSERT INTO u(a) SELECT name FROM dbstat")]
    [InlineData("INSERT INTO u(a) SELECT sql FROM sqlite_stmt")]
    [InlineData("PRAGMA table_info(t)")]
    public void Refused_within_writes_alone(string sql)
    {
        _database.Query(sql).Should().NotBeOfType<ReadOutcome.Failed>();
        _database.Fail(sql).Code.Should().Be(FailureCode.Forbidden);
    }

    [Fact]
    public void What_a_default_a_trigger_or_a_view_does_is_judged_when_it_is_used()
    {
        _database.Do(
            "CREATE TABLE d(a, b DEFAULT (total_changes()))",
            "CREATE TRIGGER spy AFTER DELETE ON u BEGIN INSERT INTO t(b) SELECT key FROM _distdb_requests; END",
            "CREATE TRIGGER cheat AFTER UPDATE ON u BEGIN DELETE FROM sqlite_stat1; END",
            "CREATE VIEW peek AS SELECT * FROM _distdb_state",
            "INSERT INTO u VALUES (1, 2)");
        _database.Fail("INSERT INTO d(a) VALUES (1)").Code.Should().Be(FailureCode.Forbidden);
        _database.Fail("DELETE FROM u WHERE a = 1").Detail.Should().Contain("_distdb_");
        _database.Fail("UPDATE u SET a = 2").Detail.Should().Contain("ANALYZE");
        _database.Fail("CREATE TABLE x AS SELECT * FROM peek").Detail.Should().Contain("_distdb_");
        _database.Query("SELECT * FROM peek").Should().BeOfType<ReadOutcome.Failed>()
            .Subject.Failure.Code.Should().Be(FailureCode.Forbidden);
    }

    [Theory]
    [InlineData("ALTER TABLE u RENAME TO _distdb_mine")]
    [InlineData("ALTER TABLE u RENAME TO _DISTDB_mine")]
    [InlineData("CREATE TABLE child(k REFERENCES _distdb_requests(key) ON DELETE CASCADE)")]
    [InlineData("ALTER TABLE u ADD COLUMN k REFERENCES _DistDb_State")]
    public void What_the_authorizer_is_not_asked_about_is_found_afterwards(string sql)
    {
        var failure = _database.Fail(sql);
        failure.Code.Should().Be(FailureCode.Forbidden);
        failure.Detail.Should().Contain("_distdb_");
        _database.Do("INSERT INTO u VALUES (1, 2)");
    }

    [Theory]
    [InlineData("UPDATE sqlite_master SET sql = ''")]
    [InlineData("DELETE FROM f_data")]
    [InlineData("CREATE DATABASE x")]
    [InlineData("SELEC 1")]
    [InlineData("INSERT INTO nosuch VALUES (1)")]
    public void Left_to_SQLite_itself_to_refuse(string sql)
    {
        _database.Fail(sql).Code.Should().Be(FailureCode.SqlError);
        _database.Fail(sql).SqliteCode.Should().Be(1);
    }

    [Theory]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("INSERT INTO u VALUES (1, 1); DELETE FROM u")]
    [InlineData("INSERT INTO u VALUES (1, 1); garbage")]
    [InlineData("INSERT INTO u VALUES (1, 1) -- x\n; /* y */ DROP TABLE u")]
    [InlineData("")]
    [InlineData("  ; -- nothing")]
    [InlineData("SELECT 1 \0")]
    public void Not_exactly_one_statement(string sql)
    {
        _database.Query(sql).Should().BeOfType<ReadOutcome.Failed>().Subject.Failure.Code.Should().Be(FailureCode.BadRequest);
        _database.Fail(sql).Code.Should().Be(FailureCode.BadRequest);
    }

    [Theory]
    [InlineData("SELECT 1")]
    [InlineData("EXPLAIN QUERY PLAN DELETE FROM t")]
    public void A_read_sent_as_a_write_is_told_where_to_go(string sql)
    {
        var failure = _database.Fail(sql);
        failure.Code.Should().Be(FailureCode.BadRequest);
        failure.Detail.Should().Contain("\"query\"");
    }

    [Fact]
    public void JSON_functions_work_wherever_a_schema_can_call_them()
    {
        _database.Do(
            "CREATE TABLE j(doc CHECK (json_valid(doc)), name AS (doc ->> '$.name'), b DEFAULT (json_array(1)))",
            "CREATE TRIGGER j_u AFTER INSERT ON j BEGIN INSERT INTO u SELECT key, value FROM json_each(new.doc); END",
            "CREATE VIEW jv AS SELECT json_extract(doc, '$.name') AS name FROM j",
            """INSERT INTO j(doc) VALUES ('{"name":"ann"}')""");
        _database.Value("SELECT name FROM jv").Text.Should().Be("ann");
        _database.Value("SELECT b FROM u").Text.Should().Be("ann");
        _database.Fail("INSERT INTO j(doc) VALUES ('{')").Detail.Should().Contain("malformed JSON");
    }

    [Fact]
    public void A_cached_statement_is_judged_anew_when_the_schema_changes_under_it()
    {
        const string Sql = "INSERT INTO u(a) VALUES (1)";
        _database.Do(Sql, "CREATE TRIGGER spy AFTER INSERT ON u BEGIN UPDATE _distdb_state SET master_node = 7; END");
        _database.Fail(Sql).Code.Should().Be(FailureCode.Forbidden);
        _database.Do("DROP TRIGGER spy", Sql);
        _database.Rows("SELECT * FROM u").Columns.Should().Equal("a", "b");
        _database.Do("ALTER TABLE u ADD COLUMN c");
        _database.Rows("SELECT * FROM u").Columns.Should().Equal("a", "b", "c");
    }
}
