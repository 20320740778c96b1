using System.Collections.Concurrent;
using System.Security.Cryptography;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>Snapshots for peers; the test is the peer.</summary>
public sealed class SnapshotOutboxTests : IDisposable
{
    private const long KeptLogBytes = 1000;

    private static readonly NodeId _peer = new(2);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-outbox-");
    private readonly DirectoryInfo _snapshots;
    private readonly ConcurrentQueue<PeerMessage> _sent = new();
    private readonly ConcurrentQueue<string> _problems = new();
    private readonly DatabaseSet _databases;
    private readonly SnapshotOutbox _outbox;
    private LogIndex _logBase;

    public SnapshotOutboxTests()
    {
        SqliteLibrary.Initialize();
        _snapshots = _folder.CreateSubdirectory("snapshots");
        _databases = new(Path.Combine(_folder.FullName, "databases"), new());
        _databases.Open(confirmedIndex: 0);
        WriteUpTo(5);
        _outbox = new(
            _snapshots.FullName,
            _databases,
            index => index >= _logBase ? new(2) : throw new ArgumentOutOfRangeException(nameof(index)),
            () => new(7),
            (_, message) => _sent.Enqueue(message),
            _problems.Enqueue,
            KeptLogBytes);
    }

    public void Dispose()
    {
        _outbox.Dispose();
        _databases.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_snapshot_is_offered_with_its_place_and_the_makers_term_and_can_be_fetched()
    {
        var offer = await OfferAsync(3);

        (offer.Index, offer.Term, offer.MadeIn).Should().Be((new LogIndex(5), new Term(2), new Term(7)));
        var content = await FetchAsync(offer);
        content.Should().HaveCount((int)offer.ByteCount);
        SHA256.HashData(content).Should().Equal(offer.Sha256.ToArray());
        offer.Parts.Select(p => p.Name).Should().Equal(_databases.Names);
        var rest = content;
        foreach (var part in offer.Parts)
        {
            var copy = Path.Combine(_folder.FullName, part.Name + ".db");
            await File.WriteAllBytesAsync(copy, rest[..(int)part.ByteCount]);
            rest = rest[(int)part.ByteCount..];
            DatabaseFile.ReadAppliedIndex(copy).Should().Be(part.Name switch { "main" => 5, "other" => 2, _ => 0 });
        }

        rest.Should().BeEmpty();
    }

    [Fact]
    public async Task It_serves_others_while_it_reaches_far_enough_and_the_log_is_kept_behind_it()
    {
        Kept().Should().BeNull();
        var first = await OfferAsync(3);
        WriteUpTo(9);
        (await OfferAsync(5)).Id.Should().Be(first.Id);
        Kept().Should().Be(new LogIndex(5));

        var second = await OfferAsync(6);

        second.Index.Should().Be(new LogIndex(9));
        Kept().Should().Be(new LogIndex(9));
        _snapshots.GetDirectories().Should().ContainSingle("the older one is gone");
        (await FetchPieceAsync(first.Id, 0)).Should().BeEmpty("its receiver must ask for the newer one");
        (await FetchPieceAsync(second.Id, second.ByteCount)).Should().BeEmpty();
        (await FetchPieceAsync(second.Id, -1)).Should().BeEmpty();
    }

    [Fact]
    public async Task A_copy_is_given_up_when_more_log_than_it_is_worth_is_kept_for_it()
    {
        var offer = await OfferAsync(3);
        offer.ByteCount.Should().BeGreaterThan(KeptLogBytes);
        _outbox.KeepLogFrom(offer.ByteCount).Should().Be(new LogIndex(5));
        _outbox.KeepLogFrom(offer.ByteCount + 1).Should().BeNull();
        _snapshots.GetDirectories().Should().BeEmpty();
        (await FetchPieceAsync(offer.Id, 0)).Should().BeEmpty("its receiver must ask for a newer one");
        WriteUpTo(7);
        (await OfferAsync(3)).Index.Should().Be(new LogIndex(7));
    }

    [Fact]
    public async Task A_copy_that_fails_is_a_problem_and_leaves_nothing_behind()
    {
        _logBase = new(6);

        await _outbox.OfferAsync(_peer, new(3));

        _sent.Should().BeEmpty();
        _problems.Should().ContainSingle();
        _snapshots.GetDirectories().Should().BeEmpty();
        Kept().Should().BeNull();
        _logBase = LogIndex.Zero;
        (await OfferAsync(3)).Index.Should().Be(new LogIndex(5));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_a_problem_and_no_more()
    {
        _snapshots.Delete();
        await File.WriteAllTextAsync(_snapshots.FullName, "in the way");
        await _outbox.OfferAsync(_peer, new(3));
        _problems.Should().ContainSingle();
        File.Delete(_snapshots.FullName);
        _snapshots.Create();
        (await OfferAsync(3)).Index.Should().Be(new LogIndex(5));
    }

    [Fact]
    public async Task What_an_earlier_process_left_is_cleared()
    {
        await OfferAsync(3);
        _snapshots.CreateSubdirectory("incoming-1");
        _outbox.Clear();
        _snapshots.GetDirectories().Select(f => f.Name).Should().Equal("incoming-1");
    }

    private LogIndex? Kept() => _outbox.KeepLogFrom(logBytes: 0);

    private void WriteUpTo(long index)
    {
        while (_databases.AppliedIndex < index)
        {
            _databases.Begin(new(_databases.AppliedIndex + 1, 0, 0));
            _databases.SetClusterId(Guid.NewGuid());
            if (_databases.AppliedIndex == 1)
            {
                var create = new WriteCommand { Operation = new CreateDatabaseOperation("other", IfNotExists: false) };
                _databases.Execute(create, 0, new(MaySchema: true), TimeSpan.FromSeconds(10)).Should().BeOfType<WriteOutcome.Succeeded>();
            }

            _databases.Commit();
        }
    }

    private async Task<SnapshotOffer> OfferAsync(long minIndex)
    {
        await _outbox.OfferAsync(_peer, new(minIndex));
        _sent.TryDequeue(out var message).Should().BeTrue(string.Join('\n', _problems));
        return message.Should().BeOfType<SnapshotOffer>().Subject;
    }

    private async Task<byte[]> FetchPieceAsync(ulong id, long offset)
    {
        await _outbox.SendChunkAsync(_peer, new(id, offset));
        _sent.TryDequeue(out var message).Should().BeTrue();
        return message.Should().BeOfType<SnapshotChunk>().Which.Bytes.ToArray();
    }

    private async Task<byte[]> FetchAsync(SnapshotOffer offer)
    {
        var content = new List<byte>();
        while (content.Count < offer.ByteCount)
        {
            content.AddRange(await FetchPieceAsync(offer.Id, content.Count));
        }

        return [.. content];
    }
}
