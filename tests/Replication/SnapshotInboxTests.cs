using System.Collections.Concurrent;
using System.Security.Cryptography;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;
using DistDb.Tests.Support;

namespace DistDb.Tests.Replication;

/// <summary>A snapshot that arrives, or does not; the test is the sender.</summary>
public sealed class SnapshotInboxTests : IDisposable
{
    /// <summary>Its end is within a piece.</summary>
    private const int FirstPartBytes = SnapshotOutbox.ChunkBytes + 1000;

    private static readonly NodeId _sender = new(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-inbox-");
    private readonly ConcurrentQueue<PeerMessage> _sent = new();
    private readonly BlockingCollection<ReceivedSnapshot> _received = [];
    private readonly BlockingCollection<string> _problems = [];
    private readonly ManualTime _time = new();
    private readonly byte[] _content = new byte[(5 * SnapshotOutbox.ChunkBytes) + 1000];

    public SnapshotInboxTests() => new Random(5).NextBytes(_content);

    public void Dispose()
    {
        _received.Dispose();
        _problems.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void A_snapshot_is_asked_for_once_and_fetched_a_few_pieces_at_a_time()
    {
        using var inbox = Open();
        inbox.Want(_sender, new(10));
        inbox.Want(_sender, new(10));
        _sent.Should().Equal(new SnapshotRequest(new(10)));
        _sent.Clear();

        inbox.OnOffer(_sender, Offer(1));
        _sent.Should().HaveCount(4, "the receiver sets the pace");
        Answer(inbox, 1);

        var snapshot = Received();
        Content(snapshot).Should().Equal(_content);
        (snapshot.Index, snapshot.Term).Should().Be((new LogIndex(20), new Term(3)));
    }

    [Fact]
    public void It_goes_on_after_a_restart_where_it_was()
    {
        using (var inbox = Open())
        {
            inbox.OnOffer(_sender, Offer(1));
            inbox.OnChunk(_sender, Chunk(1, 0));
            inbox.OnChunk(_sender, Chunk(1, SnapshotOutbox.ChunkBytes));
        }

        _sent.Clear();
        using var restarted = Open();
        restarted.OnOffer(new(3), Offer(9));
        _sent.OfType<SnapshotChunkRequest>().First().Should().Be(new SnapshotChunkRequest(9, 2 * SnapshotOutbox.ChunkBytes));
        Answer(restarted, 9, from: new(3));
        Content(Received()).Should().Equal(_content);
    }

    [Fact]
    public void One_that_had_arrived_whole_before_a_restart_is_not_fetched_again()
    {
        using (var inbox = Open())
        {
            inbox.OnOffer(_sender, Offer(1));
            Answer(inbox, 1);
            Received();
        }

        _sent.Clear();
        using var restarted = Open();
        restarted.OnOffer(_sender, Offer(2));

        Content(Received()).Should().Equal(_content);
        _sent.Should().BeEmpty();
    }

    [Fact]
    public void Pieces_out_of_order_of_others_or_of_an_older_offer_change_nothing()
    {
        using var inbox = Open();
        inbox.OnOffer(_sender, Offer(1));
        inbox.OnChunk(_sender, Chunk(1, SnapshotOutbox.ChunkBytes));
        inbox.OnChunk(new(3), Chunk(1, 0));
        inbox.OnChunk(_sender, Chunk(7, 0));
        inbox.OnOffer(new(3), Offer(8));
        inbox.Progress.Should().Be((0L, (long)_content.Length));
        Answer(inbox, 1);
        inbox.OnChunk(_sender, Chunk(1, 0));
        Content(Received()).Should().Equal(_content);
    }

    [Fact]
    public void What_arrives_damaged_is_thrown_away_and_fetched_anew()
    {
        using var inbox = Open();
        inbox.OnOffer(_sender, Offer(1));
        inbox.OnChunk(_sender, new(1, 0, new byte[SnapshotOutbox.ChunkBytes]));
        Answer(inbox, 1);
        Problem().Should().Contain("damaged");
        _folder.GetFiles().Should().BeEmpty();

        Until(() => Wants(inbox), "the inbox is free again");
        _sent.Clear();
        inbox.OnOffer(_sender, Offer(1));
        Answer(inbox, 1);
        Content(Received()).Should().Equal(_content);
    }

    [Fact]
    public void A_sender_that_gave_it_up_is_asked_again()
    {
        using var inbox = Open();
        inbox.OnOffer(_sender, Offer(1));
        inbox.OnChunk(_sender, Chunk(1, 0));
        inbox.OnChunk(_sender, new(1, SnapshotOutbox.ChunkBytes, default));
        inbox.Progress.Should().BeNull();
        Wants(inbox).Should().BeTrue();
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_a_problem_and_no_more()
    {
        _folder.Delete();
        File.WriteAllText(_folder.FullName, "in the way");
        using var inbox = Open();
        inbox.OnOffer(_sender, Offer(1));
        Problem().Should().Contain("make room");
        inbox.Progress.Should().BeNull();
        inbox.OnOffer(_sender, Offer(1));
        _problems.Should().BeEmpty("it was said a moment ago");
        _time.Advance(TimeSpan.FromMinutes(1));
        inbox.OnOffer(_sender, Offer(1));
        Problem().Should().Contain("make room");

        File.Delete(_folder.FullName);
        _folder.Create();
        inbox.OnOffer(_sender, Offer(1));
        Answer(inbox, 1);
        Content(Received()).Should().Equal(_content);
    }

    [Fact]
    public void Another_snapshot_takes_the_place_of_one_half_fetched()
    {
        using (var inbox = Open())
        {
            inbox.OnOffer(_sender, Offer(1) with { Sha256 = new byte[32] });
            inbox.OnChunk(_sender, Chunk(1, 0));
        }

        using var restarted = Open();
        restarted.OnOffer(_sender, Offer(2));
        _folder.GetDirectories().Should().ContainSingle();
        Answer(restarted, 2);
        Content(Received()).Should().Equal(_content);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Pieces_lost_in_any_regular_pattern_delay_it_and_no_more(int phase)
    {
        using var inbox = Open();
        inbox.OnOffer(_sender, Offer(1));
        var count = phase;
        for (var round = 0; round < 20 && inbox.Progress is not null; round++)
        {
            while (_sent.TryDequeue(out var message))
            {
                if (count++ % 3 != 0)
                {
                    inbox.OnChunk(_sender, Chunk(1, ((SnapshotChunkRequest)message).Offset));
                }
            }

            _time.Advance(TimeSpan.FromSeconds(1));
            inbox.Sweep();
        }

        inbox.Progress.Should().BeNull("all of it has arrived");
        Content(Received()).Should().Equal(_content);
    }

    [Fact]
    public void A_piece_of_another_length_than_was_asked_for_is_none()
    {
        using var inbox = Open();
        inbox.OnOffer(_sender, Offer(1));
        inbox.OnChunk(_sender, new(1, 0, _content.AsMemory(0, 100)));
        inbox.OnChunk(_sender, new(1, 5, _content.AsMemory(5, SnapshotOutbox.ChunkBytes)));
        inbox.Progress.Should().Be((0L, (long)_content.Length));
        Answer(inbox, 1);
        Content(Received()).Should().Equal(_content);
    }

    [Fact]
    public void A_sender_that_falls_silent_is_given_up_for_another()
    {
        using var inbox = Open();
        inbox.OnOffer(_sender, Offer(1));
        inbox.OnChunk(_sender, Chunk(1, 0));
        _time.Advance(TimeSpan.FromSeconds(9));
        Wants(inbox).Should().BeFalse("it may come back");
        _time.Advance(TimeSpan.FromSeconds(2));
        Wants(inbox).Should().BeTrue();
        inbox.OnOffer(new(3), Offer(4));
        _sent.OfType<SnapshotChunkRequest>().First().Should().Be(new SnapshotChunkRequest(4, SnapshotOutbox.ChunkBytes));
    }

    [Fact]
    public void A_request_or_an_offer_that_is_lost_is_repeated()
    {
        using var inbox = Open();
        Wants(inbox).Should().BeTrue();
        Wants(inbox).Should().BeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        Wants(inbox).Should().BeTrue();
    }

    [Fact]
    public void While_one_is_being_installed_no_other_is_asked_for()
    {
        using var inbox = Open();
        inbox.OnOffer(_sender, Offer(1));
        Answer(inbox, 1);
        Received();
        Wants(inbox).Should().BeFalse();
        inbox.OnOffer(_sender, Offer(2));
        inbox.Progress.Should().BeNull();
        inbox.Installed();
        Wants(inbox).Should().BeTrue();
    }

    private SnapshotInbox Open() => new(_folder.FullName, (_, message) => _sent.Enqueue(message), _received.Add, _problems.Add, _time);

    private SnapshotOffer Offer(ulong id) => new(
        id,
        new(20),
        new(3),
        new(3),
        [new("alpha", FirstPartBytes), new("empty", 0), new("main", _content.Length - FirstPartBytes)],
        SHA256.HashData(_content));

    private static byte[] Content(ReceivedSnapshot snapshot) =>
        [.. Directory.GetFiles(snapshot.Folder).Order().SelectMany(File.ReadAllBytes)];

    private SnapshotChunk Chunk(ulong id, long offset) =>
        new(id, offset, _content.AsMemory((int)offset, (int)Math.Min(SnapshotOutbox.ChunkBytes, _content.Length - offset)));

    /// <summary>Sends what is asked for until nothing is.</summary>
    private void Answer(SnapshotInbox inbox, ulong id, NodeId? from = null)
    {
        while (_sent.TryDequeue(out var message))
        {
            inbox.OnChunk(from ?? _sender, Chunk(id, ((SnapshotChunkRequest)message).Offset));
        }
    }

    private bool Wants(SnapshotInbox inbox)
    {
        _sent.Clear();
        inbox.Want(_sender, new(10));
        return !_sent.IsEmpty;
    }

    private ReceivedSnapshot Received()
    {
        _received.TryTake(out var snapshot, TimeSpan.FromSeconds(60)).Should().BeTrue();
        return snapshot!;
    }

    private string Problem()
    {
        _problems.TryTake(out var problem, TimeSpan.FromSeconds(60)).Should().BeTrue();
        return problem!;
    }

    private static void Until(Func<bool> condition, string what) =>
        SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(60)).Should().BeTrue(what);
}
