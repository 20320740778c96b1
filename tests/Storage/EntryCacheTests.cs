using DistDb.Node.Raft;
using DistDb.Node.Storage;

namespace DistDb.Tests.Storage;

public sealed class EntryCacheTests
{
    [Fact]
    public void The_newest_entries_are_kept_within_the_bound_and_one_always()
    {
        var cache = new EntryCache(1000);
        cache.Append([.. Enumerable.Range(1, 20).Select(i => Entry(i, 1, 100))]);
        cache.Find(new(15)).Should().BeNull();
        cache.Find(new(16))!.Index.Value.Should().Be(16);
        cache.Find(new(20))!.Index.Value.Should().Be(20);
        cache.Find(new(21)).Should().BeNull();
        cache.Append([Entry(21, 1, 5000)]);
        cache.Find(new(20)).Should().BeNull();
        cache.Find(new(21)).Should().NotBeNull();
        cache.Read(new(20), new(21), 1).Should().BeNull("the first is not held");
        cache.Read(new(21), new(21), 1).Should().ContainSingle();
    }

    [Fact]
    public void It_answers_like_the_log_or_not_at_all()
    {
        var random = new Random(11);
        var cache = new EntryCache(2000);
        List<Entry> log = [];
        for (var round = 1; round <= 2000; round++)
        {
            var from = random.Next(4) == 0 ? random.Next(Math.Max(0, log.Count - 30), log.Count + 1) : log.Count;
            log.RemoveRange(from, log.Count - from);
            Entry[] added = [.. Enumerable.Range(from + 1, random.Next(1, 8)).Select(i => Entry(i, round, random.Next(300)))];
            log.AddRange(added);
            cache.Append(added);
            cache.Find(new(log.Count)).Should().BeSameAs(log[^1]);
            var first = random.Next(Math.Max(1, log.Count - 20), log.Count + 1);
            var last = random.Next(first, log.Count + 1);
            if (cache.Read(new(first), new(last), int.MaxValue) is { } read)
            {
                read.Should().Equal(log[(first - 1)..last]);
            }
        }
    }

    [Fact]
    public void Entries_that_were_cut_off_are_given_up_and_their_room_is_free()
    {
        var cache = new EntryCache(2200);
        cache.Append([.. Enumerable.Range(1, 10).Select(i => Entry(i, 1, 100))]);

        cache.ForgetUpTo(new(0));
        cache.Find(new(1)).Should().NotBeNull();
        cache.ForgetUpTo(new(4));
        cache.Find(new(4)).Should().BeNull();
        cache.Find(new(5))!.Index.Value.Should().Be(5);
        cache.Append([.. Enumerable.Range(11, 5).Select(i => Entry(i, 1, 100))]);
        cache.Find(new(5)).Should().NotBeNull("eleven entries fit");
        cache.ForgetUpTo(new(99));
        cache.Find(new(15)).Should().BeNull();
        cache.Read(new(15), new(15), 1).Should().BeNull();
        cache.Append([.. Enumerable.Range(16, 11).Select(i => Entry(i, 1, 100))]);
        cache.Find(new(16)).Should().NotBeNull();
    }

    private static Entry Entry(long index, long term, int bytes) => new(new(index), new(term), EntryKind.Command, new byte[bytes]);
}
