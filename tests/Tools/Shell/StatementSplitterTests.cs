using DistDb.Node.Commands;
using DistDb.Tools.Shell;

namespace DistDb.Tests.Tools.Shell;

public sealed class StatementSplitterTests
{
    [Theory]
    [InlineData("SELECT 1; SELECT 2;", "SELECT 1|SELECT 2")]
    [InlineData(" ;; SELECT 1 ;;", "SELECT 1")]
    [InlineData("SELECT ';', \"a;b\", `c;`, [d;] ; SELECT 'it''s;'", "SELECT ';', \"a;b\", `c;`, [d;]|SELECT 'it''s;'")]
    [InlineData("-- one; two\nSELECT 1 -- ; '\n;/* ; ' */ SELECT /*/ ; */ 2;", "SELECT 1 -- ; '|SELECT /*/ ; */ 2")]
    [InlineData("SELECT 4 - 3, 4 / 2, 4--3;\n;", "SELECT 4 - 3, 4 / 2, 4--3;")]
    [InlineData("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM b; END; SELECT 1;",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN 1 THEN 2 END; DELETE FROM b; END|SELECT 1")]
    [InlineData("create temp trigger t after insert on a begin select 1; end; select 2", "create temp trigger t after insert on a begin select 1; end|select 2")]
    [InlineData("CREATE TABLE trigger_ (a); SELECT 1;", "CREATE TABLE trigger_ (a)|SELECT 1")]
    [InlineData("BEGIN; SELECT 1; END;", "BEGIN|SELECT 1|END")]
    public void Statements_end_where_SQLite_ends_them(string sql, string statements)
    {
        var splitter = new StatementSplitter();
        var found = splitter.Add(sql).ToList();
        if (splitter.End() is { } rest)
        {
            found.Add(rest);
        }

        string.Join('|', found.Select(statement => statement.Text)).Should().Be(statements);
    }

    [Theory]
    [InlineData("SELECT 1;", true)]
    [InlineData("SELECT 1; -- done", true)]
    [InlineData("", true)]
    [InlineData("SELECT 1", false)]
    [InlineData("SELECT '1;", false)]
    [InlineData("SELECT 1; /* more", false)]
    [InlineData("CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1;", false)]
    public void What_is_not_ended_waits_for_more(string sql, bool isComplete) => StatementSplitter.IsComplete(sql).Should().Be(isComplete);

    [Fact]
    public async Task Lines_are_counted_and_commands_stand_between_statements()
    {
        var script = new StringReader("-- a\n\nSELECT\n 1;\n.mode csv\nSELECT 'x\n.mode\n';  SELECT 2;\n");
        var found = new List<ScriptStatement>();
        await foreach (var statement in ScriptReader.ReadAsync(script))
        {
            found.Add(statement);
        }

        found.Should().Equal(new("SELECT\n 1", 3), new(".mode csv", 5), new("SELECT 'x\n.mode\n'", 6), new("SELECT 2", 8));
    }
}
