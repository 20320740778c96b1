using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

public sealed class RaftLogTests
{
    private readonly MemoryLogStore _disk = new();

    [Fact]
    public void An_empty_log_ends_at_zero()
    {
        var log = new RaftLog(_disk, Membership.Empty);

        log.LastIndex.Should().Be(LogIndex.Zero);
        log.LastTerm.Should().Be(Term.Zero);
        log.TermAt(LogIndex.Zero).Should().Be(Term.Zero);
        log.TermAt(new(1)).Should().BeNull();
    }

    [Fact]
    public void Disk_and_memory_make_one_log()
    {
        var log = LogOf([1, 1, 2], [2, 3]);

        log.LastIndex.Should().Be(new LogIndex(5));
        log.LastTerm.Should().Be(new Term(3));
        Terms(log).Should().Equal(1, 1, 2, 2, 3);
        log.Unstable.Select(e => e.Index.Value).Should().Equal(4, 5);
    }

    [Fact]
    public void Entries_leave_no_gaps()
    {
        var log = LogOf([1], []);

        log.Invoking(l => l.Append(Entry(3, 1))).Should().Throw<InvariantViolationException>();
        log.Invoking(l => l.Append(Entry(1, 1))).Should().Throw<InvariantViolationException>();
        log.Invoking(l => l.TruncateFrom(new(1), Entry(2, 2))).Should().Throw<InvariantViolationException>();
    }

    [Theory]
    [InlineData(2, new long[] { 1, 9 }, 2)]
    [InlineData(3, new long[] { 1, 1, 9 }, 3)]
    [InlineData(4, new long[] { 1, 1, 2, 9 }, 4)]
    [InlineData(5, new long[] { 1, 1, 2, 2, 9 }, 4)]
    public void Replacing_cuts_disk_and_memory(long at, long[] terms, long firstUnstable)
    {
        var log = LogOf([1, 1, 2], [2, 3, 3]);

        log.TruncateFrom(new(at), Entry(at, 9));

        Terms(log).Should().Equal(terms);
        log.Unstable[0].Index.Should().Be(new LogIndex(firstUnstable));
        _disk.Write(null, log.Unstable);
        log.MarkStable();
        log.Unstable.Should().BeEmpty();
        Terms(log).Should().Equal(terms);
    }

    [Fact]
    public void Reading_does_not_cross_from_disk_to_memory()
    {
        var log = LogOf([1, 1, 2], [2, 3]);

        log.Read(new(2), new(5), 100).Select(e => e.Index.Value).Should().Equal(2, 3);
        log.Read(new(4), new(5), 100).Select(e => e.Index.Value).Should().Equal(4, 5);
        log.Read(new(4), new(4), 100).Select(e => e.Index.Value).Should().Equal(4);
        log.Read(new(1), new(2), 100).Select(e => e.Index.Value).Should().Equal(1, 2);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(100, 2)]
    public void Reading_stops_at_the_byte_limit_but_gives_one(int bytesMax, int count)
    {
        var log = LogOf([1, 1], [2, 2]);

        log.Read(new(1), new(2), bytesMax).Should().HaveCount(count);
        log.Read(new(3), new(4), bytesMax).Should().HaveCount(count);
    }

    // Raft §5.3: against the dumbest way to find it, in logs as they come: terms never fall.
    [Fact]
    public void The_last_possible_match_is_the_last_term_not_above()
    {
        var random = new Random(2);
        for (var i = 0; i < 500; i++)
        {
            var terms = new long[random.Next(12)];
            for (long at = 0, term = 1; at < terms.Length; at++)
            {
                terms[at] = term += random.Next(4) == 0 ? 1 : 0;
            }

            var log = new RaftLog(Disk(terms), Membership.Empty);
            var (index, limit) = (random.NextInt64(15), random.NextInt64(5));

            var expected = Enumerable.Range(0, terms.Length + 1).Last(n => n <= index && (n == 0 || terms[n - 1] <= limit));
            log.LastPossibleMatch(new(index), new(limit)).Should().Be(new LogIndex(expected));
        }
    }

    // Raft §5.4.1.
    [Fact]
    public void Up_to_date_means_later_term_or_longer()
    {
        var log = LogOf([1, 2], [2]);

        log.IsUpToDate(new(3), new(2)).Should().BeTrue();
        log.IsUpToDate(new(4), new(2)).Should().BeTrue();
        log.IsUpToDate(new(1), new(3)).Should().BeTrue();
        log.IsUpToDate(new(2), new(2)).Should().BeFalse();
        log.IsUpToDate(new(9), new(1)).Should().BeFalse();
    }

    private static MemoryLogStore Disk(long[] terms)
    {
        var disk = new MemoryLogStore();
        disk.Write(null, Entries(1, terms));
        return disk;
    }

    private static IEnumerable<long> Terms(RaftLog log) =>
        Enumerable.Range(1, (int)log.LastIndex.Value).Select(i => log.TermAt(new(i))!.Value.Value);

    private RaftLog LogOf(long[] onDisk, long[] unstable)
    {
        _disk.Write(null, Entries(1, onDisk));
        var log = new RaftLog(_disk, Membership.Empty);
        foreach (var entry in Entries(onDisk.Length + 1, unstable))
        {
            log.Append(entry);
        }

        return log;
    }
}
