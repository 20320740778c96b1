using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Tests.Support;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

/// <summary>What is not available is refused with a reason, changes nothing, and stands in the README; the README says nothing else.</summary>
public sealed class SqlRefusalTests : IDisposable
{
    private readonly TestDatabase _database = new();

    public SqlRefusalTests() => _database.Do("CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "INSERT INTO t VALUES (1, 1)", "ANALYZE");

    public static TheoryData<string, string> Statements
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var refusal in SqlRefusals.All)
            {
                foreach (var sql in refusal.Statements)
                {
                    data.Add(refusal.Row, sql);
                }
            }

            return data;
        }
    }

    /// <summary>https://sqlite.org/lang.html</summary>
    public static TheoryData<string> Language => [.. (string[])
    [
        "ALTER TABLE", "ANALYZE", "ATTACH DATABASE", "BEGIN", "COMMIT", "CREATE INDEX", "CREATE TABLE", "CREATE TRIGGER", "CREATE VIEW", "CREATE VIRTUAL TABLE", "DELETE",
        "DETACH", "DROP INDEX", "DROP TABLE", "DROP TRIGGER", "DROP VIEW", "END", "EXPLAIN", "INSERT", "PRAGMA", "REINDEX", "RELEASE SAVEPOINT", "REPLACE", "ROLLBACK", "SAVEPOINT", "SELECT", "UPDATE", "VACUUM", "WITH",
    ]];

    public void Dispose() => _database.Dispose();

    [Theory]
    [MemberData(nameof(Statements))]
    public void Is_refused_with_a_reason_and_changes_nothing(string row, string sql)
    {
        var content = ContentHash.Of(_database.Path);
        var failure = _database.Fail(sql);
        failure.Code.Should().Be(FailureCode.Forbidden, failure.Detail);
        failure.Detail.Should().MatchRegex(@"\w.* .*\.$", "it is a sentence, and not SQLite's \"not authorized\"").And.NotContain("not authorized");
        _database.Fail(_database.Transaction(Sql("INSERT INTO t(b) VALUES (2)"), Sql(sql)))
            .Should().BeEquivalentTo(new { Code = FailureCode.Forbidden, StatementIndex = 1 });
        ContentHash.Of(_database.Path).Should().Be(content);

        // Whatever the sender's intention, a query neither does it nor passes it on.
        var read = _database.Query(sql);
        if (SqlRefusals.All.Single(r => r.Row == row).IsForReadsToo && read is not ReadOutcome.NotARead)
        {
            read.Should().BeOfType<ReadOutcome.Failed>().Subject.Failure.Code.Should().Be(FailureCode.Forbidden);
        }

        ContentHash.Of(_database.Path).Should().Be(content);
        File.Exists("x.db").Should().BeFalse();
    }

    [Fact]
    public void The_readme_names_all_of_it_and_nothing_else()
    {
        var readme = File.ReadAllText(Repository.PathOf("README.md"));
        var section = readme.Split("### What SQL is not available", 2)[1].Split("\n## ", 2)[0];
        var rows = section.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).Select(line => line.Split('|')[1].Trim());
        rows.Should().Equal(SqlRefusals.All.Select(r => r.Row));
        foreach (var refusal in SqlRefusals.All)
        {
            foreach (var name in SqlRefusals.Names(refusal.Row).Refused)
            {
                refusal.Statements.Should().Contain(sql => sql.Contains(name.TrimEnd('(', ')', '.'), StringComparison.Ordinal), $"{name} is to be tested");
            }
        }
    }

    [Theory]
    [InlineData("EXPLAIN SELECT 1")]
    [InlineData("PRAGMA data_version")]
    public void What_tells_about_one_replica_is_no_part_of_a_result_that_all_remember(string sql)
    {
        // Remembered under its key, it would make the replicas differ for good.
        var write = _database.Transaction(Sql("INSERT INTO t(b) VALUES (2)"), Sql(sql)) with { IdempotencyKey = "k" };
        _database.Fail(write).Code.Should().Be(FailureCode.Forbidden);
        _database.Execute(_database.Transaction(Sql("EXPLAIN QUERY PLAN SELECT * FROM t"), Sql("SELECT 1"))).Should().BeOfType<WriteOutcome.Succeeded>();
    }

    [Theory]
    [MemberData(nameof(Language))]
    public void Each_kind_of_statement_is_either_a_feature_or_refused(string statement)
    {
        var all = SqlFeatures.All.SelectMany(f => f.Steps.SelectMany(s => s.Statements).Append(f.Query)).Concat(SqlRefusals.All.SelectMany(r => r.Statements));
        all.Should().Contain(sql => sql == statement || sql.StartsWith(statement + " ", StringComparison.Ordinal));
    }

    [Fact]
    public void No_pragma_writes_and_every_one_that_is_not_there_to_read_says_which_are()
    {
        var allowed = 0;
        foreach (var row in _database.Rows("PRAGMA pragma_list").Rows)
        {
            var pragma = row[0].Text;
            _database.Fail($"PRAGMA {pragma}").Code.Should().Be(FailureCode.Forbidden, pragma);
            _database.Fail($"PRAGMA {pragma} = 1").Code.Should().Be(FailureCode.Forbidden, pragma);
            switch (_database.Query($"PRAGMA {pragma}"))
            {
                case ReadOutcome.Failed { Failure: var failure }:
                    failure.Code.Should().Be(FailureCode.Forbidden, pragma);
                    failure.Detail.Should().ContainAll("not available", "table_info");
                    break;
                default:
                    allowed++;
                    break;
            }
        }

        allowed.Should().BeGreaterThan(10);
        SqlRefusals.All.Single(r => r.Row.StartsWith("`PRAGMA`", StringComparison.Ordinal)).Row.Should().Contain("table_info");
        foreach (var pragma in (string[])["table_info(t)", "index_list(t)", "foreign_key_check"])
        {
            _database.Query($"PRAGMA {pragma}").Should().BeOfType<ReadOutcome.RowsRead>();
        }
    }

    [Fact]
    public void No_module_makes_tables_but_those_of_the_readme()
    {
        var allowed = SqlRefusals.Names(SqlRefusals.All.Single(r => r.Row.StartsWith("virtual tables", StringComparison.Ordinal)).Row).Allowed;
        var modules = _database.Rows("SELECT name FROM pragma_module_list").Rows.Select(row => row[0].Text).Concat(allowed).Distinct().ToList();
        modules.Should().Contain(["dbstat", "json_each", "sqlite_stmt"]);
        foreach (var module in modules)
        {
            var outcome = _database.Execute($"CREATE VIRTUAL TABLE \"made by {module}\" USING {module}");
            var isRefused = outcome is WriteOutcome.Failed { Failure.Code: FailureCode.Forbidden };
            isRefused.Should().Be(!allowed.Contains(module), $"{module}: {outcome}");
        }
    }

    [Theory]
    [InlineData("UPDATE sqlite_schema SET sql = ''")]
    [InlineData("DELETE FROM sqlite_master")]
    [InlineData("INSERT INTO f_data VALUES (1, x'00')")]
    [InlineData("UPDATE f4_content SET c0body = 'x'")]
    [InlineData("DELETE FROM r_node")]
    [InlineData("DROP TABLE r_rowid")]
    public void SQLite_itself_refuses_to_write_what_is_its_own(string sql)
    {
        _database.Do("CREATE VIRTUAL TABLE f USING fts5(body)", "CREATE VIRTUAL TABLE f4 USING fts4(body)", "CREATE VIRTUAL TABLE r USING rtree(id, a, b)");
        _database.Fail(sql).Code.Should().Be(FailureCode.SqlError);
    }

    [Fact]
    public void A_statement_that_fails_has_changed_nothing_also_where_SQLite_would_keep_a_part()
    {
        _database.Do("CREATE TABLE u(a UNIQUE)", "CREATE TRIGGER g BEFORE INSERT ON u WHEN new.a = 9 BEGIN SELECT RAISE(FAIL, 'nine'); END", "INSERT INTO u VALUES (3)");
        foreach (var sql in (string[])["INSERT OR FAIL INTO u VALUES (1), (2), (3)", "INSERT INTO u VALUES (7), (8), (9)", "UPDATE OR FAIL u SET a = 5 WHERE (SELECT count(*) FROM u) = 1 OR a = 3 RETURNING a / 0, abs(-9223372036854775808)"])
        {
            _database.Fail(sql);
            _database.Value("SELECT group_concat(a) FROM u").Text.Should().Be("3", sql);
        }
    }

    [Fact]
    public void Last_insert_rowid_and_changes_know_their_own_transaction_alone()
    {
        _database.Do("CREATE TABLE seen(id, count)", "INSERT INTO t VALUES (70, 1), (71, 1)", "INSERT INTO seen VALUES (last_insert_rowid(), changes())");
        var within = _database.Transaction(Sql("INSERT INTO t VALUES (80, 1), (81, 1)"), Sql("INSERT INTO seen VALUES (last_insert_rowid(), changes())"));
        _database.Execute(within).Should().BeOfType<WriteOutcome.Succeeded>();
        _database.Rows("SELECT id, count FROM seen").Rows.Select(row => $"{row[0]} {row[1]}").Should().Equal("0 1", "81 2");
        _database.Value("SELECT last_insert_rowid()").Integer.Should().Be(0);
    }
}
