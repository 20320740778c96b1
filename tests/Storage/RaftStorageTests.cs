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
