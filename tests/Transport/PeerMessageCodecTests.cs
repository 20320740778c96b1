using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Transport;
using DistDb.Tests.Commands;

namespace DistDb.Tests.Transport;

public sealed class PeerMessageCodecTests
{
    private static readonly NodeId _from = new(1);
    private static readonly NodeId _to = new(2);

    [Fact]
    public void Every_message_survives_the_way_to_bytes_and_back()
    {
        var random = new RandomCommands(5);
        for (var i = 0; i < 200; i++)
        {
            PeerMessage[] messages = [.. Enumerable.Range(0, Kinds).Select(kind => Message(random, kind))];
            var bytes = Encode(messages);
            var read = PeerMessageCodec.ReadAll(bytes, _from, _to);
            read.Should().HaveCount(messages.Length);
            read.Select(m => m.GetType()).Should().Equal(messages.Select(m => m.GetType()));
            Encode(read).Should().Equal(bytes);
            foreach (var (message, copy) in messages.Zip(read))
            {
                AssertSame(copy, message);
            }
        }
    }

    [Fact]
    public void Damaged_frames_are_refused_as_such()
    {
        var random = new RandomCommands(6);
        for (var i = 0; i < 40_000; i++)
        {
            var bytes = random.Damage(Encode([Message(random, i % Kinds), Message(random, random.Next(Kinds))]));
            CodecTests.OnlyInvalidData(() => PeerMessageCodec.ReadAll(bytes, _from, _to), bytes);
        }
    }

    [Fact]
    public void Noise_is_refused_as_such()
    {
        var random = new RandomCommands(7);
        for (var i = 0; i < 40_000; i++)
        {
            var bytes = random.Bytes(random.Next(60));
            CodecTests.OnlyInvalidData(() => PeerMessageCodec.ReadAll(bytes, _from, _to), bytes);
        }
    }

    private const int Kinds = 26;

    /// <summary>Records compare their lists by reference, so lists are compared by themselves.</summary>
    private static void AssertSame(PeerMessage actual, PeerMessage expected)
    {
        switch (actual, expected)
        {
            case (RaftPeerMessage { Message: AppendEntries a }, RaftPeerMessage { Message: AppendEntries e }):
                (a with { Entries = [] }).Should().Be(e with { Entries = [] });
                a.Entries.Select(Describe).Should().Equal(e.Entries.Select(Describe));
                break;
            case (ForwardedWrite a, ForwardedWrite e):
                (a with { Command = e.Command }).Should().Be(e);
                a.Command.Should().BeEquivalentTo(e.Command, options => options.WithStrictOrdering().ComparingByValue<SqlValue>());
                break;
            case (WriteRemembered a, WriteRemembered e):
                (a with { Results = [] }).Should().Be(e with { Results = [] });
                a.Results.Should().BeEquivalentTo(e.Results, options => options.WithStrictOrdering().ComparingByValue<SqlValue>());
                break;
            case (SnapshotOffer a, SnapshotOffer e):
                (a with { Sha256 = default, Parts = [] }).Should().Be(e with { Sha256 = default, Parts = [] });
                a.Parts.Should().Equal(e.Parts);
                a.Sha256.ToArray().Should().Equal(e.Sha256.ToArray());
                break;
            case (SnapshotChunk a, SnapshotChunk e):
                (a with { Bytes = default }).Should().Be(e with { Bytes = default });
                a.Bytes.ToArray().Should().Equal(e.Bytes.ToArray());
                break;
            case (VerifyReport a, VerifyReport e):
                (a with { Digests = default }).Should().Be(e with { Digests = default });
                a.Digests.ToArray().Should().Equal(e.Digests.ToArray());
                break;
            case (VerifyKeysRequest a, VerifyKeysRequest e):
                (a with { Buckets = default }).Should().Be(e with { Buckets = default });
                a.Buckets.ToArray().Should().Equal(e.Buckets.ToArray());
                break;
            case (VerifyKeys a, VerifyKeys e):
                (a with { Keys = default }).Should().Be(e with { Keys = default });
                a.Keys.ToArray().Should().Equal(e.Keys.ToArray());
                break;
            case (VerifyFindings a, VerifyFindings e):
                a.Index.Should().Be(e.Index);
                a.Differences.ToArray().Should().Equal(e.Differences.ToArray());
                break;
            case (TransactionRequest or TransactionReply, TransactionRequest or TransactionReply):
                Encode([actual]).Should().Equal(Encode([expected]));
                break;
            case (NodeReport a, NodeReport e):
                (a with { Status = default }).Should().Be(e with { Status = default });
                a.Status.ToArray().Should().Equal(e.Status.ToArray());
                break;
            default:
                actual.Should().Be(expected);
                break;
        }

        static string Describe(Entry entry) => $"{entry.Index} {entry.Term} {entry.Kind} {Convert.ToHexString(entry.Data.Span)}";
    }

    private static byte[] Encode(IEnumerable<PeerMessage> messages)
    {
        var writer = new WireWriter();
        foreach (var message in messages)
        {
            PeerMessageCodec.Write(writer, message);
        }

        return writer.ToArray();
    }

    private static PeerMessage Message(RandomCommands random, int kind)
    {
        bool Bool() => random.Next(2) == 0;
        LogIndex Index() => new(random.Next(1000));
        Term Term() => new(random.Next(1000));
        WriteId Id() => new(random.Next(9), (ulong)random.Long(), random.Long());
        var term = Term();
        return kind switch
        {
            0 => new RaftPeerMessage(new RequestVote(_from, _to, term, Index(), Term(), Bool())),
            1 => new RaftPeerMessage(new RequestVoteResponse(_from, _to, term, (ulong)random.Long(), Bool())),
            2 => new RaftPeerMessage(new PreVote(_from, _to, term, Index(), Term())),
            3 => new RaftPeerMessage(new PreVoteResponse(_from, _to, term, (ulong)random.Long(), Bool())),
            4 => new RaftPeerMessage(Append()),
            5 => new RaftPeerMessage(new AppendEntriesAccepted(_from, _to, term, (ulong)random.Long(), Index(), random.Long(), Bool())),
            6 => new RaftPeerMessage(new AppendEntriesRejected(_from, _to, term, (ulong)random.Long(), Index(), Index(), Term(), random.Long(), Bool())),
            7 => new RaftPeerMessage(new ReadIndexRequest(_from, _to, term, random.Long())),
            8 => new RaftPeerMessage(new ReadIndexResponse(_from, _to, term, random.Long(), Index())),
            9 => new RaftPeerMessage(new TimeoutNow(_from, _to, term)),
            10 => new ForwardedWrite(term, random.Long(), random.Next(10_000), random.Long(), random.Command(), random.Next(2) == 0 ? default : new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true)),
            11 => new WriteRefused(Id(), term, new(FailureCode.Constraint, random.Text(), Bool() ? null : random.Next(5000), Bool() ? null : random.Next(9))),
            12 => new WriteRemembered(Id(), term, Index(), random.Results()),
            13 => new RaftPeerMessage(new InstallSnapshot(_from, _to, term, Index(), random.Long())),
            14 => new SnapshotRequest(Index()),
            15 => new SnapshotOffer((ulong)random.Long(), Index(), term, Term(), [.. Enumerable.Range(0, random.Next(4)).Select(_ => new SnapshotPart(random.Text(), random.Next(1000)))], random.Bytes(32)),
            16 => new SnapshotChunkRequest((ulong)random.Long(), random.Long()),
            17 => new SnapshotChunk((ulong)random.Long(), random.Long(), random.Bytes(random.Next(40))),
            18 => new VerifyReport(Index(), Bool(), random.Bytes(random.Next(40))),
            19 => new VerifyKeysRequest(Index(), random.Text(), random.Text(), random.Bytes(random.Next(40))),
            20 => new VerifyKeys(Index(), random.Text(), random.Text(), random.Bytes(random.Next(40))),
            21 => new VerifyFindings(Index(), random.Bytes(random.Next(40))),
            22 => new ReplayOpinion(Index(), (ulong)random.Long(), Bool()),
            23 => new TransactionRequest(
                term,
                new(random.Bytes(16)),
                random.Next(9),
                random.Next(10_000),
                Bool() ? null : new(random.Text(), random.Role(), Bool() ? null : random.Text(), Bool() ? null : random.Text(), Bool(), Bool() ? null : random.Next(1000)),
                Bool() ? null : random.Command().Statements is [var statement, ..] ? statement : null),
            24 => new TransactionReply(
                term, new(random.Bytes(16)), random.Next(9), Bool(), Bool() ? null : new(random.Long(), random.Long(), Bool() ? null : Rows()), Bool() ? null : new(FailureCode.Busy, random.Text(), 517)),
            _ => new NodeReport(random.Long(), random.Next(2) == 0, random.Bytes(random.Next(40))),
        };

        RowSet Rows() => new([random.Text(), random.Text()], [random.Text(), random.Text()], [[SqlValue.From(1), SqlValue.Null]]) { Declared = [null, random.Text()] };

        AppendEntries Append()
        {
            var prev = Index();
            var entries = Enumerable.Range(1, random.Next(4))
                .Select(i => new Entry(prev + i, Term(), Bool() ? EntryKind.NoOp : EntryKind.Command, random.Bytes(random.Next(30)))).ToArray();
            return new(_from, _to, term, prev, Term(), entries, Index(), random.Long(), Bool());
        }
    }
}
