using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Storage;

public sealed class RaftStorageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-raft-");
    private RaftStorage _storage;

    public RaftStorageTests()
    {
        SqliteLibrary.Initialize();
        _storage = Open();
    }

    private string FilePath => Path.Combine(_folder.FullName, "raft.db");

    public void Dispose()
    {
        _storage.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void A_new_log_is_empty()
    {
        _storage.LastIndex.Should().Be(LogIndex.Zero);
        _storage.TermAt(LogIndex.Zero).Should().Be(Term.Zero);
        _storage.HardState.Should().Be(default(HardState));
    }

    [Fact]
    public void What_was_written_is_there_after_reopening()
    {
        _storage.Append(new(new(3), new NodeId(2)), [Entry(1, 1, "a"), Entry(2, 3, "b")]);
        _storage.Append(null, [new(new(3), new(3), EntryKind.NoOp, default)]);
        Reopen();
        _storage.HardState.Should().Be(new HardState(new(3), new NodeId(2)));
        _storage.LastIndex.Value.Should().Be(3);
        Read(1, 3).Should().Equal("1@1 Command a", "2@3 Command b", "3@3 NoOp ");
        _storage.Append(new(new(4), null), []);
        Reopen();
        _storage.HardState.Should().Be(new HardState(new(4), null));
        _storage.LastIndex.Value.Should().Be(3);
    }

    [Fact]
    public void Entries_replace_all_that_stood_at_or_behind_their_first_index()
    {
        _storage.Append(null, [.. Enumerable.Range(1, 6).Select(i => Entry(i, 1, "old"))]);
        _storage.Append(null, [Entry(4, 2, "new")]);
        _storage.LastIndex.Value.Should().Be(4);
        Read(3, 4).Should().Equal("3@1 Command old", "4@2 Command new");
        _storage.Invoking(s => s.TermAt(new(5))).Should().Throw<ArgumentOutOfRangeException>();
        Reopen();
        Read(3, 4).Should().Equal("3@1 Command old", "4@2 Command new");
        _storage.LastIndex.Value.Should().Be(4);
    }

    [Fact]
    public void Places_outside_the_log_are_refused()
    {
        _storage.Append(null, [Entry(1, 1, "a"), Entry(2, 1, "b")]);
        _storage.Invoking(s => s.TermAt(new(3))).Should().Throw<ArgumentOutOfRangeException>();
        _storage.Invoking(s => s.Read(new(0), new(1), 10)).Should().Throw<ArgumentOutOfRangeException>();
        _storage.Invoking(s => s.Read(new(1), new(3), 10)).Should().Throw<ArgumentOutOfRangeException>();
        _storage.Invoking(s => s.Read(new(2), new(1), 10)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(1 << 20)]
    public void Reads_are_the_same_from_memory_and_from_disk_across_truncations(int cachedBytesMax)
    {
        _storage.Dispose();
        _storage = Open(cachedBytesMax: cachedBytesMax);
        var random = new Random(17);
        List<Entry> expected = [];
        for (var round = 1; round <= 60; round++)
        {
            var from = random.Next(3) == 0 ? random.Next(expected.Count + 1) : expected.Count;
            expected.RemoveRange(from, expected.Count - from);
            Entry[] added = [.. Enumerable.Range(from + 1, random.Next(1, 6)).Select(i => Entry(i, round, new string('x', random.Next(200))))];
            expected.AddRange(added);
            _storage.Append(null, added);
            _storage.LastIndex.Value.Should().Be(expected.Count);
            for (var probe = 0; probe < 5; probe++)
            {
                var first = random.Next(1, expected.Count + 1);
                var last = random.Next(first, expected.Count + 1);
                var bytesMax = random.Next(1000);
                var read = _storage.Read(new(first), new(last), bytesMax);
                var wanted = Within(expected[(first - 1)..last], bytesMax);
                read.Select(Text).Should().Equal(wanted.Select(Text));
                _storage.TermAt(new(first)).Should().Be(expected[first - 1].Term);
            }
        }
    }

    [Fact]
    public void Another_nodes_log_is_refused()
    {
        _storage.Dispose();
        this.Invoking(_ => Open(node: 2)).Should().Throw<RaftStorageException>().WithMessage("*belongs to node 1, not to node 2*");
        _storage = Open();
    }

    [Fact]
    public void Another_format_is_refused()
    {
        _storage.Dispose();
        Tamper("UPDATE meta SET value = '2' WHERE key = 'format'");
        this.Invoking(_ => Open()).Should().Throw<RaftStorageException>().WithMessage("*has format 2*");
        Tamper("UPDATE meta SET value = '1' WHERE key = 'format'");
        _storage = Open();
    }

    [Theory]
    [InlineData("DELETE FROM entries WHERE idx = 2")]
    [InlineData("DELETE FROM entries WHERE idx = 1")]
    public void A_log_with_a_hole_is_damaged(string damage)
    {
        _storage.Append(null, [Entry(1, 1, "a"), Entry(2, 1, "b"), Entry(3, 1, "c")]);
        _storage.Dispose();
        Tamper(damage);
        this.Invoking(_ => Open()).Should().Throw<RaftStorageException>().WithMessage("*damaged*");
        Tamper("DELETE FROM entries");
        _storage = Open();
    }

    [Fact]
    public void A_hole_that_appears_later_is_not_skipped()
    {
        _storage.Append(null, [Entry(1, 1, "a"), Entry(2, 1, "b"), Entry(3, 1, "c")]);
        Reopen();
        Tamper("DELETE FROM entries WHERE idx = 2");
        _storage.Invoking(s => s.Read(new(1), new(3), 1000)).Should().Throw<RaftStorageException>().WithMessage("*entry 2 is missing*");
        _storage.Invoking(s => s.TermAt(new(2))).Should().Throw<RaftStorageException>().WithMessage("*entry 2 is missing*");
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_and_left_as_it_is()
    {
        _storage.Dispose();
        foreach (var file in _folder.GetFiles())
        {
            file.Delete();
        }

        var bytes = new byte[4096];
        new Random(3).NextBytes(bytes);
        File.WriteAllBytes(FilePath, bytes);
        this.Invoking(_ => Open()).Should().Throw<RaftStorageException>().WithMessage("*cannot be opened*Nothing was changed*");
        File.ReadAllBytes(FilePath).Should().Equal(bytes);
        File.Delete(FilePath);
        _storage = Open();
    }

    [Fact]
    public void A_write_that_the_file_refuses_is_an_error_and_changes_nothing_here()
    {
        _storage.Append(new(new(1), null), [Entry(1, 1, "a")]);
        Tamper("CREATE TRIGGER refuse BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'no'); END");
        _storage.Invoking(s => s.Append(new(new(2), null), [Entry(2, 2, "b")])).Should().Throw<RaftStorageException>().WithMessage("*raft.db*");
        _storage.LastIndex.Value.Should().Be(1);
        _storage.HardState.Term.Value.Should().Be(1);
        Reopen();
        _storage.LastIndex.Value.Should().Be(1);
        _storage.HardState.Term.Value.Should().Be(1);
    }

    [Fact]
    public void A_log_is_cut_as_far_as_it_is_too_long_and_the_database_durable()
    {
        Fill(100, 1, 10);
        _storage.Trim(new(80), tailEntriesMax: 100, tailBytesMax: 1000).Should().BeFalse("it is short enough");
        _storage.BaseIndex.Value.Should().Be(0);

        while (_storage.Trim(new(80), tailEntriesMax: 50, tailBytesMax: 1000))
        {
        }

        Bounds().Should().Be((50, 100));
        _storage.Trim(new(80), 10, 1000).Should().BeFalse();
        Bounds().Should().Be((80, 100), "what the database may still need stays");
        _storage.TermAt(new(80)).Value.Should().Be(1);
        _storage.Invoking(s => s.TermAt(new(79))).Should().Throw<ArgumentOutOfRangeException>();
        _storage.Invoking(s => s.Read(new(80), new(81), 10)).Should().Throw<ArgumentOutOfRangeException>();
        Reopen();
        Bounds().Should().Be((80, 100));
        _storage.TermAt(new(80)).Value.Should().Be(1);
        Read(81, 81).Should().Equal("81@1 Command 0000000081");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_log_of_large_entries_is_cut_to_its_bytes(bool reopened)
    {
        Fill(100, 1, 10);
        _storage.Append(null, [Entry(61, 2, "replaced")]);
        if (reopened)
        {
            Reopen();
        }

        while (_storage.Trim(new(61), tailEntriesMax: 100, tailBytesMax: 300))
        {
        }

        var kept = Enumerable.Range((int)_storage.BaseIndex.Value + 1, (int)(_storage.LastIndex - _storage.BaseIndex)).Count();
        kept.Should().BeInRange(10, 30, "some sixteen entries are cut at a time");
        Reopen();
        _storage.LastIndex.Value.Should().Be(61);
    }

    [Fact]
    public void A_log_may_be_cut_to_its_end_and_goes_on()
    {
        Fill(5, 3, 10);
        _storage.Trim(new(5), 0, 0);
        Bounds().Should().Be((5, 5));
        _storage.TermAt(new(5)).Value.Should().Be(3);
        Reopen();
        Bounds().Should().Be((5, 5));
        _storage.Append(null, [Entry(6, 4, "next")]);
        Reopen();
        Read(6, 6).Should().Equal("6@4 Command next");
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1 << 20, false)]
    [InlineData(0, true)]
    public void A_log_begins_behind_an_installed_snapshot(long cachedBytesMax, bool reopened)
    {
        void Check(long index, long term, (long, long) bounds)
        {
            _storage.Dispose();
            File.Delete(FilePath);
            _storage = Open(cachedBytesMax: cachedBytesMax);
            Fill(4, 1, 10);
            _storage.Append(new(new(7), new NodeId(1)), [Entry(5, 2, "x"), Entry(6, 2, "y")]);
            _storage.InstallBase(new(index), new(term), null);
            if (reopened)
            {
                Reopen();
            }

            Bounds().Should().Be(bounds);
            _storage.TermAt(new(index)).Value.Should().Be(term);
            _storage.HardState.Should().Be(new HardState(new(7), new NodeId(1)));
            if (bounds.Item2 > bounds.Item1)
            {
                Read(6, 6).Should().Equal("6@2 Command y");
            }

            _storage.Append(null, [Entry(bounds.Item2 + 1, 7, "next")]);
            Reopen();
            _storage.LastIndex.Value.Should().Be(bounds.Item2 + 1);
        }

        Check(9, 3, (9, 9));
        Check(6, 2, (6, 6));
        Check(5, 2, (5, 6));
        Check(5, 3, (5, 5));
    }

    [Fact]
    public void A_snapshot_behind_the_beginning_changes_nothing()
    {
        Fill(10, 1, 10);
        _storage.Trim(new(6), 0, 0);
        _storage.InstallBase(new(4), new(1), null);
        Bounds().Should().Be((6, 10));
        _storage.InstallBase(new(6), new(1), null);
        Bounds().Should().Be((6, 10));
    }

    [Fact]
    public void A_log_whose_beginning_does_not_fit_is_damaged()
    {
        Fill(10, 1, 10);
        _storage.Trim(new(6), 0, 0);
        _storage.Dispose();
        Tamper("UPDATE base SET idx = 5");
        this.Invoking(_ => Open()).Should().Throw<RaftStorageException>().WithMessage("*damaged*begins behind 5*");
        Tamper("UPDATE base SET idx = 6");
        _storage = Open();
    }

    private (long Base, long Last) Bounds() => (_storage.BaseIndex.Value, _storage.LastIndex.Value);

    private void Fill(int count, long term, int bytes) => _storage.Append(
        null, [.. Enumerable.Range(1, count).Select(i => Entry(i, term, i.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(bytes, '0')))]);

    private static Entry Entry(long index, long term, string data) =>
        new(new(index), new(term), EntryKind.Command, System.Text.Encoding.ASCII.GetBytes(data));

    private static string Text(Entry entry) =>
        $"{entry.Index}@{entry.Term} {entry.Kind} {System.Text.Encoding.ASCII.GetString(entry.Data.Span)}";

    private static IEnumerable<Entry> Within(IEnumerable<Entry> entries, int bytesMax)
    {
        long bytes = 0;
        return entries.TakeWhile((entry, i) => (bytes += entry.Data.Length) <= bytesMax || i == 0);
    }

    private RaftStorage Open(int node = 1, long cachedBytesMax = 1 << 20) =>
        RaftStorage.Open(FilePath, new(node), new() { CachedBytesMax = cachedBytesMax });

    private void Reopen()
    {
        _storage.Dispose();
        _storage = Open();
    }

    private IEnumerable<string> Read(long from, long to) => _storage.Read(new(from), new(to), int.MaxValue).Select(Text);

    private void Tamper(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={FilePath};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
