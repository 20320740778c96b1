using System.Text.Json;
using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Tests.Api.Structured;

/// <summary>What <c>create_table</c> makes of what it is told of a column.</summary>
public sealed class ColumnDefinitionTests : IDisposable
{
    private readonly StructuredDatabase _db = new();

    public void Dispose() => _db.Dispose();

    [Theory]
    [InlineData("int", "INTEGER")]
    [InlineData("Integer", "INTEGER")]
    [InlineData("INT(11) primary key", "INTEGER PRIMARY KEY")]
    [InlineData("int PRIMARY KEY AUTOINCREMENT", "INTEGER PRIMARY KEY AUTOINCREMENT")]
    [InlineData("INTEGER PRIMARY KEY DESC", "INTEGER PRIMARY KEY DESC")]
    [InlineData("string", "TEXT")]
    [InlineData("string(20)", "TEXT(20)")]
    [InlineData("varchar ( 20 )", "varchar(20)")]
    [InlineData("bool", "INTEGER")]
    [InlineData("boolean", "INTEGER")]
    [InlineData("float", "REAL")]
    [InlineData("double", "REAL")]
    [InlineData("double precision", "double precision")]
    [InlineData("date", "TEXT")]
    [InlineData("datetime", "TEXT")]
    [InlineData("json", "TEXT")]
    [InlineData("blob", "BLOB")]
    [InlineData("DECIMAL(10, 2)", "DECIMAL(10,2)")]
    [InlineData("my_type2", "my_type2")]
    [InlineData("text not null unique", "TEXT NOT NULL UNIQUE")]
    [InlineData("text unique not null", "TEXT NOT NULL UNIQUE")]
    [InlineData("text null", "TEXT")]
    [InlineData("text default 'it''s'", "TEXT DEFAULT 'it''s'")]
    [InlineData("text default ''", "TEXT DEFAULT ''")]
    [InlineData("int default -9223372036854775808", "INTEGER DEFAULT -9223372036854775808")]
    [InlineData("int default + 5", "INTEGER DEFAULT 5")]
    [InlineData("real default 1.50", "REAL DEFAULT 1.5")]
    [InlineData("real default -1e3", "REAL DEFAULT -1000.0")]
    [InlineData("bool default true", "INTEGER DEFAULT 1")]
    [InlineData("bool default FALSE", "INTEGER DEFAULT 0")]
    [InlineData("text default null", "TEXT DEFAULT NULL")]
    [InlineData("blob default x'00fF'", "BLOB DEFAULT x'00FF'")]
    [InlineData("datetime default current_timestamp", "TEXT DEFAULT CURRENT_TIMESTAMP")]
    [InlineData("text collate nocase", "TEXT COLLATE NOCASE")]
    [InlineData("int references other", "INTEGER REFERENCES \"other\"")]
    [InlineData("int references \"o\"\"x\" ([i d])", "INTEGER REFERENCES \"o\"\"x\" (\"i d\")")]
    [InlineData("int references other(id) on delete cascade on update set null", "INTEGER REFERENCES \"other\" (\"id\") ON DELETE CASCADE ON UPDATE SET NULL")]
    [InlineData("int references other on update no action on delete set default not null", "INTEGER NOT NULL REFERENCES \"other\" ON DELETE SET DEFAULT ON UPDATE NO ACTION")]
    [InlineData("text /* a comment */ not -- another\n null", "TEXT NOT NULL")]
    public void Words_become_sqlites(string text, string sql)
    {
        Create(JsonSerializer.Serialize(text)).Should().BeOfType<WriteOutcome.Succeeded>(text);
        _db.SchemaOf("t").Should().Be($"CREATE TABLE \"t\" (\"c\" {sql})");
    }

    [Theory]
    [InlineData("""{"type":"int","primary_key":true}""", "INTEGER PRIMARY KEY")]
    [InlineData("""{"type":"int","autoincrement":true,"primary_key":true}""", "INTEGER PRIMARY KEY AUTOINCREMENT")]
    [InlineData("""{"type":"varchar(5)","not_null":true,"unique":true}""", "varchar(5) NOT NULL UNIQUE")]
    [InlineData("""{"type":"text","not_null":false,"unique":null}""", "TEXT")]
    [InlineData("""{"type":"text","default":"it's"}""", "TEXT DEFAULT 'it''s'")]
    [InlineData("""{"type":"text","default":"5"}""", "TEXT DEFAULT '5'")]
    [InlineData("""{"type":"int","default":-9223372036854775808}""", "INTEGER DEFAULT -9223372036854775808")]
    [InlineData("""{"type":"real","default":1e0}""", "REAL DEFAULT 1.0")]
    [InlineData("""{"type":"bool","default":true}""", "INTEGER DEFAULT 1")]
    [InlineData("""{"type":"text","default":null}""", "TEXT DEFAULT NULL")]
    [InlineData("""{"type":"blob","default":{"base64":"AP8="}}""", "BLOB DEFAULT x'00FF'")]
    [InlineData("""{"type":"text","default":"CURRENT_TIMESTAMP"}""", "TEXT DEFAULT CURRENT_TIMESTAMP")]
    [InlineData("""{"type":"text","default":"current_timestamp"}""", "TEXT DEFAULT 'current_timestamp'")]
    [InlineData("""{"type":"text","collate":"nocase"}""", "TEXT COLLATE NOCASE")]
    [InlineData("""{"type":"int","references":"other(id) ON DELETE CASCADE"}""", "INTEGER REFERENCES \"other\" (\"id\") ON DELETE CASCADE")]
    public void An_object_says_the_same_field_by_field(string definition, string sql)
    {
        Create(definition).Should().BeOfType<WriteOutcome.Succeeded>(definition);
        _db.SchemaOf("t").Should().Be($"CREATE TABLE \"t\" (\"c\" {sql})");
    }

    [Theory]
    [InlineData("", "type")]
    [InlineData("PRIMARY KEY", "type")]
    [InlineData("'text'", "type")]
    [InlineData("int)", ")")]
    [InlineData("int, d int", ",")]
    [InlineData("int; DROP TABLE t", ";")]
    [InlineData("int) AS SELECT 1", ")")]
    [InlineData("int AS (1)", "AS")]
    [InlineData("int GENERATED ALWAYS AS (1)", "GENERATED")]
    [InlineData("int CHECK (c > 0)", "CHECK")]
    [InlineData("int CONSTRAINT x NOT NULL", "CONSTRAINT")]
    [InlineData("int NOT", "NOT")]
    [InlineData("int PRIMARY", "PRIMARY")]
    [InlineData("int PRIMARY KEY ON CONFLICT REPLACE", "ON")]
    [InlineData("int NOT NULL NOT NULL", "twice")]
    [InlineData("int NULL NOT NULL", "contrary")]
    [InlineData("int PRIMARY KEY PRIMARY KEY", "twice")]
    [InlineData("int AUTOINCREMENT", "AUTOINCREMENT")]
    [InlineData("int DEFAULT (random())", "exec")]
    [InlineData("int DEFAULT", "DEFAULT")]
    [InlineData("int DEFAULT abc", "abc")]
    [InlineData("int DEFAULT 0x10", "0x10")]
    [InlineData("int DEFAULT - 'a'", "DEFAULT")]
    [InlineData("int DEFAULT 9223372036854775808", "64 bits")]
    [InlineData("text DEFAULT 'open", "open")]
    [InlineData("text DEFAULT \"quoted\"", "quoted")]
    [InlineData("blob DEFAULT x'0'", "DEFAULT")]
    [InlineData("text DEFAULT 'a\0b'", "NUL")]
    [InlineData("text COLLATE mine", "NOCASE")]
    [InlineData("int REFERENCES", "name")]
    [InlineData("int REFERENCES t(a, b)", ")")]
    [InlineData("int REFERENCES t ON DELETE DEFAULT", "SET NULL")]
    [InlineData("int REFERENCES t ON DELETE CASCADE ON DELETE CASCADE", "once")]
    [InlineData("int REFERENCES t DEFERRABLE", "DEFERRABLE")]
    [InlineData("int(1", "brackets")]
    [InlineData("int()", "brackets")]
    [InlineData("int(1,2,3)", "brackets")]
    [InlineData("int(-1)", "brackets")]
    [InlineData("int(1.5)", "brackets")]
    [InlineData("int(a)", "brackets")]
    [InlineData("größe", "letters")]
    public void What_the_grammar_does_not_have_is_refused(string text, string named)
    {
        var refusal = StructuredDatabase.Refusal(Body(JsonSerializer.Serialize(text)));
        refusal.Code.Should().Be(FailureCode.BadRequest);
        refusal.Detail.Should().Contain("\"columns.c\"").And.Contain(named);
    }

    [Theory]
    [InlineData("5", "columns.c")]
    [InlineData("null", "columns.c")]
    [InlineData("{}", "columns.c.type")]
    [InlineData("""{"type":"int","unique":1}""", "columns.c.unique")]
    [InlineData("""{"type":"int NOT NULL"}""", "not_null")]
    [InlineData("""{"type":"int","type":"text"}""", "twice")]
    [InlineData("""{"type":"int","nullable":false}""", "columns.c.nullable")]
    [InlineData("""{"type":"int","autoincrement":true}""", "primary_key")]
    [InlineData("""{"type":"int","default":[1]}""", "columns.c.default")]
    [InlineData("""{"type":"int","default":9223372036854775808}""", "64 bits")]
    [InlineData("""{"type":"int","collate":"NOCASE x"}""", "columns.c.collate")]
    [InlineData("""{"type":"int","references":"t(a) x"}""", "columns.c.references")]
    [InlineData("""{"type":"int","references":""}""", "columns.c.references")]
    public void Wrong_fields_of_a_column_are_refused(string definition, string named) =>
        StructuredDatabase.Refusal(Body(definition)).Detail.Should().Contain(named);

    [Fact]
    public void A_whole_number_that_is_the_primary_key_numbers_itself()
    {
        Create("\"int primary key\"").Should().BeOfType<WriteOutcome.Succeeded>();
        _db.Write("""{"command":"insert","table":"t","data":[{},{}]}""").Should().Be(2);
        _db.Search("""{"command":"search","table":"t","columns":["c","rowid"]}""").Should().Be("""[{"c":1,"rowid":1},{"c":2,"rowid":2}]""");
    }

    [Theory]
    [InlineData("\"int default -9223372036854775808\"", "-9223372036854775808")]
    [InlineData("\"text default 'it''s'\"", "\"it's\"")]
    [InlineData("""{"type":"real","default":-9e999}""", "-9e999")]
    [InlineData("""{"type":"real","default":5e-324}""", "5E-324")]
    [InlineData("""{"type":"blob","default":{"base64":"AP8="}}""", """{"base64":"AP8="}""")]
    [InlineData("""{"type":"text","default":"\n;--😀\""}""", "\"\\n;--😀\\\"\"")]
    public void A_default_is_the_value_to_the_last_bit(string definition, string value)
    {
        Create(definition).Should().BeOfType<WriteOutcome.Succeeded>();
        _db.Write("""{"command":"insert","table":"t","data":{}}""");
        _db.Search("""{"command":"search","table":"t"}""").Should().Be($$"""[{"c":{{value}}}]""");
    }

    private static string Body(string definition) => $$$"""{"command":"create_table","table":"t","columns":{"c":{{{definition}}}}}""";

    private WriteOutcome Create(string definition) => _db.Database.Execute(_db.Database.Command(StructuredDatabase.Parse(Body(definition)).Statements.Single()));
}
