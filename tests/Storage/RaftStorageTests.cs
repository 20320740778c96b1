using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;
using DistDb.Tests.Support;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Storage;

public sealed class RaftStorageTests : IDisposable
{
    private static readonly Membership _voters3 = Membership.OfVoters([new(0), new(1), new(2)]);
    private static readonly Membership _voters5 = Membership.OfVoters([new(0), new(1), new(2), new(3), new(4)]);

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

    // More than SQLite keeps in memory, so that it reads the file again.
    [Fact]
    public void A_log_that_cannot_be_read_to_cut_it_says_so()
    {
        for (var i = 1; i <= 10; i++)
        {
            _storage.Append(null, [new(new(i), new(1), EntryKind.Command, new byte[1 << 20])]);
        }

        Reopen();
        using var fault = DiskFault.Arm(FilePath, FaultyCall.Read);

        _storage.Invoking(s => s.Trim(new(5), tailEntriesMax: 100, tailBytesMax: 1 << 20)).Should().Throw<RaftStorageException>()
            .WithMessage($"Reading the Raft log {FilePath} failed*Check the disk*");
        fault.Count.Should().Be(1);
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
        Tamper("UPDATE meta SET value = '3' WHERE key = 'format'");
        this.Invoking(_ => Open()).Should().Throw<RaftStorageException>().WithMessage("*has format 3*reads format 2*");
        Tamper("UPDATE meta SET value = '2' WHERE key = 'format'");
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
        this.Invoking(_ => Open()).Should().Throw<RaftStorageException>().WithMessage("*damaged*not a database*Nothing was changed*--rebuild*");
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
        _storage.Dispose();
        Tamper("DROP TRIGGER refuse");
        _storage = Open();
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
        kept.Should().Be(30, "no more is cut than must be");
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
        Tamper("DELETE FROM entries WHERE idx = 7");
        this.Invoking(_ => Open()).Should().Throw<RaftStorageException>().WithMessage("*damaged*begins behind 6*");
        Tamper("DELETE FROM entries");
        _storage = Open();
    }

    [Theory]
    [InlineData("UPDATE entries SET data = 'x' WHERE idx = 2", "entry")]
    [InlineData("UPDATE entries SET term = 2 WHERE idx = 3", "entry")]
    [InlineData("UPDATE entries SET kind = 1 WHERE idx = 1", "entry")]
    [InlineData("UPDATE entries SET term = 'many' WHERE idx = 1", "entry")]
    [InlineData("UPDATE base SET idx = 1", "beginning")]
    [InlineData("DELETE FROM base", "beginning")]
    [InlineData("UPDATE hard_state SET term = 9", "term and vote")]
    [InlineData("UPDATE hard_state SET voted_for = NULL", "term and vote")]
    [InlineData("DELETE FROM hard_state", "term and vote")]
    [InlineData("UPDATE meta SET value = '77' WHERE key = 'log_id'", "log id")]
    [InlineData("DELETE FROM meta WHERE key = 'held_back'", "held back")]
    [InlineData("ALTER TABLE entries RENAME TO entriez", "tables")]
    [InlineData("DROP TABLE entries", "tables")]
    public void What_is_not_as_it_was_written_is_damage_and_the_advice_is_given(string damage, string what)
    {
        _storage.Append(new(new(1), new NodeId(2)), [Entry(1, 1, "a"), Entry(2, 1, "b"), Entry(3, 1, "c")]);
        _storage.Dispose();
        Tamper(damage);
        this.Invoking(_ => Open()).Should().Throw<RaftStorageException>().WithMessage($"*{FilePath}*damaged*{what}*Nothing was changed*--rebuild*");
        foreach (var file in _folder.GetFiles())
        {
            file.Delete();
        }

        _storage = Open();
    }

    [Fact]
    public void An_entry_that_is_damaged_later_is_never_read()
    {
        _storage.Dispose();
        _storage = Open(cachedBytesMax: 0);
        _storage.Append(null, [Entry(1, 1, "a"), Entry(2, 1, "b"), Entry(3, 1, "c")]);
        Tamper("UPDATE entries SET data = x'62' || x'00' WHERE idx = 2");
        _storage.Invoking(s => s.Read(new(1), new(3), 1000)).Should().Throw<RaftStorageException>().WithMessage("*entry 2 is not what was written*");
        _storage.Invoking(s => s.TermAt(new(2))).Should().Throw<RaftStorageException>();
    }

    [Fact]
    public void A_process_that_died_before_it_wrote_anything_leaves_a_new_log()
    {
        _storage.Dispose();
        foreach (var file in _folder.GetFiles())
        {
            file.Delete();
        }

        Tamper("PRAGMA journal_mode = WAL");
        _storage = Open();
        _storage.LastIndex.Should().Be(LogIndex.Zero);
    }

    [Fact]
    public void A_log_has_an_identity_that_stays_and_that_no_other_has()
    {
        var id = _storage.LogId;
        id.Should().NotBe(0);
        Reopen();
        _storage.LogId.Should().Be(id);
        using var other = RaftStorage.Open(Path.Combine(_folder.FullName, "other.db"), new(1), new());
        other.LogId.Should().NotBe(0).And.NotBe(id);
    }

    [Fact]
    public void Its_cluster_is_unknown_until_it_is_set()
    {
        _storage.ClusterId.Should().BeNull();
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        _storage.SetClusterId(first);
        _storage.ClusterId.Should().Be(first);
        Reopen();
        _storage.ClusterId.Should().Be(first);
        _storage.SetClusterId(second);
        Reopen();
        _storage.ClusterId.Should().Be(second);
    }

    [Fact]
    public void A_new_log_is_held_back_until_it_is_released()
    {
        _storage.IsHeldBack.Should().BeTrue();
        Reopen();
        _storage.IsHeldBack.Should().BeTrue();
        _storage.Release();
        _storage.IsHeldBack.Should().BeFalse();
        Reopen();
        _storage.IsHeldBack.Should().BeFalse();
    }

    [Fact]
    public void The_newest_configuration_below_the_beginning_is_remembered()
    {
        _storage.BaseMembership.Should().BeNull();
        _storage.Append(null, [Entry(1, 1, "a"), Configuration(2, 3), Entry(3, 1, "c"), Configuration(4, 5), Entry(5, 1, "e"), Configuration(6, 3)]);

        _storage.Trim(new(1), 0, 0);
        _storage.BaseMembership.Should().BeNull();
        Reopen();
        Cut(3, _voters3);
        Cut(5, _voters5);
        _storage.ReadConfigurations().Select(e => e.Index.Value).Should().Equal(6);
        _storage.InstallBase(new(9), new(2), _voters3);
        Reopen();
        _storage.BaseMembership.Should().Be(_voters3);
        _storage.ReadConfigurations().Should().BeEmpty();
        _storage.Append(null, [Entry(10, 2, "j")]);
        Cut(10, _voters3);

        void Cut(long to, Membership newest)
        {
            _storage.Trim(new(to), 0, 0);
            _storage.BaseMembership.Should().Be(newest);
            Reopen();
            _storage.BaseMembership.Should().Be(newest);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Configurations_are_found_among_the_entries(bool reopened)
    {
        _storage.ReadConfigurations().Should().BeEmpty();
        _storage.Append(null, [Configuration(1, 3), Entry(2, 1, "b"), Configuration(3, 5)]);
        _storage.Append(null, [Entry(4, 1, "d"), Configuration(5, 3)]);
        ReopenIf();
        _storage.ReadConfigurations().Select(e => e.Index.Value).Should().Equal(1, 3, 5);
        MembershipCodec.Decode(_storage.ReadConfigurations()[1].Data.Span).Should().Be(_voters5);

        _storage.Append(null, [Entry(3, 1, "other"), Configuration(4, 3)]);
        ReopenIf();
        _storage.ReadConfigurations().Select(e => e.Index.Value).Should().Equal(1, 4);

        _storage.InstallBase(new(1), new(1), _voters3);
        ReopenIf();
        _storage.ReadConfigurations().Select(e => e.Index.Value).Should().Equal(4);
        _storage.InstallBase(new(2), new(7), _voters3);
        ReopenIf();
        _storage.ReadConfigurations().Should().BeEmpty("what follows another entry than the snapshot's is another leader's");

        void ReopenIf()
        {
            if (reopened)
            {
                Reopen();
            }
        }
    }

    [Fact]
    public void A_log_becomes_a_new_clusters_in_one_step()
    {
        _storage.Append(new(new(4), new NodeId(2)), [Entry(1, 1, "a"), Entry(2, 4, "b")]);
        _storage.SetClusterId(Guid.NewGuid());
        var (id, log) = (Guid.NewGuid(), _storage.LogId);
        Tamper("CREATE TRIGGER refuse BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'no'); END");
        Tamper("CREATE TRIGGER refuse_insert BEFORE INSERT ON meta BEGIN SELECT RAISE(ABORT, 'no'); END");
        _storage.Invoking(s => s.AppendAsNewCluster(id, new(new(5), null), [Configuration(3, 3)])).Should().Throw<RaftStorageException>();
        _storage.Dispose();
        Tamper("DROP TRIGGER refuse");
        Tamper("DROP TRIGGER refuse_insert");
        _storage = Open();
        _storage.LastIndex.Value.Should().Be(2, "nothing of it happened");
        _storage.HardState.Term.Value.Should().Be(4);
        _storage.IsHeldBack.Should().BeTrue();

        _storage.AppendAsNewCluster(id, new(new(5), null), [new(new(3), new(5), EntryKind.Configuration, MembershipCodec.Encode(_voters3))]);
        Reopen();
        (_storage.ClusterId, _storage.LogId, _storage.IsHeldBack).Should().Be((id, log, false));
        _storage.HardState.Should().Be(new HardState(new(5), null));
        _storage.LastIndex.Value.Should().Be(3);
        _storage.ReadConfigurations().Should().ContainSingle();
    }

    private (long Base, long Last) Bounds() => (_storage.BaseIndex.Value, _storage.LastIndex.Value);

    private void Fill(int count, long term, int bytes) => _storage.Append(
        null, [.. Enumerable.Range(1, count).Select(i => Entry(i, term, i.ToString(System.Globalization.CultureInfo.InvariantCulture).PadLeft(bytes, '0')))]);

    private static Entry Entry(long index, long term, string data) =>
        new(new(index), new(term), EntryKind.Command, System.Text.Encoding.ASCII.GetBytes(data));

    private static Entry Configuration(long index, int voters) =>
        new(new(index), new(1), EntryKind.Configuration, MembershipCodec.Encode(voters == 3 ? _voters3 : _voters5));

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
