using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Recovery;
using DistDb.Node.Storage;

namespace DistDb.Tests.Recovery;

/// <summary>Setting a node's files aside.</summary>
public sealed class QuarantineTests : IDisposable
{
    private static readonly DateTimeOffset _now = new(2031, 5, 6, 7, 8, 9, TimeSpan.FromHours(2));
    private static readonly string[] _names =
        ["databases/main.db", "databases/main.db-wal", "databases/other.db", "raft.db", "raft.db-shm", "raft.db-wal", "snapshots/incoming-1.db", "snapshots/installing"];

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("distdb-quarantine-");
    private readonly NodeFolder _folder;

    public QuarantineTests()
    {
        SqliteLibrary.Initialize();
        _folder = new(_data.FullName, new(3));
    }

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public void Everything_moves_to_a_folder_named_by_the_time_and_nothing_is_lost()
    {
        WriteFiles();
        var target = Quarantine.SetAside(_folder, _now);
        target.Should().Be(Path.Combine(_folder.Path, "quarantine", "2031-05-06T050809.000Z"));
        Contents(target!).Should().Equal(_names.ToDictionary(n => n, n => n));
        RemainingFiles().Should().BeEmpty();
        Quarantine.IsUnfinished(_folder).Should().BeFalse();
        new NodeFolder(_data.FullName, new(3)).Path.Should().Be(_folder.Path);
    }

    [Fact]
    public void Copies_that_were_on_their_way_go_with_the_rest_and_leave_no_folder()
    {
        WriteFiles();
        var copy = Directory.CreateDirectory(Path.Combine(_folder.Path, "snapshots", "incoming-ab12"));
        File.WriteAllText(Path.Combine(copy.FullName, "main.db"), "half a copy");
        Directory.CreateDirectory(Path.Combine(_folder.Path, "snapshots", "outgoing-34"));
        var target = Quarantine.SetAside(_folder, _now);
        File.ReadAllText(Path.Combine(target!, "snapshots", "incoming-ab12", "main.db")).Should().Be("half a copy");
        Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Path, "snapshots")).Should().BeEmpty();
    }

    [Fact]
    public void Where_there_is_nothing_nothing_happens()
    {
        Quarantine.SetAside(_folder, _now).Should().BeNull();
        Directory.Exists(Path.Combine(_folder.Path, "quarantine")).Should().BeFalse();
    }

    [Fact]
    public void A_second_time_gets_a_folder_of_its_own()
    {
        WriteFiles();
        var first = Quarantine.SetAside(_folder, _now);
        File.WriteAllText(_folder.RaftLogPath, "newer");
        var second = Quarantine.SetAside(_folder, _now.AddMilliseconds(1));
        second.Should().NotBe(first);
        Contents(second!).Should().Equal(new Dictionary<string, string> { ["raft.db"] = "newer" });
        Contents(first!).Should().HaveCount(_names.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(8)]
    public void What_was_interrupted_is_finished_in_the_same_folder(int moved)
    {
        // As a crash leaves it after so many moves.
        WriteFiles();
        var target = Path.Combine(_folder.Path, "quarantine", "2031-05-06T050809.000Z");
        Directory.CreateDirectory(Path.Combine(target, "databases"));
        Directory.CreateDirectory(Path.Combine(target, "snapshots"));
        File.WriteAllText(Path.Combine(_folder.Path, "quarantine", "unfinished"), "2031-05-06T050809.000Z\n");
        foreach (var name in _names.Take(moved))
        {
            File.Move(Path.Combine(_folder.Path, name), Path.Combine(target, name));
        }

        Quarantine.IsUnfinished(_folder).Should().BeTrue();
        Quarantine.SetAside(_folder, _now.AddHours(1)).Should().Be(target);
        Contents(target).Should().Equal(_names.ToDictionary(n => n, n => n));
        RemainingFiles().Should().BeEmpty();
        Quarantine.IsUnfinished(_folder).Should().BeFalse();
    }

    [Fact]
    public void A_running_nodes_files_are_left_alone()
    {
        WriteFiles();
        using (NodeLock.Acquire(_folder.Path))
        {
            this.Invoking(_ => Quarantine.SetAside(_folder, _now)).Should().Throw<NodeLockedException>();
        }

        RemainingFiles().Should().HaveCount(_names.Length);
    }

    [Fact]
    public void The_node_that_starts_then_has_an_empty_log_of_another_identity()
    {
        ulong before;
        using (var log = RaftStorage.Open(_folder.RaftLogPath, _folder.Node, new()))
        {
            log.Append(new(new(5), null), [new(new(1), new(5), EntryKind.NoOp, default)]);
            log.Release();
            before = log.LogId;
        }

        Quarantine.SetAside(_folder, _now);
        using var after = RaftStorage.Open(_folder.RaftLogPath, _folder.Node, new());
        after.LogId.Should().NotBe(before);
        (after.LastIndex, after.IsHeldBack, after.HardState).Should().Be((LogIndex.Zero, true, default(HardState)));
    }

    private void WriteFiles()
    {
        foreach (var name in _names)
        {
            File.WriteAllText(Path.Combine(_folder.Path, name), name);
        }

        File.WriteAllText(Path.Combine(_folder.Path, "node.lock"), "1\n");
    }

    private string[] RemainingFiles() =>
        [.. Contents(_folder.Path).Keys.Where(f => !f.StartsWith("quarantine", StringComparison.Ordinal) && f != "node.lock")];

    private static Dictionary<string, string> Contents(string folder) =>
        Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(folder, f))
            .Order(StringComparer.Ordinal)
            .ToDictionary(f => f, f => f == "node.lock" ? "" : File.ReadAllText(Path.Combine(folder, f)));
}
