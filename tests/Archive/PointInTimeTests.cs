using System.Globalization;
using DistDb.Node.Archive;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Tests.Database;
using DistDb.Tests.Support;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Archive;

/// <summary>Databases as they were: rebuilt from a backup and archived entries, they are what the node had at that entry.</summary>
public sealed class PointInTimeTests : IDisposable
{
    private static readonly Guid _cluster = Guid.NewGuid();

    private readonly DirectoryInfo _place = Directory.CreateTempSubdirectory("distdb-point-in-time-");
    private readonly ListLog _log = new();
    private readonly Dictionary<long, ulong> _overruled = [];
    private readonly DatabaseSet _set;
    private readonly LogArchiver _archiver;
    private long _timeMs = TestDatabase.StartMs;
    private int _made;

    public PointInTimeTests()
    {
        _set = new(Place("databases"), new());
        _set.Open(0);
        _archiver = OpenArchive("archive");
        _log.Add(EntryKind.Command, LogCommandCodec.Encode(new BootstrapCommand(_cluster)));
        _set.Begin(new(1, 0, 0));
        _set.SetClusterId(_cluster);
        _set.Commit();
    }

    public void Dispose()
    {
        _archiver.Dispose();
        _set.Dispose();
        _place.Delete(recursive: true);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_database_is_what_it_was_at_any_entry(int seed)
    {
        var random = new Random(seed);
        string[] names = ["main", "a", "b"];
        Operate(new CreateDatabaseOperation("a", false));
        Operate(new CreateDatabaseOperation("b", false, ForeignKeys: false));
        var workloads = names.ToDictionary(n => n, n => new Workload(seed + n.Length + n[0]).Writes().GetEnumerator());
        List<(string Name, string Path, long Index)> points = [];
        while (_set.AppliedIndex < 500)
        {
            _timeMs += random.Next(3);
            List<WriteCommand> writes = [];
            for (var i = random.Next(1, 4); i > 0; i--)
            {
                var name = names[random.Next(names.Length)];
                workloads[name].MoveNext();
                writes.Add(workloads[name].Current with { Database = name });
            }

            Write([.. writes]);
            if (random.Next(40) == 0)
            {
                Skip();
            }

            if (random.Next(100) == 0)
            {
                _archiver.Sweep(isLast: true);
            }

            if (random.Next(50) == 0)
            {
                points.AddRange(names.Select(n => (n, BackUp(n), _set.AppliedIndex)));
            }
        }

        _archiver.Sweep(isLast: true);
        points.Count.Should().BeGreaterThan(9);
        foreach (var name in names)
        {
            var own = points.Where(p => p.Name == name).ToList();
            foreach (var point in own.Skip(1))
            {
                // From the oldest backup, and from one in between.
                foreach (var backup in (HashSet<string>)[own[0].Path, own[random.Next(own.IndexOf(point) + 1)].Path])
                {
                    var (path, result) = Rebuild(backup, PointInTimeTarget.At(point.Index));
                    result.Index.Should().Be(point.Index);
                    Content(path).Should().Be(Content(point.Path), $"{name} at {point.Index} from {backup}");
                    BackupFile.Describe(path).Should().Be(BackupFile.Describe(point.Path));
                    ForeignFile.Prepare(path, result.ForeignKeys, default).Should().BeNull("it can be restored");
                }
            }
        }
    }

    [Fact]
    public void A_point_is_an_entry_or_a_time_or_the_last_entry()
    {
        Sql("main", "CREATE TABLE t(a, at DEFAULT CURRENT_TIMESTAMP)");
        var backup = BackUp("main");
        for (var i = 1; i <= 5; i++)
        {
            _timeMs += 1000;
            Sql("main", $"INSERT INTO t(a) VALUES ({i})");
            Sql("main", $"INSERT INTO t(a) VALUES ({i})");
            Skip();
        }

        var last = _set.AppliedTimeMs;
        _archiver.Sweep(isLast: true);
        Rows(Rebuild(backup, PointInTimeTarget.Last).Path).Should().Be(10);
        Rows(Rebuild(backup, AtMs(last)).Path).Should().Be(10);
        Rows(Rebuild(backup, AtMs(last - 1)).Path).Should().Be(8);
        Rows(Rebuild(backup, AtMs(last - 1000)).Path).Should().Be(8, "entries of that very time are in it");
        Rows(Rebuild(backup, PointInTimeTarget.At(4)).Path).Should().Be(2);
        var (path, result) = Rebuild(backup, PointInTimeTarget.At(3));
        Rows(path).Should().Be(1);
        result.Should().Be(new PointInTimeResult("main", 3, last - 4000, 2, 1, true, false));
        Rows(Rebuild(backup, PointInTimeTarget.At(2)).Path).Should().Be(0, "that is the backup itself");
        Rows(Rebuild(path, PointInTimeTarget.At(4)).Path).Should().Be(2, "what was rebuilt is a backup, too");
        if (!OperatingSystem.IsWindows())
        {
            Directory.GetFileSystemEntries(Place("made"), ".*").Should().BeEmpty();
        }

        Refusal(backup, PointInTimeTarget.At(1)).Should().Be($"The backup is of entry 2 of {Time(last - 5000)}, and entry 1 is before that. Take an older backup.");
        Refusal(backup, AtMs(last - 5001)).Should().Contain("is before that");
        Refusal(backup, PointInTimeTarget.At(18)).Should().StartWith($"The archive ends at entry 17 of {Time(last)}, and entry 18 is behind that");
        Refusal(backup, AtMs(last + 1)).Should().StartWith($"The archive ends at entry 17 of {Time(last)}, and {Time(last + 1)} is behind that");
    }

    [Fact]
    public void A_database_that_was_dropped_can_be_had_as_it_was_before_and_as_the_next_of_its_name()
    {
        Operate(new CreateDatabaseOperation("a", false, ForeignKeys: false));
        Sql("a", "CREATE TABLE t(a)");
        var backup = BackUp("a");
        Sql("a", "INSERT INTO t VALUES (1)");
        Operate(new CreateDatabaseOperation("a", IfNotExists: true));
        var before = _set.AppliedIndex;
        Operate(new DropDatabaseOperation("a", false));
        Sql("main", "CREATE TABLE t(a)");
        var without = _set.AppliedIndex;
        Operate(new CreateDatabaseOperation("a", false));
        Sql("a", "CREATE TABLE t(a)");
        _archiver.Sweep(isLast: true);

        Rows(Rebuild(backup, PointInTimeTarget.At(before)).Path).Should().Be(1);
        Refusal(backup, PointInTimeTarget.At(without)).Should().Be(
            $"At entry {without} there was no database \"a\": entry {before + 1} dropped it. To have it as it was before that, ask for entry {before}.");
        var (path, result) = Rebuild(backup, PointInTimeTarget.Last);
        Rows(path).Should().Be(0);
        (result.ForeignKeys, BackupFile.Describe(path)!.ForeignKeys).Should().Be((true, true));
    }

    [Theory]
    [InlineData("main")]
    [InlineData("a")]
    public void Files_that_became_the_content_are_followed(string name)
    {
        Operate(new CreateDatabaseOperation("a", false));
        Sql(name, "CREATE TABLE t(a)");
        var early = BackUp(name);
        var load = Stage(name, "CREATE TABLE t(a, b DEFAULT (random())); CREATE INDEX i ON t(a); INSERT INTO t(a) VALUES (1), (2)");
        var amid = BackUp(name);
        var other = Stage("a", "CREATE TABLE other(a)");
        Sql(name, "INSERT INTO t VALUES (1)");
        var before = _set.AppliedIndex;
        Operate(load);
        Sql(name, "INSERT INTO t(a) SELECT a + 2 FROM t");
        var after = _set.AppliedIndex;
        var wanted = Content(BackUp(name));
        Operate(other with { Name = "main" == name ? "a" : "b" });
        _archiver.Sweep(isLast: true);

        Rows(Rebuild(early, PointInTimeTarget.At(before)).Path).Should().Be(1);
        Content(Rebuild(early, PointInTimeTarget.At(after)).Path).Should().Be(wanted);
        Content(Rebuild(amid, PointInTimeTarget.Last).Path).Should().Be(wanted, "the pieces of the file are further back in the archive");

        using var late = OpenArchive("late", BackupFile.Describe(amid)!.Index);
        late.Sweep();
        late.Sweep(isLast: true);
        Refusal(amid, PointInTimeTarget.Last, "late").Should().StartWith($"Entry {before + 1} made a file the content of \"{name}\", and the archive does not have all of that file");
        Rows(Rebuild(amid, PointInTimeTarget.At(before), "late").Path).Should().Be(1);
    }

    [Fact]
    public void What_is_missing_in_one_archive_may_be_in_another()
    {
        Sql("main", "CREATE TABLE t(a)");
        var backup = BackUp("main");
        for (var i = 0; i < 10; i++)
        {
            Sql("main", $"INSERT INTO t VALUES ({i})");
            _archiver.Sweep(isLast: true);
        }

        using var other = OpenArchive("other", 5, node: 3);
        other.Sweep();
        other.Sweep(isLast: true);
        foreach (var piece in ArchivedPiece.List(Place("archive")).Where(p => p.First.Value is 6 or 7 or 9))
        {
            File.Delete(piece.Path);
        }

        Refusal(backup, PointInTimeTarget.Last).Should().StartWith("The archive lacks the entries 6 to 7. ").And.Contain("What is there reaches entry 5 of ");
        Rows(Rebuild(backup, PointInTimeTarget.At(5)).Path).Should().Be(3);
        Refusal(backup, PointInTimeTarget.Last, "other").Should().StartWith("The archive lacks the entries 3 to 5. ");
        Rows(Rebuild(backup, PointInTimeTarget.Last, "other", "archive").Path).Should().Be(10);
    }

    [Fact]
    public void An_entry_that_a_majority_overruled_is_done_as_they_had_it()
    {
        Sql("main", "CREATE TABLE t(a UNIQUE)");
        var backup = BackUp("main");
        Sql("main", "INSERT INTO t VALUES (1)");
        Record(new(2, 0), Command("main", "INSERT INTO t VALUES (2)"), overruled: 77);
        Record(new(1, 9), Command("main", "INSERT INTO t VALUES (1)"), overruled: 78);
        Record(new(1, 3), Command("main", "INSERT OR ROLLBACK INTO t VALUES (1)"), overruled: 79);
        var told = _log.LastIndex.Value;
        _archiver.Sweep(isLast: true);
        Rows(Rebuild(backup, PointInTimeTarget.At(told)).Path).Should().Be(2);

        Record(new(2, 0), Command("main", "INSERT INTO t VALUES (3)"), overruled: null);
        _archiver.Sweep(isLast: true);
        Refusal(backup, PointInTimeTarget.Last).Should().StartWith($"Entry {told + 1} does something else here than in the cluster").And.Contain($"Points up to entry {told} can be had.");
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Sql("main", "CREATE TABLE t(a)");
        var backup = BackUp("main");
        _archiver.Sweep(isLast: true);
        var text = Path.Combine(Place("made"), "text");
        File.WriteAllText(text, new string('x', 5000));
        Refusal(text, PointInTimeTarget.Last).Should().Contain("does not say which entry");
        Refusal(Path.Combine(Place("made"), "nothing"), PointInTimeTarget.Last).Should().StartWith("There is no file");
        Refusal(_set.MainPath, PointInTimeTarget.Last).Should().Contain("Give a backup of one database that distdb made");
        Refusal(backup, PointInTimeTarget.Last, "empty").Should().StartWith("There are no pieces of a log");
        FluentActions.Invoking(() => PointInTime.Rebuild(backup, [Place("archive")], PointInTimeTarget.Last, backup, null, default)).Should().Throw<PointInTimeException>().WithMessage("There is a file*");
        Refusal(BackUp("main", Guid.NewGuid()), PointInTimeTarget.Last).Should().StartWith("The backup is of the cluster").And.Contain(_cluster.ToString());
        FluentActions.Invoking(() => PointInTime.Rebuild(backup, [Path.Combine(_place.FullName, "none")], PointInTimeTarget.Last, text + "2", null, default)).Should().Throw<PointInTimeException>().WithMessage("The archive * cannot be read*");
    }

    private string Place(string name) => _place.CreateSubdirectory(name).FullName;

    private LogArchiver OpenArchive(string folder, long from = 0, int node = 0)
    {
        var log = _log;
        if (from > 0)
        {
            log = new ListLog();
            log.CutTo(new(from));
            foreach (var entry in _log.Read(new(from + 1), _log.LastIndex, int.MaxValue))
            {
                log.Add(entry.Kind, entry.Data.ToArray());
            }
        }

        return new(
            new(Place(folder), TimeSpan.FromHours(1)) { PieceBytesMax = 20_000 }, new(node), log, () => log.LastIndex, () => _cluster,
            i => _overruled.TryGetValue(i.Value, out var o) ? o : null, new ManualTime());
    }

    private static PointInTimeTarget AtMs(long timeMs) => PointInTimeTarget.At(DateTimeOffset.FromUnixTimeMilliseconds(timeMs));

    private static string Time(long timeMs) => DateTimeOffset.FromUnixTimeMilliseconds(timeMs).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static WriteCommand Command(string database, string sql) => new() { Database = database, Statements = [TestDatabase.Sql(sql)] };

    private void Sql(string database, string sql) => Write(Command(database, sql)).Should().Be(1, sql);

    private void Operate(Operation operation) => Write(new WriteCommand { Operation = operation }).Should().Be(1);

    /// <summary>Executes writes as the leader does, and logs those that succeed as one entry. Nothing, where SQLite rolled them back.</summary>
    /// <returns>How many succeeded.</returns>
    private int Write(params WriteCommand[] commands)
    {
        var stamp = new EntryStamp(_set.AppliedIndex + 1, _timeMs, ((ulong)_timeMs * 31) + (ulong)_set.AppliedIndex);
        _set.Begin(stamp);
        List<LoggedWrite> done = [];
        foreach (var command in commands)
        {
            if (_set.Execute(command, done.Count, new(MaySchema: true), Timeout.InfiniteTimeSpan) is WriteOutcome.Succeeded succeeded)
            {
                done.Add(new(command, succeeded.Observation));
            }

            if (_set.TransactionLost)
            {
                _set.Rollback();
                return 0;
            }
        }

        if (done.Count == 0)
        {
            _set.Rollback();
            return 0;
        }

        var batch = new WriteBatch(stamp.TimeMs, stamp.Seed, done);
        _set.Commit(batch);
        _log.Add(EntryKind.Command, LogCommandCodec.Encode(batch));
        return done.Count;
    }

    /// <summary>Logs a write with what its leader is said to have observed; the databases do not see it.</summary>
    private void Record(WriteObservation observation, WriteCommand command, ulong? overruled)
    {
        _log.Add(EntryKind.Command, LogCommandCodec.Encode(new WriteBatch(_timeMs, 1, [new(command, observation)])));
        if (overruled is { } digest)
        {
            _overruled[_log.LastIndex.Value] = digest;
        }
    }

    /// <summary>An entry without writes.</summary>
    private void Skip()
    {
        _log.Add(EntryKind.NoOp, []);
        _set.Begin(new(_set.AppliedIndex + 1, _set.AppliedTimeMs, 0));
        _set.Commit();
    }

    /// <summary>Writes a SQLite file into a staging database.</summary>
    private LoadDatabaseOperation Stage(string target, string sql)
    {
        var path = Path.Combine(Place("made"), $"file-{++_made}");
        using (var connection = new SqliteConnection($"Data Source={path};Pooling=False"))
        {
            connection.Open();
            PlainSqlite.Run(connection, sql);
        }

        ForeignFile.Prepare(path, foreignKeys: true, default).Should().BeNull();
        var content = File.ReadAllBytes(path);
        var staging = DatabaseName.StagingOf(Guid.NewGuid());
        Operate(new CreateDatabaseOperation(staging, false));
        Write(new WriteCommand { Database = staging, Statements = [StagedFile.Create] });
        foreach (var (number, piece) in content.Chunk(5000).Index())
        {
            Write(new WriteCommand { Database = staging, Statements = [StagedFile.Insert(number, piece)] });
        }

        return new(target, staging, content.Length, Replaces: true, ForeignKeys: true);
    }

    private string BackUp(string name, Guid? cluster = null)
    {
        var path = Path.Combine(Place("made"), $"backup-{++_made}.db");
        using (var pin = _set.Pin([name])!)
        {
            pin.Databases.Single().CopyTo(path + ".copy");
            BackupFile.Write(path + ".copy", path, new(name, pin.Index, pin.TimeMs, cluster ?? _cluster, _set.HasForeignKeys(name)));
        }

        return path;
    }

    private (string Path, PointInTimeResult Result) Rebuild(string backup, PointInTimeTarget target, params string[] archives)
    {
        var path = Path.Combine(Place("made"), $"rebuilt-{++_made}.db");
        var result = PointInTime.Rebuild(backup, [.. (archives.Length == 0 ? ["archive"] : archives).Select(Place)], target, path, null, default);
        return (path, result);
    }

    private string Refusal(string backup, PointInTimeTarget target, params string[] archives)
    {
        var before = Directory.GetFileSystemEntries(Place("made"));
        var refusal = FluentActions.Invoking(() => Rebuild(backup, target, archives)).Should().Throw<PointInTimeException>().Which.Message;
        Directory.GetFileSystemEntries(Place("made")).Should().BeEquivalentTo(before);
        return refusal;
    }

    private static long Rows(string path) => (long)Scalar(path, "SELECT count(*) FROM t");

    /// <summary>All that users have in a file. The planner's statistics without the rows' numbers: those of the cluster's own tables come between them.</summary>
    private static string Content(string path)
    {
        var copy = path + ".seen";
        File.Copy(path, copy, overwrite: true);
        var statistics = "";
        if ((long)Scalar(copy, "SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'") > 0)
        {
            statistics = Scalar(copy, "SELECT ifnull(group_concat(tbl || ifnull(idx, '') || stat, char(10)), '') FROM (SELECT * FROM sqlite_stat1 ORDER BY tbl, idx)").ToString();
            Scalar(copy, "DELETE FROM sqlite_stat1");
        }

        var hash = ContentHash.Of(copy);
        File.Delete(copy);
        return hash + statistics;
    }

    private static object Scalar(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() ?? "";
    }
}
