using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Database;

/// <summary>Files from outside: good ones are taken as they are, bad ones refused with a reason.</summary>
public sealed class ForeignFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-foreign-");

    private string File => Path.Combine(_folder.FullName, "file.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT DEFAULT CURRENT_TIMESTAMP, c TEXT AS (b || 1)) STRICT; CREATE UNIQUE INDEX i ON t(b) WHERE a > 1")]
    [InlineData("CREATE TABLE t(a CHECK (json_valid(a)), b AS (json_extract(a, '$.b'))); CREATE INDEX i ON t(json_extract(a, '$.c')); INSERT INTO t VALUES ('{\"b\":1,\"c\":2}')")]
    [InlineData("CREATE TABLE t(a PRIMARY KEY, b) WITHOUT ROWID; CREATE VIEW v AS SELECT * FROM later; CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT INTO later VALUES (1); END")]
    [InlineData("CREATE VIRTUAL TABLE f USING fts5(x, content=''); INSERT INTO f VALUES ('a b'); CREATE VIRTUAL TABLE g USING fts4(x); INSERT INTO g VALUES ('a'); CREATE VIRTUAL TABLE r USING rtree(i, a, b)")]
    [InlineData("PRAGMA page_size = 1024; PRAGMA auto_vacuum = FULL; CREATE TABLE t(a AUTOINCREMENT_NOT, i INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO t(a) VALUES (1); ANALYZE")]
    [InlineData("PRAGMA journal_mode = WAL; CREATE TABLE p(id PRIMARY KEY); CREATE TABLE c(p REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1), (NULL)")]
    [InlineData("CREATE TABLE \"a \"\"b\"(\"select\"); CREATE TABLE \"ü\"(a); CREATE INDEX \"i j\" ON \"a \"\"b\"(\"select\")")]
    [InlineData("")]
    public void What_statements_could_have_made_here_is_taken(string sql)
    {
        Make(sql);
        var before = Dump();
        Prepare().Should().BeNull();
        Dump().Should().Equal(before);
        Scalar("PRAGMA page_size").Should().Be(4096L);
        Scalar("PRAGMA auto_vacuum").Should().Be(0L);
        Scalar("PRAGMA journal_mode").Should().Be("delete");
    }

    [Theory]
    [InlineData("PRAGMA encoding = 'UTF-16'; CREATE TABLE t(a)", "*UTF-16*")]
    [InlineData("CREATE TABLE p(id PRIMARY KEY); CREATE TABLE c(p REFERENCES p); INSERT INTO c VALUES (1)", "*foreign key of the table c (to p)*")]
    [InlineData("CREATE VIEW _distdb_view AS SELECT 1", "*reserved*")]
    [InlineData("CREATE TABLE t(a REFERENCES _distdb_state)", "*reserved*")]
    [InlineData("CREATE VIRTUAL TABLE t USING dbstat", "*module*")]
    [InlineData("CREATE TABLE t(a); PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = 'CREATE TABLE t(a, b, nonsense(' WHERE name = 't'", "*SQLite*")]
    [InlineData("CREATE TABLE t(a); CREATE TABLE u(b); PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'u') WHERE name = 't'", "*damaged*")]
    public void What_could_not_be_here_is_refused_with_the_reason(string sql, string reason)
    {
        Make(sql);
        Prepare()!.Detail.Should().Match(reason).And.Contain("Nothing was changed");
        _folder.GetFiles().Should().OnlyContain(f => f.Name.StartsWith("file.db", StringComparison.Ordinal) && !f.Name.Contains("schema"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(4096)]
    public void What_is_no_database_is_refused(int length)
    {
        System.IO.File.WriteAllBytes(File, new byte[length]);
        Prepare()!.Detail.Should().Contain("not a SQLite file");
    }

    [Fact]
    public void No_damage_gets_through()
    {
        Make("CREATE TABLE t(a, b); CREATE INDEX i ON t(a); WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT 2000) INSERT INTO t SELECT n, hex(n) FROM s");
        var good = System.IO.File.ReadAllBytes(File);
        var random = new Random(1);
        for (var i = 0; i < 200; i++)
        {
            var bad = (byte[])good.Clone();
            for (var n = random.Next(1, 20); n > 0; n--)
            {
                bad[random.Next(bad.Length)] = (byte)random.Next(256);
            }

            System.IO.File.WriteAllBytes(File, bad);
            if (Prepare() is null)
            {
                // Only values may be others then.
                Scalar("SELECT group_concat(integrity_check) FROM pragma_integrity_check").Should().Be("ok");
            }
        }
    }

    [Fact]
    public void A_backup_comes_back_without_what_it_says_of_itself()
    {
        using (var database = new DatabaseSet(_folder.CreateSubdirectory("set").FullName, new()))
        {
            database.Open(0);
            database.Begin(new(1, 5, 0));
            database.Execute(new() { Statements = [TestDatabase.Sql("CREATE TABLE t(a)")] }, 0, new(MaySchema: true), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
            database.Commit();
            using var pin = database.Pin(["main"])!;
            pin.Databases.Single().CopyTo(File + ".copy");
        }

        var description = new BackupDescription("main", 1, 5, Guid.NewGuid(), ForeignKeys: false);
        BackupFile.Write(File + ".copy", File, description);
        BackupFile.Describe(File).Should().Be(description);
        Scalar("SELECT group_concat(name) FROM sqlite_master").Should().Be("t,_distdb_backup");
        Prepare().Should().BeNull();
        Scalar("SELECT group_concat(name) FROM sqlite_master").Should().Be("t");
        BackupFile.Describe(File).Should().BeNull();
    }

    private Failure? Prepare() => ForeignFile.Prepare(File, foreignKeys: true, default);

    private void Make(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();

        // A file of no page is none.
        command.CommandText = sql + "; PRAGMA user_version = 7";
        command.ExecuteNonQuery();
    }

    private object? Scalar(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    /// <summary>The schema, and each table's rows with their rowids where they have names.</summary>
    private List<string> Dump()
    {
        using var connection = Open();
        List<string> lines = [.. Rows(connection, "SELECT type || name || ifnull(sql, '') FROM sqlite_master ORDER BY name"), .. Rows(connection, "PRAGMA user_version")];
        foreach (var table in Rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"))
        {
            lines.AddRange(Rows(connection, $"SELECT * FROM \"{table.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));
        }

        return lines;
    }

    private static List<string> Rows(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        List<string> rows = [];
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i) is byte[] blob ? Convert.ToHexString(blob) : $"{reader.GetValue(i)}")));
        }

        return rows;
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        connection.Open();
        return connection;
    }
}
