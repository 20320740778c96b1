using System.Text;
using DistDb.Node.Api;
using DistDb.Node.Api.Structured;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Tests.Database;
using FsCheck;
using FsCheck.Fluent;

namespace DistDb.Tests.Api.Structured;

/// <summary>Whatever names and values say, each command is one statement and has the effect that was asked for, and no other.</summary>
public sealed class InjectionTests : IDisposable
{
    private static readonly string[] _pieces =
    [
        "\"", "'", "`", "[", "]", ";", "--", "/*", "*/", "\n", " ", "\\", "%", "?", "?1", ":x", "@x", "$x", "(", ")", ",", ".", "*", "=", "a", "B", "é", "漢", "😀",
        "\u202e", "DROP TABLE keep", "UNION SELECT 1", "x'00'", "NULL", "0", "keep", "rowid",
    ];

    private static readonly string[] _columnPieces =
    [
        "int", "TEXT", "PRIMARY KEY", "NOT NULL", "NULL", "UNIQUE", "DEFAULT", "'a'", "-", "1", "2.5e3", "x'00'", "CURRENT_TIME", "COLLATE", "NOCASE", "REFERENCES",
        "keep", "(", ")", "a", ",", "ON DELETE", "CASCADE", "SET", "AUTOINCREMENT", ";", "--", "/*", "*/", "\"", "'", "CHECK", "AS", "GENERATED ALWAYS", "DROP TABLE keep", "\n", "b INT",
    ];

    private readonly TestDatabase _db = new();

    public InjectionTests() => _db.Do("CREATE TABLE keep (a)", "INSERT INTO keep VALUES (1)");

    public void Dispose() => _db.Dispose();

    [Fact]
    public void Any_text_is_a_name_or_a_value_and_nothing_else()
    {
        var texts = Gen.Elements(_pieces).ArrayOf().Select(string.Concat);
        var names = texts.Where(t => t.Length > 0 && !Identifier.Comparer.Equals(t, "keep"));
        var cases = from table in names
                    from first in names
                    from second in names
                    where !Identifier.Comparer.Equals(first, second)
                    from value in texts
                    from other in texts
                    select (table, first, second, value, other);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(cases.ToArbitrary(), c => HasItsEffectAlone(c.table, c.first, c.second, c.value, c.other)));
    }

    [Fact]
    public void What_is_said_of_a_column_makes_one_column_or_is_refused()
    {
        var texts = Gen.Elements(_columnPieces).ArrayOf().Select(pieces => "int " + string.Join(' ', pieces));
        var accepted = 0;
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(3_000), Prop.ForAll(texts.ToArbitrary(), text =>
        {
            if (Define(text) is not { } column)
            {
                return true;
            }

            accepted++;
            var results = Try(
            [
                .. StructuredSql.Compile(new CreateTableCommand("t", [column], IfNotExists: false)),
                Sql("SELECT * FROM t"),
                Sql("SELECT count(*) FROM keep"),
            ]);
            return results is null || (results[1].Rows!.Columns is ["c"] && Text(results[2]) == "1");
        }));
        accepted.Should().BeGreaterThan(100, "the test must not pass by refusing everything");
    }

    [Fact]
    public void Any_body_is_read_or_refused()
    {
        string[] bodies =
        [
            """{"command":"create_table","table":"t","columns":{"id":"int primary key","b":{"type":"text","default":"x","references":"o(a)"}}}""",
            """{"command":"insert","table":"t","data":[{"id":1,"b":"x"},{"id":2,"b":{"base64":"AA=="}}]}""",
            """{"command":"update","table":"t","data":{"b":null},"condition":{"id":{"in":[1,2],"gt":0}}}""",
            """{"command":"search","table":"t","columns":["id"],"order_by":["-id",{"b":"desc"}],"limit":5,"offset":1}""",
            """{"command":"exec","query":"CREATE DATABASE IF NOT EXISTS \"x\""}""",
        ];
        var random = new Commands.RandomCommands(5);
        for (var i = 0; i < 20_000; i++)
        {
            var body = random.Damage(Encoding.UTF8.GetBytes(bodies[i % bodies.Length]));
            try
            {
                QueryRequestParser.Parse(body);
            }
            catch (RequestRejectedException)
            {
                // As it should be.
            }
        }
    }

    private static ColumnDefinition? Define(string text)
    {
        try
        {
            return ColumnDefinitionParser.Parse("c", text, "columns.c");
        }
        catch (RequestRejectedException)
        {
            return null;
        }
    }

    private static Statement Sql(string sql, params SqlValue[] values) => TestDatabase.Sql(sql, values);

    private static string Text(StatementResult result) => result.Rows!.Rows.Single()[0].ToString();

    private void HasItsEffectAlone(string table, string first, string second, string value, string other)
    {
        Comparison[] isValue = [new(first, ComparisonOperator.Equal, [SqlValue.From(value)])];
        StructuredCommand[] commands =
        [
            new CreateTableCommand(
                table,
                [new() { Name = first, Type = "TEXT" }, new() { Name = second, Type = "TEXT", Default = SqlLiteral.Of(SqlValue.From(other), "default") }],
                IfNotExists: false),
            new InsertCommand(table, [[new(first, SqlValue.From(value))], [new(first, SqlValue.Null)]]),
            new SearchCommand(table, isValue, [second, first], [new(second, true)], 5, 0),
            new UpdateCommand(table, [new(second, SqlValue.From(value))], isValue),
            new SearchCommand(table, [], null, [new(first, true)], null, 0),
            new DeleteCommand(table, isValue),
            new SearchCommand(table, [], [first], [], null, 0),
        ];
        var statements = commands.SelectMany(StructuredSql.Compile).ToList();
        statements.Should().HaveCount(commands.Length, "each of them is one statement");
        var results = Try([.. statements, Sql("SELECT count(*) FROM keep"), Sql("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '~_distdb%' ESCAPE '~' AND type = 'table'")])!;
        results.Should().NotBeNull();

        results[1].RowsAffected.Should().Be(2);
        results[2].Rows!.Columns.Should().Equal(second, first);
        results[2].Rows!.Rows.Should().ContainSingle().Which.Should().Equal(SqlValue.From(other), SqlValue.From(value));
        results[3].RowsAffected.Should().Be(1);
        results[4].Rows!.Columns.Should().Equal(first, second);
        results[4].Rows!.Rows[0].Should().Equal(SqlValue.From(value), SqlValue.From(value));
        results[4].Rows!.Rows[1].Should().Equal(SqlValue.Null, SqlValue.From(other));
        results[5].RowsAffected.Should().Be(1);
        results[6].Rows!.Rows.Should().ContainSingle();
        Text(results[7]).Should().Be("1");
        Text(results[8]).Should().Be("2", "there is the table that was kept and the one that was made");
    }

    /// <summary>Executes them all and takes them back.</summary>
    /// <returns>Null where SQLite refuses one.</returns>
    private IReadOnlyList<StatementResult>? Try(params Statement[] statements)
    {
        _db.Writer.Begin(_db.NextStamp());
        var outcome = _db.Writer.Execute(_db.Transaction(statements), 0, new(MaySchema: true), Timeout.InfiniteTimeSpan);
        _db.Writer.Rollback();
        return outcome is WriteOutcome.Succeeded { Results: var results } ? results
            : ((WriteOutcome.Failed)outcome).Failure is { Code: FailureCode.SqlError } ? null
            : throw new InvalidOperationException(outcome.ToString());
    }
}
