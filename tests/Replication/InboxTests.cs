using System.Diagnostics;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class InboxTests
{
    [Fact]
    public void Everything_that_waits_is_drained_at_once_and_in_order()
    {
        var inbox = new Inbox<int>(10);
        inbox.TryPost(1).Should().BeTrue();
        inbox.Post(2);
        inbox.TryPost(3).Should().BeTrue();
        var items = inbox.Drain([], Timeout.InfiniteTimeSpan);
        items.Should().Equal(1, 2, 3);
        items.Clear();
        inbox.Drain(items, TimeSpan.Zero).Should().BeEmpty();
    }

    [Fact]
    public void A_full_inbox_refuses_what_may_be_lost_and_takes_what_must_not()
    {
        var inbox = new Inbox<int>(2);
        inbox.TryPost(1).Should().BeTrue();
        inbox.TryPost(2).Should().BeTrue();
        inbox.TryPost(3).Should().BeFalse();
        inbox.Post(4);
        inbox.Drain([], TimeSpan.Zero).Should().Equal(1, 2, 4);
        inbox.TryPost(5).Should().BeTrue();
    }

    [Fact]
    public void An_empty_inbox_is_waited_for_as_long_as_was_asked()
    {
        var inbox = new Inbox<int>(1);
        foreach (var wait in (double[])[0.5, 3.7])
        {
            var started = Stopwatch.GetTimestamp();
            inbox.Drain([], TimeSpan.FromMilliseconds(wait)).Should().BeEmpty();
            Stopwatch.GetElapsedTime(started).TotalMilliseconds.Should().BeGreaterThanOrEqualTo(wait, "less makes the loop spin until its tick");
        }
    }

    [Fact]
    public void No_item_of_many_threads_is_lost_and_no_wake_up_missed()
    {
        const int Each = 20_000;
        var inbox = new Inbox<int>(int.MaxValue);
        var posters = Enumerable.Range(0, 4).Select(p => new Thread(() =>
        {
            for (var i = 0; i < Each; i++)
            {
                inbox.Post((p * Each) + i);
            }
        })).ToList();
        posters.ForEach(p => p.Start());
        var seen = new HashSet<int>();
        List<int> items = [];
        while (seen.Count < 4 * Each)
        {
            items.Clear();
            items = inbox.Drain(items, TimeSpan.FromSeconds(60));
            items.Should().NotBeEmpty("a missed wake-up is a minute's wait");
            seen.UnionWith(items);
        }

        posters.ForEach(p => p.Join());
        inbox.Drain([], TimeSpan.Zero).Should().BeEmpty();
    }
}
