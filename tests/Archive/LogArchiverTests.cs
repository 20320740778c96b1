using DistDb.Node.Archive;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Tests.Support;

namespace DistDb.Tests.Archive;

/// <summary>Closed pieces of the log in a folder.</summary>
public sealed class LogArchiverTests : IDisposable
{
    private static readonly Guid _cluster = new("11111111-2222-3333-4444-555555555555");
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo _place = Directory.CreateTempSubdirectory("distdb-archive-");
    private readonly ManualTime _time = new();
    private readonly ListLog _log = new();
    private readonly List<string> _told = [];
    private Guid _known = _cluster;
    private LogArchiver _archiver;

    public LogArchiverTests()
    {
        SqliteLibrary.Initialize();
        _archiver = Open();
    }

    private string Folder => Path.Combine(_place.FullName, "archive");

    private string[] Pieces => Directory.Exists(Folder) ? [.. ArchivedPiece.List(Folder).OrderBy(p => p.First).Select(p => $"{p.First}-{p.Last}")] : [];

    public void Dispose()
    {
        _archiver.Dispose();
        _place.Delete(recursive: true);
    }

    [Fact]
    public void A_piece_is_closed_when_its_time_has_come_or_when_it_is_large_enough()
    {
        Add(3);
        _archiver.Sweep();
        Pieces.Should().BeEmpty("it is open");
        _archiver.ArchivedIndex.Should().Be(LogIndex.Zero);
        _time.Advance(_minute / 2);
        Add(2);
        _archiver.Sweep();
        Pieces.Should().BeEmpty();
        _time.Advance(_minute / 2);
        _archiver.Sweep();
        Pieces.Should().Equal("1-5");
        _archiver.ArchivedIndex.Value.Should().Be(5);
        Directory.GetFiles(Folder).Select(Path.GetFileName).Should().Equal("distdb-log-11111111222233334444555555555555-node2-1-5.db");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Folder).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        _time.Advance(_minute);
        _archiver.Sweep();
        Pieces.Should().Equal(["1-5"], "there is nothing for another one");

        Add(25, bytes: 100);
        _archiver.Sweep();
        Pieces.Should().Equal("1-5", "6-15", "16-25");
        _archiver.Sweep(isLast: true);
        Pieces.Should().Equal("1-5", "6-15", "16-25", "26-30");
        ShouldHaveAllFrom(1);
        _told.Should().Equal("began 1");
    }

    [Fact]
    public void A_restart_goes_on_behind_the_last_closed_piece()
    {
        Add(3);
        _archiver.Sweep(isLast: true);
        Add(3);
        _archiver.Sweep();
        Restart();
        _archiver.ArchivedIndex.Should().Be(LogIndex.Zero, "the log must not be cut as long as nobody has looked");
        _archiver.Sweep();
        _archiver.ArchivedIndex.Value.Should().Be(3);
        _archiver.Sweep(isLast: true);
        Pieces.Should().Equal("1-3", "4-6");
        ShouldHaveAllFrom(1);
        _told.Should().Equal("began 1");
    }

    [Fact]
    public void It_waits_until_the_cluster_is_known_and_begins_where_the_log_does()
    {
        Add(9);
        _log.CutTo(new(4));
        _known = Guid.Empty;
        _archiver.Sweep(isLast: true);
        _archiver.ArchivedIndex.Should().Be(LogIndex.Zero);
        _known = _cluster;
        _archiver.Sweep();
        _archiver.ArchivedIndex.Value.Should().Be(4);
        _archiver.Sweep(isLast: true);
        Pieces.Should().Equal("5-9");
        _told.Should().Equal("began 5");
    }

    [Fact]
    public void While_it_cannot_be_written_nothing_counts_as_archived_and_afterwards_nothing_is_missing()
    {
        Add(3);
        _archiver.Sweep(isLast: true);
        Add(2);
        _archiver.Sweep();
        Directory.Move(Folder, Folder + "-away");
        File.WriteAllText(Folder, "a file in the folder's place");
        for (var seconds = 0; seconds < 400; seconds++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Add(1);
            _archiver.Sweep();
        }

        _archiver.ArchivedIndex.Value.Should().Be(3);
        _told.Should().HaveCount(3, "it is said at first and again in five minutes").And.Contain(t => t.StartsWith("failed ", StringComparison.Ordinal));

        File.Delete(Folder);
        Directory.Move(Folder + "-away", Folder);
        _time.Advance(_minute);
        _archiver.Sweep();
        _archiver.Sweep(isLast: true);
        _told[^1].Should().Be("recovered");
        _archiver.ArchivedIndex.Value.Should().Be(405);
        ShouldHaveAllFrom(1);
    }

    [Fact]
    public void A_snapshot_leaves_a_gap_which_is_told()
    {
        Add(3);
        _archiver.Sweep();
        _log.CutTo(new(10));
        Add(2);
        _archiver.Sweep(isLast: true);
        Pieces.Should().Equal("1-3", "11-12");
        _told.Should().Equal("began 1", "gap 4-10");
        _archiver.ArchivedIndex.Value.Should().Be(12);
    }

    [Fact]
    public void Nodes_may_share_a_folder()
    {
        Add(3);
        using var other = Open(node: 7);
        other.Sweep();
        _archiver.Sweep();
        _archiver.Sweep(isLast: true);
        Add(2);
        other.Sweep(isLast: true);
        Directory.GetFiles(Folder).Select(Path.GetFileName).Should().BeEquivalentTo(
            "distdb-log-11111111222233334444555555555555-node2-1-3.db", "distdb-log-11111111222233334444555555555555-node7-1-5.db");
        ShouldHaveAllFrom(1);
    }

    [Fact]
    public void A_damaged_piece_is_noticed()
    {
        Add(3, bytes: 64);
        _archiver.Sweep(isLast: true);
        var path = ArchivedPiece.List(Folder).Single().Path;
        var content = File.ReadAllBytes(path);
        var at = content.AsSpan().IndexOf(new byte[] { 2, 2, 2, 2, 2, 2, 2, 2 });
        content[at] ^= 1;
        File.WriteAllBytes(path, content);
        FluentActions.Invoking(() => ArchivedLog.Open([Folder], _cluster).Read(new(1)).ToList()).Should().Throw<PointInTimeException>()
            .WithMessage($"The piece {path} of the log is damaged: entry 2 is not what was written.*");
    }

    private LogArchiver Open(int node = 2) => new(
        new(Folder, _minute) { PieceBytesMax = 1000 }, new(node), _log, () => _log.LastIndex, () => _known, i => i.Value % 4 == 0 ? (ulong)i.Value : null, _time)
    {
        Began = first => _told.Add($"began {first}"),
        GapFound = (first, last) => _told.Add($"gap {first}-{last}"),
        Failed = reason => _told.Add($"failed {reason}"),
        Recovered = () => _told.Add("recovered"),
    };

    private void Restart()
    {
        _archiver.Dispose();
        _archiver = Open();
    }

    private void Add(int count, int bytes = 1)
    {
        for (var i = 0; i < count; i++)
        {
            var value = (byte)_log.LastIndex.Next.Value;
            _log.Add(EntryKind.Configuration, [.. Enumerable.Repeat(value, bytes)]);
        }
    }

    private void ShouldHaveAllFrom(long first)
    {
        var wanted = _log.Read(new(first), _log.LastIndex, int.MaxValue);
        var found = ArchivedLog.Open([Folder], _cluster).Read(new(first)).ToList();
        found.Select(f => Describe(f.Entry)).Should().Equal(wanted.Select(Describe));
        found.Should().OnlyContain(f => f.Overruled == (f.Entry.Index.Value % 4 == 0 ? (ulong)f.Entry.Index.Value : null));
    }

    private static string Describe(Entry entry) => $"{entry.Index} {entry.Term} {entry.Kind} {Convert.ToHexString(entry.Data.Span)}";
}
