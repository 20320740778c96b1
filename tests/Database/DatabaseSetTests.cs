using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Database.Native;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Database;

/// <summary>Several databases written together. Each "crash" closes nothing in order: files are put back as they were at an earlier entry.</summary>
public sealed partial class DatabaseSetTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-set-");
    private readonly List<(EntryStamp Stamp, WriteBatch Batch)> _log = [];
    private DatabaseSet _set;
    private long _sequence;

    public DatabaseSetTests() => _set = Open();

    public void Dispose()
    {
        _set.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Databases_are_created_and_dropped_with_their_files()
    {
        Create("books");
        _set.Names.Should().Contain(["books", "main"]);
        Do("books", "CREATE TABLE t(a)", "INSERT INTO t VALUES (1)");
        Do("main", "CREATE TABLE t(a)");
        Rows("books").Should().Be(1);
        Rows("main").Should().Be(0);
        File.Exists(PathOf("books")).Should().BeTrue();

        Drop("books");
        _set.Names.Should().NotContain("books").And.Contain("main");
        _folder.GetFiles("books*").Should().BeEmpty();
        Fail("books", "INSERT INTO t VALUES (1)").Code.Should().Be(FailureCode.NoSuchDatabase);

        Create("books");
        Fail("books", "INSERT INTO t VALUES (1)").Detail.Should().Contain("no such table");
    }

    [Fact]
    public void What_is_there_is_not_created_again_and_what_is_not_there_not_dropped_unless_that_is_welcome()
    {
        Create("books");
        FailOperation(new CreateDatabaseOperation("books", false)).Code.Should().Be(FailureCode.Conflict);
        FailOperation(new DropDatabaseOperation("films", false)).Code.Should().Be(FailureCode.NoSuchDatabase);
        FailOperation(new CreateDatabaseOperation("main", false)).Code.Should().Be(FailureCode.Conflict);
        FailOperation(new CreateDatabaseOperation("films", false), maySchema: false).Code.Should().Be(FailureCode.NotMaster);
        FailOperation(new DropDatabaseOperation("books", false), maySchema: false).Code.Should().Be(FailureCode.NotMaster);
        Do("books", "CREATE TABLE t(a)");
        Perform(new CreateDatabaseOperation("books", true));
        Perform(new DropDatabaseOperation("films", true));
        Rows("books").Should().Be(0, "nothing was made anew");
    }

    [Fact]
    public void Foreign_keys_are_enforced_or_not_as_a_database_was_created_also_after_a_restart_and_in_a_copy()
    {
        LogOperation(new CreateDatabaseOperation("off", false, ForeignKeys: false));
        LogOperation(new CreateDatabaseOperation("on", false));
        foreach (var name in (string[])["off", "on"])
        {
            Do(name, "CREATE TABLE p(id PRIMARY KEY)", "CREATE TABLE t(p REFERENCES p)");
        }

        ShouldBeAsCreated();
        _set.Dispose();
        _set = Open();
        ShouldBeAsCreated();
        var copy = _folder.FullName + "-copy";
        Directory.CreateDirectory(copy);
        using (var pin = _set.Pin()!)
        {
            pin.CopyTo(copy);
        }

        DatabaseFile.SealFolder(copy);
        _set.Replace(copy, _set.AppliedIndex);
        ShouldBeAsCreated();

        Drop("off");
        Create("off");
        Do("off", "CREATE TABLE p(id PRIMARY KEY)", "CREATE TABLE t(p REFERENCES p)");
        Fail("off", "INSERT INTO t VALUES (1)").Code.Should().Be(FailureCode.Constraint, "the new one has nothing of the old one");

        void ShouldBeAsCreated()
        {
            (_set.HasForeignKeys("off"), _set.HasForeignKeys("on"), _set.HasForeignKeys("main")).Should().Be((false, true, true));
            Do("off", "INSERT INTO t VALUES (1)");
            Fail("on", "INSERT INTO t VALUES (1)").Code.Should().Be(FailureCode.Constraint);
        }
    }

    [Fact]
    public void A_batch_that_is_rolled_back_leaves_no_database_and_no_row_behind()
    {
        Create("books");
        Do("books", "CREATE TABLE t(a)");
        _set.Begin(NextStamp());
        Execute("books", "INSERT INTO t VALUES (1)");
        Execute(new CreateDatabaseOperation("films", false));
        _set.Rollback();
        Rows("books").Should().Be(0);
        _folder.GetFiles("films*").Should().BeEmpty();
        Create("films");
    }

    [Fact]
    public void One_entry_may_write_to_several_databases_and_what_failed_in_one_is_no_trace_there()
    {
        Create("a");
        Create("b");
        Do("a", "CREATE TABLE t(a UNIQUE)");
        Do("b", "CREATE TABLE t(a)");
        var before = Index("b");
        _set.Begin(NextStamp());
        Execute("a", "INSERT INTO t VALUES (1)").Should().BeOfType<WriteOutcome.Succeeded>();
        Execute("a", "INSERT INTO t VALUES (1)").Should().BeOfType<WriteOutcome.Failed>();
        Execute("b", "INSERT INTO nowhere VALUES (1)").Should().BeOfType<WriteOutcome.Failed>();
        _set.Commit();
        Rows("a").Should().Be(1);
        Index("b").Should().Be(before, "no replica hears of a write that failed");
        Index("a").Should().Be(_set.AppliedIndex);
    }

    [Theory]
    [InlineData("main")]
    [InlineData("a")]
    [InlineData("b")]
    [InlineData("a", "b")]
    [InlineData("main", "a")]
    [InlineData("main", "a", "b")]
    public void Files_that_a_power_loss_threw_back_catch_up_from_the_log_each_by_itself(params string[] behind)
    {
        Create("a");
        Create("b");
        Log("a", "CREATE TABLE t(a)");
        Log("b", "CREATE TABLE t(a)");
        Log("main", "CREATE TABLE t(a)");
        var saved = Save();
        for (var i = 0; i < 5; i++)
        {
            Log("a", "INSERT INTO t VALUES (random())", key: $"a{i}");
            Log("main", "INSERT INTO t VALUES (random())", key: $"m{i}");
            Log("b", "INSERT INTO t VALUES (random())");
        }

        var wanted = Digests();
        _set.Dispose();
        Restore(saved, behind);
        _set = Open(saved.Index);
        _set.AppliedIndex.Should().Be(saved.Index);
        _set.Pin().Should().Match<ContentPin?>(p => p == null || behind.Contains("main"), "the files do not belong together yet");

        Replay();

        Digests().Should().Equal(wanted);
    }

    [Theory]
    [InlineData(0)] // the database's file was made, and main knows nothing of it
    [InlineData(1)] // nothing of it was there yet
    public void A_creation_that_a_crash_interrupted_is_done_again(int mainOnly)
    {
        Log("main", "CREATE TABLE t(a)");
        var saved = Save();
        LogOperation(new CreateDatabaseOperation("a", false));
        Log("a", "CREATE TABLE t(a)");
        Log("a", "INSERT INTO t VALUES (random())");
        var wanted = Digests();
        _set.Dispose();
        Restore(saved, mainOnly == 0 ? ["main"] : ["main", "a"]);
        _set = Open();
        Replay();
        Digests().Should().Equal(wanted);
    }

    [Fact]
    public void A_removal_that_a_crash_interrupted_is_finished_at_the_next_start()
    {
        Create("a");
        Do("a", "CREATE TABLE t(a)");
        _set.Dispose();
        var left = File.ReadAllBytes(PathOf("a"));
        _set = Open();
        Drop("a");
        _set.Dispose();
        File.WriteAllBytes(PathOf("a"), left);
        _set = Open();
        File.Exists(PathOf("a")).Should().BeFalse();
        _set.Names.Should().NotContain("a");
    }

    [Fact]
    public void A_database_that_came_and_went_is_skipped_where_main_is_ahead()
    {
        Create("b");
        Log("b", "CREATE TABLE t(a)");
        var saved = Save();
        LogOperation(new CreateDatabaseOperation("a", false));
        Log("a", "CREATE TABLE t(a)");
        Log("b", "INSERT INTO t VALUES (random())");
        LogOperation(new DropDatabaseOperation("a", false));
        LogOperation(new CreateDatabaseOperation("a", false));
        Log("a", "CREATE TABLE other(a)");
        Log("b", "INSERT INTO t VALUES (random())");
        var wanted = Digests();
        _set.Dispose();
        Restore(saved, ["b"]);
        _set = Open();
        Replay();
        Digests().Should().Equal(wanted);
    }

    [Fact]
    public void A_folder_that_is_gone_can_be_put_aside_as_well()
    {
        _set.Dispose();
        var folder = Path.Combine(_folder.FullName, "gone");
        DatabaseFile.MoveFolderAside(folder, Path.Combine(_folder.FullName, "aside"));
        Directory.Exists(folder).Should().BeTrue("there is a place for the next ones");
    }

    [Fact]
    public void A_history_that_is_gone_begins_anew_where_it_may_and_is_damage_where_not()
    {
        Create("a");
        var stamp = NextStamp();
        var command = Command("main", "CREATE TABLE t(a)") with { Client = "10.0.0.1" };
        _set.Begin(stamp);
        _set.Execute(command, 0, new(MaySchema: true), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
        _set.Commit(new(stamp.TimeMs, stamp.Seed, [new(command, default)]) { History = new(100, 100_000, new Dictionary<int, string>()) });
        _set.Dispose();
        var history = PathOf("history_query");
        File.Delete(history);
        File.WriteAllText(history + "-wal", "left over");
        using (var set = new DatabaseSet(_folder.FullName, new()))
        {
            set.Invoking(s => s.Open(0)).Should().Throw<StorageFailedException>().Where(e => e.IsDamage).WithMessage("*history_query*is gone*");
        }

        _set = new DatabaseSet(_folder.FullName, new());
        _set.Open(1, mayRenewHistory: true).Should().BeTrue();
        Rows("main").Should().Be(0, "everything else is as it was");
        _set.Dispose();
        _set = new DatabaseSet(_folder.FullName, new());
        _set.Open(1, mayRenewHistory: true).Should().BeFalse("it is there again");
        File.Delete(PathOf("a"));
        _set.Dispose();
        using var other = new DatabaseSet(_folder.FullName, new());
        other.Invoking(s => s.Open(0, mayRenewHistory: true)).Should().Throw<StorageFailedException>("it is users' data").WithMessage("*is gone*");
    }

    [Fact]
    public void A_file_that_is_gone_is_damage()
    {
        Create("a");
        _set.Dispose();
        File.Delete(PathOf("a"));
        using var set = new DatabaseSet(_folder.FullName, new());
        set.Invoking(s => s.Open(0)).Should().Throw<StorageFailedException>().Where(e => e.IsDamage).WithMessage("*is gone*");
    }

    [Fact]
    public async Task Hundreds_of_databases_work_with_few_open_files()
    {
        for (var i = 0; i < 100; i++)
        {
            Create($"d{i}");
            Do($"d{i}", "CREATE TABLE t(a)", $"INSERT INTO t VALUES ({i})");
        }

        for (var i = 0; i < 100; i++)
        {
            (await ReadAsync($"d{i}", "SELECT min(a) FROM t WHERE a <> 777")).Should().Be(i);
            Do($"d{99 - i}", "INSERT INTO t VALUES (777)");
        }

        CountOpenFiles().Should().BeLessThan(8 * 10);
        _set.Checkpoint().Should().Be(_set.AppliedIndex);
        _set.Dispose();
        _set = Open();
        _set.AppliedIndex.Should().BeGreaterThan(300);
        (await ReadAsync("d5", "SELECT count(*) FROM t")).Should().Be(2);
    }

    [Fact]
    public async Task Hundreds_of_databases_are_read_with_few_open_files_though_nobody_writes()
    {
        for (var i = 0; i < 100; i++)
        {
            Create($"d{i}");
            Do($"d{i}", "CREATE TABLE t(a)", $"INSERT INTO t VALUES ({i})");
        }

        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 100; i++)
            {
                (await ReadAsync($"d{i}", "SELECT min(a) FROM t")).Should().Be(i);
            }
        }

        CountOpenFiles().Should().BeLessThan(8 * 10);
        Do("d7", "INSERT INTO t VALUES (777)");
        (await ReadAsync("d7", "SELECT max(a) FROM t")).Should().Be(777);
        _set.Checkpoint().Should().Be(_set.AppliedIndex);
    }

    [Fact]
    public void A_file_changed_while_it_is_closed_is_damage()
    {
        for (var i = 0; i < 20; i++)
        {
            Create($"d{i}");
            Do($"d{i}", "CREATE TABLE t(a)");
        }

        using (var connection = new SqliteConnection($"Data Source={PathOf("d0")};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "INSERT INTO t VALUES (1)";
            command.ExecuteNonQuery();
        }

        this.Invoking(_ => Do("d0", "INSERT INTO t VALUES (2)")).Should().Throw<StorageFailedException>().Where(e => e.IsDamage);
    }

    [Fact]
    public void Files_that_are_closed_can_be_pinned_and_are_then_still_the_ones_that_were_written()
    {
        for (var i = 0; i < 20; i++)
        {
            Create($"d{i}");
            Do($"d{i}", "CREATE TABLE t(a)");
        }

        using (var pin = _set.Pin()!)
        {
            pin.Digest(default).Should().OnlyContain(d => d.Damage == null);
        }

        Do("d0", "INSERT INTO t VALUES (1)");
        Rows("d0").Should().Be(1);
    }

    [Fact]
    public async Task Whoever_reads_a_database_that_is_dropped_goes_on_and_the_next_finds_none()
    {
        Create("a");
        Do("a", "CREATE TABLE t(a)", "INSERT INTO t VALUES (5)");
        using (var lease = await _set.LeaseAsync("a", default))
        {
            var (query, _) = (lease!.Readers, 0);
            (await query.QueryAsync(TestDatabase.Sql("SELECT a FROM t"), new(Timeout.InfiniteTimeSpan), default)).Should().BeOfType<ReadOutcome.RowsRead>();
            lease.IsOver.Should().BeFalse();
            Drop("a");
            lease.IsOver.Should().BeTrue();
            await query.Awaiting(q => q.QueryAsync(TestDatabase.Sql("SELECT a FROM t"), new(Timeout.InfiniteTimeSpan), default))
                .Should().ThrowAsync<ObjectDisposedException>("whoever comes late must not open what takes its place");
        }

        (await _set.LeaseAsync("a", default)).Should().BeNull();
    }

    [Fact]
    public async Task Dropping_a_database_waits_for_no_query_and_whoever_reads_it_is_told()
    {
        const string Endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0";
        const string Many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000) SELECT n FROM c";
        Create("a");
        using var lease = (await _set.LeaseAsync("a", default))!;
        var begun = (await Query(Many)).Should().BeOfType<ReadOutcome.RowsBegun>().Subject;
        Task<ReadOutcome>[] running = [Query(Endless), Query(Endless), Query(Endless)];
        while ((await lease.Readers.QueryAsync(TestDatabase.Sql("SELECT 1"), new(TimeSpan.FromMilliseconds(1)), default)) is not ReadOutcome.Failed
            { Failure.Code: FailureCode.Overloaded })
        {
            // Until all queries have begun, there is a reader left.
        }

        var waiting = Query("SELECT 1");
        var dropping = Task.Run(() => Drop("a"));
        (await Task.WhenAll([.. running, waiting])).Should().OnlyContain(o => o is ReadOutcome.Failed && ((ReadOutcome.Failed)o).Failure == ReadPool.Dropped);
        using (begun.Rest)
        {
            begun.Rest.Stopped.WaitHandle.WaitOne(TimeSpan.FromSeconds(60)).Should().BeTrue();
            begun.Rest.Next().Failure.Should().Be(ReadPool.Dropped);
        }

        await dropping.WaitAsync(TimeSpan.FromSeconds(60));
        _folder.GetFiles("a.*").Should().BeEmpty();

        Task<ReadOutcome> Query(string sql) =>
            Task.Run(() => lease.Readers.QueryAsync(TestDatabase.Sql(sql), new(Timeout.InfiniteTimeSpan), default));
    }

    [Fact]
    public void A_key_stands_for_one_write_whatever_its_database()
    {
        Create("a");
        Do("a", "CREATE TABLE t(a)");
        Do("main", "CREATE TABLE t(a)");
        Once("a", "INSERT INTO t VALUES (1) RETURNING a", "k").Should().BeOfType<WriteOutcome.Succeeded>();
        var again = Once("a", "INSERT INTO t VALUES (1) RETURNING a", "k").Should().BeOfType<WriteOutcome.Remembered>().Subject;
        again.Results.Single().Rows!.Rows.Single()[0].Should().Be(SqlValue.From(1));
        Once("main", "INSERT INTO t VALUES (1) RETURNING a", "k")
            .Should().BeOfType<WriteOutcome.Failed>().Which.Failure.Code.Should().Be(FailureCode.IdReused);
        Rows("a").Should().Be(1);
        Rows("main").Should().Be(0);

        Drop("a");
        Create("a");
        Do("a", "CREATE TABLE t(a)");
        Once("a", "INSERT INTO t VALUES (1) RETURNING a", "k")
            .Should().BeOfType<WriteOutcome.Failed>().Which.Failure.Code.Should().Be(FailureCode.IdReused);
    }

    [Fact]
    public void An_operation_with_a_key_is_done_once()
    {
        var create = new WriteCommand { Operation = new CreateDatabaseOperation("a", false), IdempotencyKey = "k" };
        Once(create).Should().BeOfType<WriteOutcome.Succeeded>();
        Once(create).Should().BeOfType<WriteOutcome.Remembered>();
        Once(create with { Operation = new CreateDatabaseOperation("b", false) })
            .Should().BeOfType<WriteOutcome.Failed>().Which.Failure.Code.Should().Be(FailureCode.IdReused);
    }

    [Fact]
    public void The_content_is_pinned_at_one_entry_and_can_be_copied()
    {
        Create("a");
        Do("a", "CREATE TABLE t(a)", "INSERT INTO t VALUES (1)");
        using var pin = _set.Pin()!;
        var wanted = Digests();
        Do("a", "INSERT INTO t VALUES (2)");
        Drop("a");
        pin.Index.Should().Be(_set.AppliedIndex - 2);
        using var copy = new DatabaseSet(_folder.CreateSubdirectory("copy").FullName, new());
        pin.CopyTo(copy.Folder);
        copy.Open(pin.Index);
        copy.AppliedIndex.Should().Be(pin.Index);
        using var copied = copy.Pin()!;
        copied.Digest(default).Select(Content).Should().Equal(wanted);
    }

    [Fact]
    public async Task Files_are_closed_where_they_take_too_many_handles_however_few_they_are()
    {
        _set.Dispose();
        _set = new(_folder.FullName, new() { OpenDatabasesMax = 1000, FileHandlesMax = 150 });
        _set.Open(0);
        for (var i = 0; i < 60; i++)
        {
            Create($"d{i}");
            Do($"d{i}", "CREATE TABLE t(a)", $"INSERT INTO t VALUES ({i})");
            (await ReadAsync($"d{i / 2}", "SELECT min(a) FROM t")).Should().Be(i / 2);
        }

        CountOpenFiles().Should().BeLessThan(200);
        _set.OpenCount.Should().BeInRange(DatabaseOptions.OpenDatabasesMin, 50);
    }

    [Fact]
    public void What_a_process_may_open_is_known()
    {
        var line = File.ReadLines("/proc/self/limits").Single(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        LibC.FindHandlesMax().Should().Be(long.Parse(line[26..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));
    }

    private DatabaseSet Open(long confirmedIndex = 0)
    {
        var set = new DatabaseSet(_folder.FullName, new() { OpenDatabasesMax = 8, ReaderCount = 4 });
        set.Open(confirmedIndex);
        return set;
    }

    private int CountOpenFiles() =>
        Directory.GetFiles("/proc/self/fd").Count(f => new FileInfo(f).LinkTarget is { } t && t.StartsWith(_folder.FullName, StringComparison.Ordinal));

    private string PathOf(string name) => Path.Combine(_folder.FullName, name + ".db");

    private EntryStamp NextStamp() => new(_set.AppliedIndex + 1, TestDatabase.StartMs + _set.AppliedIndex, (ulong)_set.AppliedIndex * 31);

    private WriteCommand Command(string database, string sql, string? key = null) =>
        new() { Id = new(0, 1, ++_sequence), Database = database, Statements = [TestDatabase.Sql(sql)], IdempotencyKey = key };

    private WriteOutcome Execute(string database, string sql) =>
        _set.Execute(Command(database, sql), 0, new(MaySchema: true), Timeout.InfiniteTimeSpan);

    private WriteOutcome Execute(Operation operation) =>
        _set.Execute(new() { Operation = operation }, 0, new(MaySchema: true), Timeout.InfiniteTimeSpan);

    private WriteOutcome Once(string database, string sql, string key) => Once(Command(database, sql, key));

    private WriteOutcome Once(WriteCommand command, bool maySchema = true)
    {
        _set.Begin(NextStamp());
        var outcome = _set.Execute(command, 0, new(maySchema), Timeout.InfiniteTimeSpan);
        if (outcome is WriteOutcome.Succeeded)
        {
            _set.Commit();
        }
        else
        {
            _set.Rollback();
        }

        return outcome;
    }

    private void Do(string database, params string[] statements)
    {
        foreach (var sql in statements)
        {
            Once(Command(database, sql)).Should().BeOfType<WriteOutcome.Succeeded>(because: sql);
        }
    }

    private Failure Fail(string database, string sql) =>
        Once(Command(database, sql)).Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;

    private Failure FailOperation(Operation operation, bool maySchema = true) =>
        Once(new() { Operation = operation }, maySchema).Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;

    private void Perform(Operation operation) => Once(new() { Operation = operation }).Should().BeOfType<WriteOutcome.Succeeded>();

    private void Create(string name) => LogOperation(new CreateDatabaseOperation(name, false));

    private void Drop(string name) => LogOperation(new DropDatabaseOperation(name, false));

    private void LogOperation(Operation operation) => Log(new() { Operation = operation });

    private void Log(string database, string sql, string? key = null) => Log(Command(database, sql, key));

    /// <summary>Executes a write as the leader does, and keeps its entry.</summary>
    private void Log(WriteCommand command)
    {
        var stamp = NextStamp();
        var outcome = Once(command).Should().BeOfType<WriteOutcome.Succeeded>().Subject;
        _log.Add((stamp, new(stamp.TimeMs, stamp.Seed, [new(command, outcome.Observation)])));
    }

    /// <summary>Applies what the log has behind the place where the files are.</summary>
    private void Replay()
    {
        foreach (var (stamp, batch) in _log.Where(e => e.Stamp.Index > _set.AppliedIndex).ToList())
        {
            _set.Begin(stamp);
            _set.Replay(batch.Writes[0], 0, collectRows: false);
            _set.Commit();
        }
    }

    private (long Index, Dictionary<string, byte[]> Files) Save()
    {
        _set.Checkpoint().Should().Be(_set.AppliedIndex);
        return (_set.AppliedIndex, _set.Names.ToDictionary(n => n, n => File.ReadAllBytes(PathOf(n))));
    }

    /// <summary>Files that were not there before are gone.</summary>
    private void Restore((long Index, Dictionary<string, byte[]> Files) saved, string[] names)
    {
        foreach (var name in names)
        {
            DatabaseFile.Delete(PathOf(name));
            if (saved.Files.TryGetValue(name, out var content))
            {
                File.WriteAllBytes(PathOf(name), content);
            }
        }
    }

    private string[] Digests()
    {
        using var pin = _set.Pin()!;
        return [.. pin.Digest(default).Select(Content)];
    }

    private static string Content(DatabaseDigest digest) =>
        $"{digest.Database} {digest.Damage} {string.Join(", ", digest.Tables.Select(t => $"{t.Name} {t.RowCount} {t.Hash}"))}";

    private long Rows(string database) => ReadAsync(database, "SELECT count(*) FROM t").GetAwaiter().GetResult();

    private long Index(string database) => DatabaseFileIndex(PathOf(database));

    private static long DatabaseFileIndex(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT applied_index FROM _distdb_state";
        return (long)command.ExecuteScalar()!;
    }

    private async Task<long> ReadAsync(string database, string sql)
    {
        using var lease = await _set.LeaseAsync(database, default);
        var outcome = await lease!.Readers.QueryAsync(TestDatabase.Sql(sql), new(Timeout.InfiniteTimeSpan), default);
        return outcome.Should().BeOfType<ReadOutcome.RowsRead>().Subject.Rows.Rows.Single()[0].Integer;
    }
}
