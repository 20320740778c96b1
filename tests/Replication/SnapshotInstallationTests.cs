using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Storage;

namespace DistDb.Tests.Replication;

/// <summary>An installation that a crash interrupts at each of its steps; the next start must find the database and the log at one place.</summary>
public sealed class SnapshotInstallationTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("distdb-install-");
    private readonly NodeFolder _folder;
    private readonly ReceivedSnapshot _snapshot;
    private RaftStorage _log;

    public SnapshotInstallationTests()
    {
        SqliteLibrary.Initialize();
        _folder = new(_data.FullName, new(0));
        _log = RaftStorage.Open(_folder.RaftLogPath, _folder.Node, new());
        _log.Append(new(new(2), null), [.. Enumerable.Range(1, 8).Select(i => new Entry(new(i), new(1), EntryKind.Command, new byte[10]))]);
        CreateDatabase(DatabasePath, 3);
        _snapshot = new(Path.Combine(_folder.SnapshotPath, "incoming-1"), new(6), new(2)) { Membership = Membership.OfVoters([new(0)]) };
        Directory.CreateDirectory(_snapshot.Folder);
        CreateDatabase(_snapshot.MainPath, 6);
    }

    private string DatabasePath => _folder.DatabasePath("main");

    public void Dispose()
    {
        _log.Dispose();
        _data.Delete(recursive: true);
    }

    [Fact]
    public void Before_it_begins_nothing_happens()
    {
        Restart().Should().BeFalse();
        Place().Should().Be((3L, 0L, 8L));
        Directory.Exists(_snapshot.Folder).Should().BeTrue("it may still be of use");
    }

    [Theory]
    [InlineData(0)] // the marker stands
    [InlineData(1)] // the old databases are out of the way
    [InlineData(2)] // the databases are replaced
    [InlineData(3)] // the log begins behind the snapshot
    public void Once_begun_it_is_finished(int steps)
    {
        SnapshotInstallation.Begin(_folder, _snapshot);
        if (steps == 1)
        {
            Array.ForEach(Directory.GetFiles(_folder.DatabasesPath), File.Delete);
        }

        if (steps >= 2)
        {
            DatabaseFile.ReplaceFolder(_folder.DatabasesPath, _snapshot.Folder);
        }

        if (steps >= 3)
        {
            _log.InstallBase(_snapshot.Index, _snapshot.Term, _snapshot.Membership);
        }

        Restart().Should().BeTrue();
        Place().Should().Be((6L, 6L, 6L));
        Directory.GetFileSystemEntries(_folder.SnapshotPath).Should().BeEmpty();
        Restart().Should().BeFalse();
        Place().Should().Be((6L, 6L, 6L));
    }

    [Fact]
    public void A_marker_that_outlived_its_installation_takes_nothing_back()
    {
        SnapshotInstallation.Begin(_folder, _snapshot);
        DatabaseFile.ReplaceFolder(_folder.DatabasesPath, _snapshot.Folder);
        _log.InstallBase(_snapshot.Index, _snapshot.Term, _snapshot.Membership);
        _log.Append(null, [.. Enumerable.Range(7, 4).Select(i => new Entry(new(i), new(2), EntryKind.Command, new byte[10]))]);
        AdvanceDatabase(DatabasePath, 9);
        _log.Trim(new(8), 0, long.MaxValue);

        Restart();

        Place().Should().Be((9L, 8L, 10L));
    }

    private static void CreateDatabase(string path, long index) => AdvanceDatabase(path, index);

    private static void AdvanceDatabase(string path, long index)
    {
        using var database = DatabaseWriter.Open(path, new());
        while (database.AppliedIndex < index)
        {
            database.Begin(new(database.AppliedIndex + 1, 0, 0));
            database.SetClusterId(Guid.NewGuid());
            database.Commit();
        }
    }

    /// <summary>Whether there was an installation to finish.</summary>
    private bool Restart()
    {
        _log.Dispose();
        _log = RaftStorage.Open(_folder.RaftLogPath, _folder.Node, new());
        return SnapshotInstallation.Recover(_folder, _log);
    }

    /// <summary>Where the database is, and from where to where the log reaches.</summary>
    private (long Database, long LogBase, long LogLast) Place()
    {
        using var database = DatabaseWriter.Open(DatabasePath, new());
        return (database.AppliedIndex, _log.BaseIndex.Value, _log.LastIndex.Value);
    }
}
