using DistDb.Node.Commands;
using DistDb.Node.Database;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

public sealed class ValueTests : IDisposable
{
    private readonly TestDatabase _database = new();

    public static TheoryData<string, SqlValue> Values => new()
    {
        { "null", SqlValue.Null },
        { "integer", SqlValue.From(long.MaxValue) },
        { "integer", SqlValue.From(long.MinValue) },
        { "integer", SqlValue.From(0L) },
        { "real", SqlValue.From(double.MaxValue) },
        { "real", SqlValue.From(-double.Epsilon) },
        { "real", SqlValue.From(0.1) },
        { "real", SqlValue.From(double.PositiveInfinity) },
        { "real", SqlValue.From(3.0) },
        { "text", SqlValue.From("") },
        { "text", SqlValue.From("plain") },
        { "text", SqlValue.From("a\0b\0") },
        { "text", SqlValue.From("👩‍👩‍👧 Grüße 日本") },
        { "text", SqlValue.From(new string('x', 100_000) + "é") },
        { "blob", SqlValue.From(Array.Empty<byte>()) },
        { "blob", SqlValue.From((byte[])[0, 1, 255, 0]) },
        { "blob", SqlValue.From(new byte[200_000]) },
    };

    public void Dispose() => _database.Dispose();

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_comes_back_as_it_went_in(string storageClass, SqlValue value)
    {
        _database.Do("CREATE TABLE t(a)");
        _database.Execute("INSERT INTO t VALUES (?)", value).Should().BeOfType<WriteOutcome.Succeeded>();
        var row = _database.Rows("SELECT a, typeof(a) FROM t WHERE a IS ?", value).Rows.Single();
        row[0].Should().Be(value);
        row[1].Text.Should().Be(storageClass);
        _database.Value("SELECT ?", value).Should().Be(value);
    }

    [Fact]
    public void Text_that_is_no_UTF8_reads_with_replacement_characters()
    {
        _database.Do("CREATE TABLE t(a)", "INSERT INTO t VALUES (CAST(x'61ff62' AS TEXT))");
        _database.Value("SELECT a FROM t").Text.Should().Be("a\ufffdb");
    }

    [Fact]
    public void Types_are_declared_or_those_of_the_first_value()
    {
        _database.Do("CREATE TABLE t(a integer, b VarChar(20), c)", "INSERT INTO t VALUES (1, 'x', NULL), (2, 'y', 2.5)");
        var rows = _database.Rows("SELECT a, b, c, a + 1, x'00', NULL, b AS a FROM t");
        rows.Columns.Should().Equal("a", "b", "c", "a + 1", "x'00'", "NULL", "a");
        rows.Types.Should().Equal("INTEGER", "VARCHAR(20)", "REAL", "INTEGER", "BLOB", "NULL", "VARCHAR(20)");
        _database.Rows("SELECT a, c FROM t WHERE a > 9").Should().BeEquivalentTo(
            new RowSet(["a", "c"], ["INTEGER", "NULL"], []) { Declared = ["INTEGER", null] });
        // SQLite itself writes the names of its own types in upper case.
        rows.Declared.Should().Equal("INTEGER", "VarChar(20)", null, null, null, null, "VarChar(20)");
    }

    [Fact]
    public void Positional_values_fill_parameters_in_the_order_of_their_numbers()
    {
        _database.Rows("SELECT ?2, ?1, ?", SqlValue.From(1), SqlValue.From(2), SqlValue.From(3)).Rows.Single()
            .Select(value => value.Integer).Should().Equal(2, 1, 3);
        _database.Rows("SELECT :b, @a, :b", SqlValue.From(1), SqlValue.From(2)).Rows.Single()
            .Select(value => value.Integer).Should().Equal(1, 2, 1);
    }

    [Fact]
    public void Named_values_fill_parameters_of_every_prefix()
    {
        var outcome = _database.Query(Named("SELECT :a, @b, $c, @a", ("a", SqlValue.From(1)), ("@b", SqlValue.From(2)), ("$c", SqlValue.From(3))));
        outcome.Should().BeOfType<ReadOutcome.RowsRead>().Subject.Rows.Rows.Single()
            .Select(value => value.Integer).Should().Equal(1, 2, 3, 1);
    }

    [Fact]
    public void Values_that_do_not_fit_the_parameters_are_refused_by_name()
    {
        BadRequest(Sql("SELECT ?, ?", SqlValue.Null)).Should().Contain("2 parameters").And.Contain("1 values");
        BadRequest(Sql("SELECT 1", SqlValue.Null)).Should().Contain("0 parameters");
        BadRequest(Sql("SELECT ?5", SqlValue.Null)).Should().Contain("5 parameters");
        BadRequest(Named("SELECT :a, :b", ("a", SqlValue.Null))).Should().Contain("\":b\"");
        BadRequest(Named("SELECT :a", ("a", SqlValue.Null), ("extra", SqlValue.Null), ("more", SqlValue.Null)))
            .Should().Contain("\"extra\", \"more\"");
        BadRequest(Named("SELECT ?, :a", ("a", SqlValue.Null))).Should().Contain("parameter 1");
        BadRequest(Named("SELECT ?1", ("1", SqlValue.Null))).Should().Contain("parameter 1");
        _database.Do("CREATE TABLE t(a)");
        _database.Fail("INSERT INTO t VALUES (?)").Code.Should().Be(FailureCode.BadRequest);
    }

    [Fact]
    public void Values_of_one_run_do_not_linger_in_the_next()
    {
        _database.Do("CREATE TABLE t(a)");
        _database.Execute("INSERT INTO t VALUES (?)", SqlValue.From("secret"));
        _database.Execute("INSERT INTO t VALUES (?)", SqlValue.Null);
        _database.Rows("SELECT a FROM t WHERE a IS NULL").Rows.Should().HaveCount(1);
    }

    [Fact]
    public void A_value_beyond_the_limit_is_too_large()
    {
        _database.Do("CREATE TABLE t(a)");
        _database.Fail($"INSERT INTO t VALUES (zeroblob({DatabaseOptions.ValueBytesMax + 1}))").Code.Should().Be(FailureCode.TooLarge);
        _database.Query($"SELECT zeroblob({DatabaseOptions.ValueBytesMax + 1})").Should().BeOfType<ReadOutcome.Failed>()
            .Subject.Failure.Code.Should().Be(FailureCode.TooLarge);
    }

    [Fact]
    public void Last_insert_id_and_rows_affected_are_the_statements_own()
    {
        _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY, a)", "CREATE TABLE w(k TEXT PRIMARY KEY) WITHOUT ROWID");
        Result("INSERT INTO t(a) VALUES (1), (2), (3)").Should().Be((3, 3));
        Result("UPDATE t SET a = a + 1 WHERE id > 1").Should().Be((2, 0));
        Result("INSERT INTO w VALUES ('x')").Should().Be((1, 0));
        Result("INSERT OR IGNORE INTO w VALUES ('x')").Should().Be((0, 0));
        Result("DELETE FROM t").Should().Be((3, 0));
        Result("CREATE TABLE c AS SELECT * FROM w").Should().Be((0, 0));
    }

    private (long RowsAffected, long LastInsertId) Result(string sql)
    {
        var result = _database.Execute(sql).Should().BeOfType<WriteOutcome.Succeeded>().Subject.Results.Single();
        return (result.RowsAffected, result.LastInsertId);
    }

    private string BadRequest(Statement statement)
    {
        var failure = _database.Query(statement).Should().BeOfType<ReadOutcome.Failed>().Subject.Failure;
        failure.Code.Should().Be(FailureCode.BadRequest);
        return failure.Detail;
    }
}
