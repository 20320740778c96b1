using System.Globalization;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Api.Structured;
using DistDb.Node.Commands;

namespace DistDb.Tests.Api.Structured;

/// <summary>What each structured command does to a database.</summary>
public sealed class StructuredCommandTests : IDisposable
{
    private readonly StructuredDatabase _db = new();

    public void Dispose() => _db.Dispose();

    [Fact]
    public void The_commands_of_the_original_systems_work()
    {
        _db.Write("""{"command":"CREATE_TABLE","table":"users","data":{"id":"int primary key","name":"string"}}""");
        _db.Write("""{"command":"INSERT","table":"users","data":{"id":1,"name":"Alice"}}""").Should().Be(1);
        _db.Search("""{"command":"SEARCH","table":"users","condition":{"id":1}}""").Should().Be("""[{"id":1,"name":"Alice"}]""");
        _db.Write("""{"command":"UPDATE","table":"users","data":{"name":"Bob"},"condition":{"id":1}}""").Should().Be(1);
        _db.Search("""{"command":"Search","table":"users"}""").Should().Be("""[{"id":1,"name":"Bob"}]""");
        _db.Write("""{"command":"DELETE","table":"users","condition":{"id":1}}""").Should().Be(1);
        _db.Search("""{"command":"search","table":"users"}""").Should().Be("[]");
        _db.Write("""{"command":"DROP_TABLE","table":"users"}""");
        _db.FailedSearch("""{"command":"search","table":"users"}""").Detail.Should().Contain("no such table: users");
    }

    [Fact]
    public void A_table_may_be_there_already_or_not_at_all_where_that_was_said()
    {
        _db.Write("""{"command":"create_table","table":"t","columns":{"a":"TEXT"}}""");
        _db.Fail("""{"command":"create_table","table":"t","columns":{"a":"TEXT"}}""").Detail.Should().Contain("already exists");
        _db.Write("""{"command":"create_table","table":"t","columns":{"a":"TEXT"},"if_not_exists":true}""");
        _db.Write("""{"command":"drop_table","table":"t"}""");
        _db.Fail("""{"command":"drop_table","table":"t"}""").Detail.Should().Contain("no such table");
        _db.Write("""{"command":"drop_table","table":"t","if_exists":true}""");
    }

    [Fact]
    public void Rows_of_an_insert_may_name_their_columns_in_any_order_and_case()
    {
        Make();
        _db.Write("""{"command":"insert","table":"t","data":[{"a":1,"b":"x"},{"B":"y","a":2},{"b":null,"A":3}]}""").Should().Be(3);
        _db.Search("""{"command":"search","table":"t","columns":["a","b"]}""")
            .Should().Be("""[{"a":1,"b":"x"},{"a":2,"b":"y"},{"a":3,"b":null}]""");
    }

    [Fact]
    public void An_empty_row_is_one_of_defaults()
    {
        _db.Write("""{"command":"create_table","table":"t","columns":{"id":"int primary key","a":"text default 'none'"}}""");
        _db.Write("""{"command":"insert","table":"t","data":{}}""").Should().Be(1);
        _db.Write("""{"command":"insert","table":"t","data":[{},{}]}""").Should().Be(2);
        _db.Search("""{"command":"search","table":"t"}""").Should().Be("""[{"id":1,"a":"none"},{"id":2,"a":"none"},{"id":3,"a":"none"}]""");
    }

    [Theory]
    [InlineData("""[{"a":1},{"a":2,"b":3}]""", "data[1]", "\"b\", which \"data[0]\" has not")]
    [InlineData("""[{"a":1,"b":2},{"a":2,"b":2},{"a":2}]""", "data[2]", "no \"b\"")]
    [InlineData("""[{"a":1},{"b":2}]""", "data[1]", "\"b\"")]
    [InlineData("""[{},{"b":2}]""", "data[1]", "\"b\"")]
    [InlineData("""[{"a":1},{}]""", "data[1]", "no \"a\"")]
    public void Rows_with_different_columns_are_refused(string rows, string where, string difference) =>
        StructuredDatabase.Refusal($$"""{"command":"insert","table":"t","data":{{rows}}}""").Detail.Should().Contain(where).And.Contain(difference);

    [Theory]
    [InlineData(StructuredSql.ParametersMax / 3, 1)]
    [InlineData((StructuredSql.ParametersMax / 3) + 1, 2)]
    [InlineData(StructuredSql.ParametersMax, 3)]
    [InlineData(StructuredSql.ParametersMax + 1, 4)]
    public void Many_rows_go_in_as_few_statements_as_the_parameters_allow(int rowCount, int statementCount)
    {
        Make();
        var rows = string.Join(',', Enumerable.Range(0, rowCount).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{"a":{{i}},"b":"x","c":null}""")));
        var body = $$"""{"command":"insert","table":"t","data":[{{rows}}]}""";
        var request = StructuredDatabase.Parse(body);
        request.Statements.Count.Should().Be(statementCount);
        request.IsTransaction.Should().Be(statementCount > 1);
        request.IsSummedUp.Should().BeTrue();
        _db.Write(body).Should().Be(rowCount);
        _db.Database.Value("SELECT count(*) || ',' || sum(a) FROM t WHERE b = 'x' AND c IS NULL").Text
            .Should().Be(string.Create(CultureInfo.InvariantCulture, $"{rowCount},{rowCount * (rowCount - 1L) / 2}"));
    }

    [Fact]
    public void Rows_beyond_the_limit_are_refused_as_too_many()
    {
        var rows = string.Join(',', Enumerable.Repeat("{}", QueryRequest.StatementsMax + 1));
        var refusal = StructuredDatabase.Refusal($$"""{"command":"insert","table":"t","data":[{{rows}}]}""");
        refusal.Code.Should().Be(FailureCode.TooLarge);
        refusal.Detail.Should().Contain("10000").And.Contain("parts");
    }

    [Fact]
    public void Values_beyond_the_limit_are_refused_as_too_many() =>
        StructuredDatabase.Refusal($$$"""{"command":"search","table":"t","condition":{"a":{"in":[{{{string.Join(',', Enumerable.Repeat('1', 40_000))}}}]} } }""")
            .Code.Should().Be(FailureCode.TooLarge);

    [Fact]
    public void Values_keep_every_bit()
    {
        _db.Database.Do("CREATE TABLE v (id INTEGER PRIMARY KEY, v)");
        foreach (var value in (string[])["null", "9223372036854775807", "-9223372036854775808", "0.1", "1.0", "9e999", "\"a\\u0000b\"", "\"漢字 😀\"", """{"base64":"AP+AYQ=="}""", """{"base64":""}"""])
        {
            _db.Write($$$"""{"command":"insert","table":"v","data":{"id":1,"v":{{{value}}}}}""");
            _db.Search("""{"command":"search","table":"v","columns":["v"]}""").Should().Be($$"""[{"v":{{value}}}]""");
            _db.Search($$$"""{"command":"search","table":"v","columns":["id"],"condition":{"v":{{{value}}}}}""").Should().Be("""[{"id":1}]""", value);
            _db.Write($$$"""{"command":"update","table":"v","data":{"v":5},"condition":{"v":{{{value}}}}}""").Should().Be(1);
            _db.Write("""{"command":"delete","table":"v","condition":{"v":5}}""").Should().Be(1);
        }

        _db.Write("""{"command":"insert","table":"v","data":[{"v":true},{"v":false}]}""");
        _db.Search("""{"command":"search","table":"v"}""").Should().Be("""[{"id":1,"v":1},{"id":2,"v":0}]""");
    }

    [Theory]
    [InlineData("""{"a":2}""", "2")]
    [InlineData("""{"a":null}""", "")]
    [InlineData("""{"b":null}""", "4")]
    [InlineData("""{"b":{"ne":null}}""", "1 2 3")]
    [InlineData("""{"b":{"ne":"two"}}""", "1 3 4")]
    [InlineData("""{"b":{"eq":"two"}}""", "2")]
    [InlineData("""{"b":{"eq":null}}""", "4")]
    [InlineData("""{"a":{"gt":2}}""", "3 4")]
    [InlineData("""{"a":{"gte":2}}""", "2 3 4")]
    [InlineData("""{"a":{"lt":2}}""", "1")]
    [InlineData("""{"a":{"lte":2}}""", "1 2")]
    [InlineData("""{"a":{"gt":1,"lt":4}}""", "2 3")]
    [InlineData("""{"a":{"between":[2,3]}}""", "2 3")]
    [InlineData("""{"b":{"like":"t%"}}""", "2 3")]
    [InlineData("""{"b":{"in":["one","three"]}}""", "1 3")]
    [InlineData("""{"b":{"in":["one",null]}}""", "1 4")]
    [InlineData("""{"b":{"in":[null]}}""", "4")]
    [InlineData("""{"b":{"in":[]}}""", "")]
    [InlineData("""{"a":{"gt":1},"b":{"like":"%e"}}""", "3")]
    [InlineData("""{"b":{"in":["one",null]},"a":4}""", "4")]
    [InlineData("""{"A":2}""", "2")]
    [InlineData("{}", "1 2 3 4")]
    [InlineData("""{"c":{"base64":"AA=="}}""", "1")]
    [InlineData("""{"c":{"ne":{"base64":"AA=="}}}""", "2 3 4")]
    [InlineData("""{"c":{"in":[{"base64":"AA=="}]}}""", "1")]
    public void All_of_a_condition_must_match(string condition, string found)
    {
        Make();
        _db.Database.Do("INSERT INTO t VALUES (1, 'one', x'00'), (2, 'two', NULL), (3, 'three', NULL), (4, NULL, NULL)");
        Found("""{"a":{"gt":0}}""").Should().Be("1 2 3 4");
        Found(condition).Should().Be(found);

        var others = string.Join(' ', "1 2 3 4".Split(' ').Except(found.Split(' ')));
        if (condition != "{}")
        {
            _db.Write($$"""{"command":"delete","table":"t","condition":{{condition}}}""").Should().Be(found.Length == 0 ? 0 : found.Split(' ').Length);
            Found("{}").Should().Be(others);
        }
    }

    [Theory]
    [InlineData("\"a\"", "1 2 3")]
    [InlineData("\"-a\"", "3 2 1")]
    [InlineData("""{"a":"desc"}""", "3 2 1")]
    [InlineData("""{"a":"ASC"}""", "1 2 3")]
    [InlineData("""["b","-a"]""", "3 1 2")]
    [InlineData("""["-b","a"]""", "2 1 3")]
    [InlineData("""[{"-x":"asc"}]""", "2 3 1")]
    public void Rows_come_in_the_order_asked_for(string order, string found)
    {
        _db.Database.Do("CREATE TABLE o (a, b, \"-x\")", "INSERT INTO o VALUES (1, 'p', 3), (2, 'q', 1), (3, 'p', 2)");
        Column(_db.Search($$"""{"command":"search","table":"o","order_by":{{order}}}"""), "a").Should().Be(found);
    }

    [Theory]
    [InlineData("\"limit\":2", "1 2")]
    [InlineData("\"limit\":0", "")]
    [InlineData("\"limit\":2,\"offset\":1", "2 3")]
    [InlineData("\"offset\":2", "3 4")]
    [InlineData("\"offset\":9", "")]
    [InlineData("\"limit\":null,\"offset\":null", "1 2 3 4")]
    public void A_search_may_be_limited(string limits, string found)
    {
        Make();
        _db.Database.Do("INSERT INTO t (a) VALUES (4), (3), (2), (1)");
        Column(_db.Search($$"""{"command":"search","table":"t","order_by":"a",{{limits}}}"""), "a").Should().Be(found);
    }

    [Fact]
    public void Columns_come_under_the_names_they_were_asked_for()
    {
        Make();
        _db.Database.Do("INSERT INTO t VALUES (1, 'x', 2)");
        _db.Search("""{"command":"search","table":"T","columns":["C","a","rowid"]}""").Should().Be("""[{"C":2,"a":1,"rowid":1}]""");
    }

    /// <summary>SQLite takes a quoted name that is no column for a text, which would find all rows, or sort by nothing.</summary>
    [Theory]
    [InlineData("""{"command":"search","table":"t","condition":{"nope":"nope"}}""")]
    [InlineData("""{"command":"search","table":"t","condition":{"nope":{"in":[]}}}""")]
    [InlineData("""{"command":"search","table":"t","condition":{"nope":null}}""")]
    [InlineData("""{"command":"search","table":"t","columns":["nope"]}""")]
    [InlineData("""{"command":"search","table":"t","order_by":"nope"}""")]
    [InlineData("""{"command":"search","table":"t","columns":["a"],"order_by":"nope"}""")]
    [InlineData("""{"command":"update","table":"t","data":{"a":0},"condition":{"nope":"nope"}}""")]
    [InlineData("""{"command":"update","table":"t","data":{"nope":0},"condition":{"a":1}}""")]
    [InlineData("""{"command":"delete","table":"t","condition":{"nope":"nope"}}""")]
    [InlineData("""{"command":"insert","table":"t","data":{"nope":0}}""")]
    public void A_column_that_does_not_exist_is_never_taken_for_a_text(string body)
    {
        Make();
        _db.Database.Do("INSERT INTO t (a) VALUES (1)");
        var failure = body.Contains("search", StringComparison.Ordinal) ? _db.FailedSearch(body) : _db.Fail(body);
        failure.Code.Should().Be(FailureCode.SqlError);
        failure.Detail.Should().Match("*no *column*nope*");
    }

    [Fact]
    public void All_rows_are_changed_only_where_that_was_said()
    {
        Make();
        _db.Database.Do("INSERT INTO t (a) VALUES (1), (2)");
        _db.Write("""{"command":"update","table":"t","data":{"a":5},"all":true}""").Should().Be(2);
        _db.Write("""{"command":"delete","table":"t","condition":{},"all":true}""").Should().Be(2);
    }

    [Theory]
    [InlineData("a\"b")]
    [InlineData("\"\"")]
    [InlineData("'; DROP TABLE keep; --")]
    [InlineData("\"; DROP TABLE keep; --")]
    [InlineData("a]b`c[d")]
    [InlineData("SELECT")]
    [InlineData("two words")]
    [InlineData("żółw 漢字 😀")]
    [InlineData("?")]
    [InlineData(" ")]
    [InlineData("\n")]
    [InlineData("a.b")]
    [InlineData("*")]
    public void Any_name_is_a_name_and_nothing_else(string name)
    {
        _db.Database.Do("CREATE TABLE keep (a)", "INSERT INTO keep VALUES (1)");
        foreach (var hostile in (string[])[name, string.Concat(Enumerable.Repeat(name, 5_000))])
        {
            var n = JsonSerializer.Serialize(hostile);
            _db.Write($$"""{"command":"create_table","table":{{n}},"columns":{ {{n}}:"int" } }""");
            _db.Write($$"""{"command":"insert","table":{{n}},"data":[{ {{n}}:1},{ {{n}}:2}]}""").Should().Be(2);
            _db.Write($$$"""{"command":"update","table":{{{n}}},"data":{ {{{n}}}:3},"condition":{ {{{n}}}:2}}""").Should().Be(1);
            Column(_db.Search($$"""{"command":"search","table":{{n}},"columns":[{{n}}],"order_by":{ {{n}}:"desc" } }"""), hostile).Should().Be("3 1");
            _db.Write($$$"""{"command":"delete","table":{{{n}}},"condition":{ {{{n}}}:{"in":[1,3]} } }""").Should().Be(2);
            _db.Write($$"""{"command":"drop_table","table":{{n}}}""");
        }

        _db.Database.Value("SELECT count(*) FROM keep").Integer.Should().Be(1);
        _db.Database.Value("SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '\\_distdb%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'").Integer.Should().Be(1);
    }

    [Fact]
    public void The_clusters_own_tables_are_out_of_reach()
    {
        _db.FailedSearch("""{"command":"search","table":"_distdb_state"}""").Code.Should().Be(FailureCode.Forbidden);
        _db.Fail("""{"command":"delete","table":"_DISTDB_STATE","all":true}""").Code.Should().Be(FailureCode.Forbidden);
        _db.Fail("""{"command":"create_table","table":"_distdb_x","columns":{"a":"text"}}""").Code.Should().Be(FailureCode.Forbidden);
    }

    private void Make() => _db.Database.Do("CREATE TABLE t (a INTEGER, b TEXT, c)");

    private string Found(string condition) => Column(_db.Search($$"""{"command":"search","table":"t","condition":{{condition}},"order_by":"a"}"""), "a");

    private static string Column(string rows, string name) =>
        string.Join(' ', JsonElement.Parse(rows).EnumerateArray().Select(row => row.GetProperty(name).GetRawText()));
}
