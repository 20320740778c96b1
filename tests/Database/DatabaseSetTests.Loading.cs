using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Database;

/// <summary>A file's content takes a database's place.</summary>
public sealed partial class DatabaseSetTests
{
    [Theory]
    [InlineData("main")]
    [InlineData("a")]
    [InlineData("b")]
    public void A_file_becomes_the_content_of_a_database_that_is_there_or_is_made(string target)
    {
        Create("a");
        Do("main", "CREATE TABLE old(a)", "INSERT INTO old VALUES (1)");
        Do("a", "CREATE TABLE old(a)");
        Log("main", "INSERT INTO old VALUES (2)", key: "main's");
        Log("a", "INSERT INTO old VALUES (2)", key: "a's");

        Load(target, "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3); CREATE VIEW v AS SELECT sum(a) AS s FROM t");

        Rows(target).Should().Be(3);
        _set.Names.Should().Contain(target).And.NotContain(n => DatabaseName.IsStaging(n));
        _folder.GetFiles("*staging*").Should().BeEmpty();
        Fail(target, "INSERT INTO old VALUES (1)").Detail.Should().Contain("no such table");
        Index(target).Should().Be(_set.AppliedIndex);
        Do(target, "INSERT INTO t SELECT s FROM v");
        Rows(target).Should().Be(4);
        Once("main", "INSERT INTO old VALUES (2)", "main's").Should().BeOfType<WriteOutcome.Remembered>("what was done was done");
        Once("a", "INSERT INTO old VALUES (2)", "a's").Should().BeOfType<WriteOutcome.Remembered>();

        var wanted = Digests();
        _set.Dispose();
        _set = Open();
        Digests().Should().Equal(wanted);
    }

    [Theory]
    [InlineData("main", "main")]
    [InlineData("a", "main")]
    [InlineData("a", "main", "a")]
    [InlineData("b", "main")]
    [InlineData("b", "main", "b")]
    public void A_load_that_a_crash_interrupted_is_done_again(string target, params string[] behind)
    {
        Create("a");
        Log("main", "CREATE TABLE old(a)");
        Log("a", "CREATE TABLE old(a)");
        Log("main", "INSERT INTO old VALUES (2)", key: "once");
        var load = Stage(target, "CREATE TABLE t(a); INSERT INTO t VALUES (1), (2), (3)");
        var saved = Save();
        LogOperation(load);
        Log(target, "INSERT INTO t VALUES (random())");
        var wanted = Digests();
        _set.Dispose();

        // The staging database's file is only deleted once main is on disk.
        Restore(saved, [.. behind, load.Staging]);
        File.WriteAllText(PathOf(load.Staging) + ".load", "a part of it");
        _set = Open(saved.Index);
        _set.AppliedIndex.Should().Be(saved.Index);

        Replay();

        Digests().Should().Equal(wanted);
        _folder.GetFiles("*staging*").Should().BeEmpty();
    }

    [Fact]
    public void A_load_that_is_rolled_back_leaves_everything_as_it_was()
    {
        Log("main", "CREATE TABLE old(a)");
        var load = Stage("main", "CREATE TABLE t(a)");
        var before = Digests();
        _set.Begin(NextStamp());
        Execute(load).Should().BeOfType<WriteOutcome.Succeeded>();
        _set.Rollback();
        Digests().Should().Equal(before);
        LogOperation(load);
        Rows("main").Should().Be(0);
    }

    [Theory]
    [InlineData("main")]
    [InlineData("a")]
    public void A_load_in_whose_batch_a_write_to_the_same_database_failed_before_it_is_done(string target)
    {
        Create("a");
        Log(target, "CREATE TABLE old(a)");
        var load = Stage(target, "CREATE TABLE t(a)");
        _set.Begin(NextStamp());
        Execute(target, "INSERT INTO nowhere VALUES (1)").Should().BeOfType<WriteOutcome.Failed>();
        Execute(load).Should().BeOfType<WriteOutcome.Succeeded>();
        _set.Commit();
        Rows(target).Should().Be(0);
        Do(target, "INSERT INTO t VALUES (1)");
    }

    [Fact]
    public void A_load_that_may_not_be_changes_nothing()
    {
        Create("full");
        Do("full", "CREATE TABLE t(a)");
        Create("empty");
        var load = Stage("full", "CREATE TABLE u(a)");
        FailOperation(load with { Replaces = false }).Code.Should().Be(FailureCode.Conflict);
        FailOperation(load, maySchema: false).Code.Should().Be(FailureCode.NotMaster);
        FailOperation(load with { ByteCount = load.ByteCount + 1 }).Detail.Should().Contain("not here as a whole");
        FailOperation(load with { Staging = "full" }).Code.Should().Be(FailureCode.Conflict);
        FailOperation(load with { Name = "history_query" }).Code.Should().Be(FailureCode.Forbidden);
        Rows("full").Should().Be(0);

        LogOperation(load with { Replaces = false, Name = "empty" });
        Do("empty", "INSERT INTO u VALUES (1)");
    }

    [Fact]
    public async Task Who_reads_meanwhile_sees_one_or_the_other()
    {
        Do("main", "CREATE TABLE t(a)", "INSERT INTO t VALUES (7)");
        (await ReadAsync("main", "SELECT count(*) FROM t")).Should().Be(1, "a connection of the pool knows the old schema now");
        var load = Stage("main", "CREATE TABLE u(b); CREATE TABLE t(x, a); INSERT INTO t VALUES (1, 2), (3, 4)");
        LogOperation(load);
        (await ReadAsync("main", "SELECT sum(a) FROM t")).Should().Be(6);
    }

    /// <summary>Writes a SQLite file into a staging database, as the master does.</summary>
    private LoadDatabaseOperation Stage(string target, string sql)
    {
        var path = Path.Combine(_folder.CreateSubdirectory("outside").FullName, "file");
        File.Delete(path);
        using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }

        ForeignFile.Prepare(path, foreignKeys: true, default).Should().BeNull();
        var content = File.ReadAllBytes(path);
        var staging = DatabaseName.StagingOf(Guid.NewGuid());
        Create(staging);
        Log(new() { Database = staging, Statements = [StagedFile.Create] });
        foreach (var (number, piece) in content.Chunk(3000).Index())
        {
            Log(new() { Database = staging, Statements = [StagedFile.Insert(number, piece)] });
        }

        return new(target, staging, content.Length, Replaces: true, ForeignKeys: true);
    }

    private void Load(string target, string sql) => LogOperation(Stage(target, sql));
}
