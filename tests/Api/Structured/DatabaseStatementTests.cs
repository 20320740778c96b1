using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Tests.Api.Structured;

/// <summary>Databases that are created and dropped, as a command or in SQL.</summary>
public sealed class DatabaseStatementTests
{
    [Theory]
    [InlineData("CREATE DATABASE x", "x", false)]
    [InlineData("create database MyDb;", "mydb", false)]
    [InlineData(" ;; CREATE /* a */ DATABASE -- b\n \"x-1\" ; ; ", "x-1", false)]
    [InlineData("CREATE DATABASE IF NOT EXISTS `2x`", "2x", true)]
    [InlineData("CREATE DATABASE if not exists [x]", "x", true)]
    [InlineData("CREATE DATABASE 'x'", "x", false)]
    [InlineData("CREATE DATABASE \"if\"", "if", false)]
    [InlineData("CREATE DATABASE x /* open", "x", false)]
    [InlineData("CREATE DATABASE IF NOT EXISTS main", "main", true)]
    public void A_database_is_created(string sql, string name, bool ifNotExists)
    {
        foreach (var command in (string[])["exec", "query"])
        {
            var request = StructuredDatabase.Parse(Sql(sql, command));
            request.Operation.Should().Be(new CreateDatabaseOperation(name, ifNotExists));
            request.Statements.Should().BeEmpty();
        }
    }

    [Theory]
    [InlineData("CREATE DATABASE x WITH foreign_keys = off", false)]
    [InlineData("create database if not exists x with Foreign_Keys=OFF;", false)]
    [InlineData("CREATE DATABASE x WITH foreign_keys = on", true)]
    [InlineData("CREATE DATABASE with", true)]
    public void Foreign_keys_are_on_or_off_from_the_beginning(string sql, bool foreignKeys) =>
        StructuredDatabase.Parse(Sql(sql)).Operation.Should().BeOfType<CreateDatabaseOperation>().Which.ForeignKeys.Should().Be(foreignKeys);

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    [InlineData("null", true)]
    public void The_command_has_a_field_for_them(string value, bool foreignKeys) =>
        StructuredDatabase.Parse($$"""{"command":"create_db","database":"x","foreign_keys":{{value}}}""")
            .Operation.Should().Be(new CreateDatabaseOperation("x", false, foreignKeys));

    [Theory]
    [InlineData("DROP DATABASE x", "x", false)]
    [InlineData("drop database if exists \"MyDb\";", "mydb", true)]
    public void A_database_is_dropped(string sql, string name, bool ifExists) =>
        StructuredDatabase.Parse(Sql(sql)).Operation.Should().Be(new DropDatabaseOperation(name, ifExists));

    [Theory]
    [InlineData("""{"command":"CREATE_DB","database":"MyDb"}""", "create mydb strict")]
    [InlineData("""{"command":"create_db","database":"x","if_not_exists":true,"id":"k"}""", "create x lenient")]
    [InlineData("""{"command":"DROP_DB","database":"x"}""", "drop x strict")]
    [InlineData("""{"command":"drop_db","database":"x","if_exists":true}""", "drop x lenient")]
    public void A_command_does_the_same(string body, string operation)
    {
        var request = StructuredDatabase.Parse(body);
        request.IsQuery.Should().BeFalse();
        (request.Operation switch
        {
            CreateDatabaseOperation create => $"create {create.Name} {(create.IfNotExists ? "lenient" : "strict")}",
            DropDatabaseOperation drop => $"drop {drop.Name} {(drop.IfExists ? "lenient" : "strict")}",
            _ => "",
        }).Should().Be(operation);
    }

    [Theory]
    [InlineData("CREATE TABLE database (a)")]
    [InlineData("CREATE")]
    [InlineData("DROP TABLE x")]
    [InlineData("SELECT 'CREATE DATABASE x'")]
    [InlineData("EXPLAIN CREATE DATABASE x")]
    [InlineData("CREATE \"DATABASE\" x")]
    [InlineData("-- CREATE DATABASE x")]
    [InlineData("")]
    public void Anything_else_is_sqlites_to_judge(string sql)
    {
        var request = StructuredDatabase.Parse(Sql(sql));
        request.Operation.Should().BeNull();
        request.Statements.Single().Sql.Should().Be(sql);
    }

    [Theory]
    [InlineData("CREATE DATABASE", FailureCode.BadRequest, "missing")]
    [InlineData("CREATE DATABASE ;", FailureCode.BadRequest, "missing")]
    [InlineData("CREATE DATABASE \"x", FailureCode.BadRequest, "closed")]
    [InlineData("CREATE DATABASE 1x", FailureCode.BadRequest, "quotes")]
    [InlineData("CREATE DATABASE my-db", FailureCode.BadRequest, "quotes")]
    [InlineData("CREATE DATABASE x y", FailureCode.BadRequest, "more")]
    [InlineData("CREATE DATABASE x; DROP TABLE t", FailureCode.BadRequest, "more")]
    [InlineData("CREATE DATABASE IF EXISTS x", FailureCode.BadRequest, "NOT EXISTS")]
    [InlineData("CREATE DATABASE IF NOT x", FailureCode.BadRequest, "NOT EXISTS")]
    [InlineData("CREATE DATABASE x CHARACTER SET utf8", FailureCode.BadRequest, "more")]
    [InlineData("CREATE DATABASE x WITH", FailureCode.BadRequest, "foreign_keys = off")]
    [InlineData("CREATE DATABASE x WITH foreign_keys off", FailureCode.BadRequest, "foreign_keys = off")]
    [InlineData("CREATE DATABASE x WITH foreign_keys = 2", FailureCode.BadRequest, "foreign_keys = off")]
    [InlineData("CREATE DATABASE x WITH recursive_triggers = on", FailureCode.BadRequest, "foreign_keys = off")]
    [InlineData("CREATE DATABASE x WITH foreign_keys = off, foreign_keys = on", FailureCode.BadRequest, "more")]
    [InlineData("DROP DATABASE x WITH foreign_keys = off", FailureCode.BadRequest, "more")]
    [InlineData("CREATE DATABASE \"../x\"", FailureCode.BadRequest, "\"../x\"")]
    [InlineData("CREATE DATABASE \"\"", FailureCode.BadRequest, "letters")]
    [InlineData("CREATE DATABASE główna", FailureCode.BadRequest, "letters")]
    [InlineData("DROP DATABASE IF NOT EXISTS x", FailureCode.BadRequest, "EXISTS")]
    [InlineData("CREATE DATABASE main", FailureCode.Conflict, "always there")]
    [InlineData("CREATE DATABASE history_query", FailureCode.Forbidden, "reserved")]
    [InlineData("CREATE DATABASE IF NOT EXISTS _DistDb_x", FailureCode.Forbidden, "reserved")]
    [InlineData("DROP DATABASE Main", FailureCode.Forbidden, "cannot be dropped")]
    [InlineData("DROP DATABASE IF EXISTS history_query", FailureCode.Forbidden, "reserved")]
    public void What_begins_like_it_and_goes_on_otherwise_is_refused(string sql, FailureCode code, string named)
    {
        var refusal = StructuredDatabase.Refusal(Sql(sql));
        refusal.Code.Should().Be(code);
        refusal.Detail.Should().Contain(named);
    }

    [Theory]
    [InlineData("""{"command":"create_db"}""", FailureCode.BadRequest, "\"database\" is missing")]
    [InlineData("""{"command":"create_db","database":null}""", FailureCode.BadRequest, "\"database\" is missing")]
    [InlineData("""{"command":"create_db","database":"a/b"}""", FailureCode.BadRequest, "\"a/b\"")]
    [InlineData("""{"command":"create_db","database":"main"}""", FailureCode.Conflict, "always there")]
    [InlineData("""{"command":"drop_db","database":"main","if_exists":true}""", FailureCode.Forbidden, "cannot be dropped")]
    [InlineData("""{"command":"create_db","database":"x","if_exists":true}""", FailureCode.BadRequest, "\"if_exists\" does not go with")]
    [InlineData("""{"command":"drop_db","database":"x","if_not_exists":true}""", FailureCode.BadRequest, "\"if_not_exists\" does not go with")]
    [InlineData("""{"command":"drop_db","database":"x","foreign_keys":false}""", FailureCode.BadRequest, "\"foreign_keys\" does not go with")]
    [InlineData("""{"command":"create_db","database":"x","foreign_keys":"off"}""", FailureCode.BadRequest, "foreign_keys")]
    [InlineData("""{"command":"drop_db","database":"x","table":"t"}""", FailureCode.BadRequest, "\"table\" does not go with")]
    [InlineData("""{"command":"create_db","database":"x","if_not_exists":"yes"}""", FailureCode.BadRequest, "if_not_exists")]
    [InlineData("""{"command":"exec","query":"CREATE DATABASE x","params":[1]}""", FailureCode.BadRequest, "params")]
    [InlineData("""{"command":"exec","transaction":[{"query":"SELECT 1"},{"query":"create database x"}]}""", FailureCode.BadRequest, "transaction[1]")]
    [InlineData("""{"command":"exec","transaction":[{"query":"DROP DATABASE"}]}""", FailureCode.BadRequest, "missing")]
    public void Requests_that_do_not_make_sense_are_refused(string body, FailureCode code, string named)
    {
        var refusal = StructuredDatabase.Refusal(body);
        refusal.Code.Should().Be(code);
        refusal.Detail.Should().Contain(named);
    }

    private static string Sql(string sql, string command = "exec") => JsonSerializer.Serialize(new { command, query = sql });
}
