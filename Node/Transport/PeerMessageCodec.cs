using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>
/// The bytes of peer messages. A frame holds one message after another; each begins with its kind byte. Raft messages carry term, and
/// not sender and receiver, which the link knows. Integers are <see cref="WireWriter"/>'s.
/// <code>
///  1 RequestVote            term last-index last-term transfer:bool
///  2 RequestVoteResponse    term log-id:8 bytes granted:bool
///  3 PreVote                term last-index last-term
///  4 PreVoteResponse        term log-id:8 bytes granted:bool
///  5 AppendEntries          term prev-index prev-term commit read-round wants-answer:bool count count x (term kind:byte data:bytes)
///  6 AppendEntriesAccepted  term log-id:8 bytes match read-round may-vote:bool
///  7 AppendEntriesRejected  term log-id:8 bytes prev-index hint-index hint-term read-round may-vote:bool
///  8 ReadIndexRequest       term context
///  9 ReadIndexResponse      term context index
/// 10 TimeoutNow             term
/// 11 InstallSnapshot        term base-index read-round
/// 20 ForwardedWrite         term oldest-pending remaining-ms result-bytes-max command trace:bytes (none, or trace-id:16 span-id:8 flags:1)
/// 21 WriteRefused           write-id term code:byte detail has:byte (1 sqlite code, 2 statement, 4 result bytes) [sqlite code] [statement] [result bytes]
/// 22 WriteRemembered        write-id term index results
/// 23 NodeReport             clock-ms is-trusted status:bytes
/// 24 SnapshotRequest        min-index
/// 25 SnapshotOffer          id:8 bytes index term made-in count count x (name:text byte-count) sha256:bytes
/// 26 SnapshotChunkRequest   id:8 bytes offset
/// 27 SnapshotChunk          id:8 bytes offset bytes
/// 28 TransactionRequest     term id:16 bytes number remaining-ms has:byte (1 start, 2 statement) [database role:byte client token without-foreign-keys:bool basis] [statement]
/// 29 TransactionReply       term id:16 bytes number is-over:bool has:byte (1 result, 2 failure) [results, of one, then count x declared types] [failure, as in 21]
/// 30 VerifyReport           index wants-answer:bool digests:bytes
/// 31 VerifyKeysRequest      index database table buckets:bytes
/// 32 VerifyKeys             index database table keys:bytes
/// 33 VerifyFindings         index differences:bytes
/// 34 ReplayOpinion          index observation:8 bytes is-question:bool
/// 40 MembershipRequest      number kind:byte (1 join, 2 remove, 3 address) node [log-id:8 bytes address | address]
/// 41 MembershipRefused      number code:byte detail ... (as in 21)
/// </code>
/// A change of these layouts needs a new <see cref="PeerIdentity.ProtocolVersion"/>.
/// </summary>
public static class PeerMessageCodec
{
    /// <summary>Of a W3C trace context's identity.</summary>
    private const int TraceBytes = 25;

    public static void Write(WireWriter writer, PeerMessage message)
    {
        switch (message)
        {
            case RaftPeerMessage { Message: var raft }:
                WriteRaft(writer, raft);
                break;
            case ForwardedWrite m:
                writer.WriteByte(20);
                writer.WriteSigned(m.Term.Value);
                writer.WriteSigned(m.OldestPending);
                writer.WriteSigned(m.RemainingMs);
                writer.WriteSigned(m.ResultBytesMax);
                LogCommandCodec.WriteCommand(writer, m.Command);
                WriteTrace(writer, m.Trace);
                break;
            case WriteRefused m:
                writer.WriteByte(21);
                WriteId(writer, m.Id);
                writer.WriteSigned(m.Term.Value);
                WriteFailure(writer, m.Failure);
                break;
            case WriteRemembered m:
                writer.WriteByte(22);
                WriteId(writer, m.Id);
                writer.WriteSigned(m.Term.Value);
                writer.WriteSigned(m.Index.Value);
                StatementResultCodec.Write(writer, m.Results);
                break;
            case NodeReport m:
                writer.WriteByte(23);
                writer.WriteSigned(m.ClockMs);
                writer.WriteBool(m.IsTrusted);
                writer.WriteBytes(m.Status.Span);
                break;
            case SnapshotRequest m:
                writer.WriteByte(24);
                writer.WriteSigned(m.MinIndex.Value);
                break;
            case SnapshotOffer m:
                writer.WriteByte(25);
                writer.WriteFixed64(m.Id);
                writer.WriteSigned(m.Index.Value);
                writer.WriteSigned(m.Term.Value);
                writer.WriteSigned(m.MadeIn.Value);
                writer.WriteUnsigned((ulong)m.Parts.Count);
                foreach (var part in m.Parts)
                {
                    writer.WriteText(part.Name);
                    writer.WriteSigned(part.ByteCount);
                }

                writer.WriteBytes(m.Sha256.Span);
                break;
            case SnapshotChunkRequest m:
                writer.WriteByte(26);
                writer.WriteFixed64(m.Id);
                writer.WriteSigned(m.Offset);
                break;
            case SnapshotChunk m:
                writer.WriteByte(27);
                writer.WriteFixed64(m.Id);
                writer.WriteSigned(m.Offset);
                writer.WriteBytes(m.Bytes.Span);
                break;
            case TransactionRequest m:
                WriteTransaction(writer, m);
                break;
            case TransactionReply m:
                WriteTransaction(writer, m);
                break;
            case VerifyReport m:
                writer.WriteByte(30);
                writer.WriteSigned(m.Index.Value);
                writer.WriteBool(m.WantsAnswer);
                writer.WriteBytes(m.Digests.Span);
                break;
            case VerifyKeysRequest m:
                writer.WriteByte(31);
                writer.WriteSigned(m.Index.Value);
                writer.WriteText(m.Database);
                writer.WriteText(m.Table);
                writer.WriteBytes(m.Buckets.Span);
                break;
            case VerifyKeys m:
                writer.WriteByte(32);
                writer.WriteSigned(m.Index.Value);
                writer.WriteText(m.Database);
                writer.WriteText(m.Table);
                writer.WriteBytes(m.Keys.Span);
                break;
            case VerifyFindings m:
                writer.WriteByte(33);
                writer.WriteSigned(m.Index.Value);
                writer.WriteBytes(m.Differences.Span);
                break;
            case ReplayOpinion m:
                writer.WriteByte(34);
                writer.WriteSigned(m.Index.Value);
                writer.WriteFixed64(m.Observation);
                writer.WriteBool(m.IsQuestion);
                break;
            case MembershipRequest m:
                writer.WriteByte(40);
                writer.WriteSigned(m.Number);
                WriteChange(writer, m.Change);
                break;
            case MembershipRefused m:
                writer.WriteByte(41);
                writer.WriteSigned(m.Number);
                WriteFailure(writer, m.Failure);
                break;
            default:
                throw new ArgumentException($"No layout for {message.GetType().Name}.", nameof(message));
        }
    }

    /// <summary>Reads all messages of a frame.</summary>
    /// <param name="frame">The bytes.</param>
    /// <param name="from">Who sent them.</param>
    /// <param name="to">This node.</param>
    /// <exception cref="InvalidDataException">The bytes are damaged, or of a newer version.</exception>
    public static List<PeerMessage> ReadAll(ReadOnlySpan<byte> frame, NodeId from, NodeId to)
    {
        var reader = new WireReader(frame);
        var messages = new List<PeerMessage>();
        while (!reader.AtEnd)
        {
            messages.Add(Read(ref reader, from, to));
        }

        return messages;
    }

    private static void WriteTransaction(WireWriter writer, TransactionRequest message)
    {
        writer.WriteByte(28);
        writer.WriteSigned(message.Term.Value);
        writer.WriteRaw(message.Transaction.ToByteArray());
        writer.WriteSigned(message.Number);
        writer.WriteSigned(message.RemainingMs);
        writer.WriteByte((byte)((message.Start is null ? 0 : 1) | (message.Statement is null ? 0 : 2)));
        if (message.Start is { } start)
        {
            writer.WriteText(start.Database);
            writer.WriteByte((byte)start.Role);
            writer.WriteOptionalText(start.Client);
            writer.WriteOptionalText(start.Token);
            writer.WriteBool(start.WithoutForeignKeys);
            writer.WriteSigned(start.BasisIndex ?? -1);
        }

        if (message.Statement is { } statement)
        {
            LogCommandCodec.WriteStatement(writer, statement);
        }
    }

    private static TransactionRequest ReadTransactionRequest(ref WireReader reader)
    {
        var term = new Term(reader.ReadSigned());
        var id = new Guid(reader.ReadRaw(16));
        var number = reader.ReadInt32();
        var remainingMs = reader.ReadInt32();
        var has = reader.ReadByte();
        var start = (has & 1) != 0
            ? new TransactionStart(
                reader.ReadText(), LogCommandCodec.ReadRole(ref reader), reader.ReadOptionalText(), reader.ReadOptionalText(), reader.ReadBool(), reader.ReadSigned() is >= 0 and var basis ? basis : null)
            : null;
        return new(term, id, number, remainingMs, start, (has & 2) != 0 ? LogCommandCodec.ReadStatement(ref reader) : null);
    }

    private static void WriteTransaction(WireWriter writer, TransactionReply message)
    {
        writer.WriteByte(29);
        writer.WriteSigned(message.Term.Value);
        writer.WriteRaw(message.Transaction.ToByteArray());
        writer.WriteSigned(message.Number);
        writer.WriteBool(message.IsOver);
        writer.WriteByte((byte)((message.Result is null ? 0 : 1) | (message.Failure is null ? 0 : 2)));
        if (message.Result is { } result)
        {
            StatementResultCodec.Write(writer, [result]);
            foreach (var declared in result.Rows?.Declared ?? [])
            {
                writer.WriteOptionalText(declared);
            }
        }

        if (message.Failure is { } failure)
        {
            WriteFailure(writer, failure);
        }
    }

    private static TransactionReply ReadTransactionReply(ref WireReader reader)
    {
        var term = new Term(reader.ReadSigned());
        var id = new Guid(reader.ReadRaw(16));
        var number = reader.ReadInt32();
        var isOver = reader.ReadBool();
        var has = reader.ReadByte();
        StatementResult? result = null;
        if ((has & 1) != 0)
        {
            result = StatementResultCodec.Read(ref reader) is [var only] ? only : throw new InvalidDataException("An answer with several results.");
            if (result.Rows is { } rows)
            {
                var declared = new string?[rows.Columns.Count];
                for (var i = 0; i < declared.Length; i++)
                {
                    declared[i] = reader.ReadOptionalText();
                }

                result = result with { Rows = rows with { Declared = declared } };
            }
        }

        return new(term, id, number, isOver, result, (has & 2) != 0 ? ReadFailure(ref reader) : null);
    }

    private static void WriteTrace(WireWriter writer, ActivityContext trace)
    {
        Span<byte> bytes = stackalloc byte[TraceBytes];
        if (trace == default)
        {
            writer.WriteBytes([]);
            return;
        }

        trace.TraceId.CopyTo(bytes[..16]);
        trace.SpanId.CopyTo(bytes[16..24]);
        bytes[24] = (byte)trace.TraceFlags;
        writer.WriteBytes(bytes);
    }

    private static ActivityContext ReadTrace(ref WireReader reader) => reader.ReadBytes() switch
    {
        [] => default,
        { Length: TraceBytes } bytes => new(
            ActivityTraceId.CreateFromBytes(bytes.AsSpan(0, 16)), ActivitySpanId.CreateFromBytes(bytes.AsSpan(16, 8)), (ActivityTraceFlags)bytes[24], isRemote: true),
        var bytes => throw new InvalidDataException($"A trace of {bytes.Length} bytes."),
    };

    private static void WriteRaft(WireWriter writer, Message message)
    {
        void Begin(byte kind)
        {
            writer.WriteByte(kind);
            writer.WriteSigned(message.Term.Value);
            if (message is Answer { LogId: var logId })
            {
                writer.WriteFixed64(logId);
            }
        }

        switch (message)
        {
            case RequestVote m:
                Begin(1);
                writer.WriteSigned(m.LastLogIndex.Value);
                writer.WriteSigned(m.LastLogTerm.Value);
                writer.WriteBool(m.IsTransfer);
                break;
            case RequestVoteResponse m:
                Begin(2);
                writer.WriteBool(m.Granted);
                break;
            case PreVote m:
                Begin(3);
                writer.WriteSigned(m.LastLogIndex.Value);
                writer.WriteSigned(m.LastLogTerm.Value);
                break;
            case PreVoteResponse m:
                Begin(4);
                writer.WriteBool(m.Granted);
                break;
            case AppendEntries m:
                Begin(5);
                writer.WriteSigned(m.PrevLogIndex.Value);
                writer.WriteSigned(m.PrevLogTerm.Value);
                writer.WriteSigned(m.LeaderCommit.Value);
                writer.WriteSigned(m.ReadRound);
                writer.WriteBool(m.WantsAnswer);
                writer.WriteUnsigned((ulong)m.Entries.Count);
                foreach (var entry in m.Entries)
                {
                    writer.WriteSigned(entry.Term.Value);
                    writer.WriteByte((byte)entry.Kind);
                    writer.WriteBytes(entry.Data.Span);
                }

                break;
            case AppendEntriesAccepted m:
                Begin(6);
                writer.WriteSigned(m.MatchIndex.Value);
                writer.WriteSigned(m.ReadRound);
                writer.WriteBool(m.MayVote);
                break;
            case AppendEntriesRejected m:
                Begin(7);
                writer.WriteSigned(m.PrevLogIndex.Value);
                writer.WriteSigned(m.HintIndex.Value);
                writer.WriteSigned(m.HintTerm.Value);
                writer.WriteSigned(m.ReadRound);
                writer.WriteBool(m.MayVote);
                break;
            case ReadIndexRequest m:
                Begin(8);
                writer.WriteSigned(m.Context);
                break;
            case ReadIndexResponse m:
                Begin(9);
                writer.WriteSigned(m.Context);
                writer.WriteSigned(m.Index.Value);
                break;
            case TimeoutNow:
                Begin(10);
                break;
            case InstallSnapshot m:
                Begin(11);
                writer.WriteSigned(m.BaseIndex.Value);
                writer.WriteSigned(m.ReadRound);
                break;
            default:
                throw new ArgumentException($"No layout for {message.GetType().Name}.", nameof(message));
        }
    }

    private static PeerMessage Read(ref WireReader reader, NodeId from, NodeId to)
    {
        var kind = reader.ReadByte();
        switch (kind)
        {
            case <= 11:
                var term = new Term(reader.ReadSigned());
                return new RaftPeerMessage(ReadRaft(kind, ref reader, from, to, term));
            case 20:
                return new ForwardedWrite(
                    new(reader.ReadSigned()), reader.ReadSigned(), reader.ReadInt32(), reader.ReadSigned(), LogCommandCodec.ReadCommand(ref reader), ReadTrace(ref reader));
            case 21:
                return new WriteRefused(ReadId(ref reader), new(reader.ReadSigned()), ReadFailure(ref reader));
            case 22:
                return new WriteRemembered(
                    ReadId(ref reader), new(reader.ReadSigned()), new(reader.ReadSigned()), StatementResultCodec.Read(ref reader));
            case 23:
                return new NodeReport(reader.ReadSigned(), reader.ReadBool(), reader.ReadBytes());
            case 24:
                return new SnapshotRequest(ReadIndex(ref reader));
            case 25:
                return new SnapshotOffer(
                    reader.ReadFixed64(),
                    ReadIndex(ref reader),
                    new(reader.ReadSigned()),
                    new(reader.ReadSigned()),
                    ReadParts(ref reader),
                    reader.ReadBytes());
            case 26:
                return new SnapshotChunkRequest(reader.ReadFixed64(), reader.ReadSigned());
            case 27:
                return new SnapshotChunk(reader.ReadFixed64(), reader.ReadSigned(), reader.ReadBytes());
            case 28:
                return ReadTransactionRequest(ref reader);
            case 29:
                return ReadTransactionReply(ref reader);
            case 30:
                return new VerifyReport(ReadIndex(ref reader), reader.ReadBool(), reader.ReadBytes());
            case 31:
                return new VerifyKeysRequest(ReadIndex(ref reader), reader.ReadText(), reader.ReadText(), reader.ReadBytes());
            case 32:
                return new VerifyKeys(ReadIndex(ref reader), reader.ReadText(), reader.ReadText(), reader.ReadBytes());
            case 33:
                return new VerifyFindings(ReadIndex(ref reader), reader.ReadBytes());
            case 34:
                return new ReplayOpinion(ReadIndex(ref reader), reader.ReadFixed64(), reader.ReadBool());
            case 40:
                return new MembershipRequest(reader.ReadSigned(), ReadChange(ref reader));
            case 41:
                return new MembershipRefused(reader.ReadSigned(), ReadFailure(ref reader));
            default:
                throw new InvalidDataException($"A peer message of kind {kind}.");
        }
    }

    private static Message ReadRaft(byte kind, ref WireReader reader, NodeId from, NodeId to, Term term) => kind switch
    {
        1 => new RequestVote(from, to, term, ReadIndex(ref reader), new(reader.ReadSigned()), reader.ReadBool()),
        2 => new RequestVoteResponse(from, to, term, reader.ReadFixed64(), reader.ReadBool()),
        3 => new PreVote(from, to, term, ReadIndex(ref reader), new(reader.ReadSigned())),
        4 => new PreVoteResponse(from, to, term, reader.ReadFixed64(), reader.ReadBool()),
        5 => ReadAppendEntries(ref reader, from, to, term),
        6 => new AppendEntriesAccepted(from, to, term, reader.ReadFixed64(), ReadIndex(ref reader), reader.ReadSigned(), reader.ReadBool()),
        7 => new AppendEntriesRejected(
            from, to, term, reader.ReadFixed64(), ReadIndex(ref reader), ReadIndex(ref reader), new(reader.ReadSigned()), reader.ReadSigned(), reader.ReadBool()),
        8 => new ReadIndexRequest(from, to, term, reader.ReadSigned()),
        9 => new ReadIndexResponse(from, to, term, reader.ReadSigned(), ReadIndex(ref reader)),
        10 => new TimeoutNow(from, to, term),
        11 => new InstallSnapshot(from, to, term, ReadIndex(ref reader), reader.ReadSigned()),
        _ => throw new InvalidDataException($"A Raft message of kind {kind}."),
    };

    private static AppendEntries ReadAppendEntries(ref WireReader reader, NodeId from, NodeId to, Term term)
    {
        var prevLogIndex = ReadIndex(ref reader);
        var prevLogTerm = new Term(reader.ReadSigned());
        var commit = ReadIndex(ref reader);
        var readRound = reader.ReadSigned();
        var wantsAnswer = reader.ReadBool();
        var entries = new Entry[reader.ReadCount()];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = new(prevLogIndex + i + 1, new(reader.ReadSigned()), (EntryKind)reader.ReadByte(), reader.ReadBytes());
        }

        return new(from, to, term, prevLogIndex, prevLogTerm, entries, commit, readRound, wantsAnswer);
    }

    private static LogIndex ReadIndex(ref WireReader reader) => new(reader.ReadSigned());

    private static void WriteChange(WireWriter writer, MembershipChange change)
    {
        switch (change)
        {
            case JoinChange c:
                writer.WriteByte(1);
                writer.WriteSigned(c.Node.Value);
                writer.WriteFixed64(c.LogId);
                writer.WriteText(c.Address);
                break;
            case RemoveChange c:
                writer.WriteByte(2);
                writer.WriteSigned(c.Node.Value);
                break;
            case AddressChange c:
                writer.WriteByte(3);
                writer.WriteSigned(c.Node.Value);
                writer.WriteText(c.Address);
                break;
            default:
                throw new ArgumentException($"No layout for {change.GetType().Name}.", nameof(change));
        }
    }

    private static MembershipChange ReadChange(ref WireReader reader) => reader.ReadByte() switch
    {
        1 => new JoinChange(new(reader.ReadInt32()), reader.ReadFixed64(), reader.ReadText()),
        2 => new RemoveChange(new(reader.ReadInt32())),
        3 => new AddressChange(new(reader.ReadInt32()), reader.ReadText()),
        var kind => throw new InvalidDataException($"A change of the membership of kind {kind}."),
    };

    private static void WriteId(WireWriter writer, WriteId id)
    {
        writer.WriteSigned(id.Node);
        writer.WriteFixed64(id.Incarnation);
        writer.WriteSigned(id.Sequence);
    }

    private static WriteId ReadId(ref WireReader reader) => new(reader.ReadInt32(), reader.ReadFixed64(), reader.ReadSigned());

    private static void WriteFailure(WireWriter writer, Failure failure)
    {
        writer.WriteByte((byte)failure.Code);
        writer.WriteText(failure.Detail);
        writer.WriteByte((byte)((failure.SqliteCode is null ? 0 : 1) | (failure.StatementIndex is null ? 0 : 2) | (failure.ResultBytes is null ? 0 : 4)));
        if (failure.SqliteCode is { } code)
        {
            writer.WriteSigned(code);
        }

        if (failure.StatementIndex is { } index)
        {
            writer.WriteSigned(index);
        }

        if (failure.ResultBytes is { } bytes)
        {
            writer.WriteSigned(bytes);
        }
    }

    private static Failure ReadFailure(ref WireReader reader)
    {
        var code = (FailureCode)reader.ReadByte();
        var detail = reader.ReadText();
        var has = reader.ReadByte();
        return new(code, detail, (has & 1) != 0 ? reader.ReadInt32() : null, (has & 2) != 0 ? reader.ReadInt32() : null)
        {
            ResultBytes = (has & 4) != 0 ? reader.ReadSigned() : null,
        };
    }

    /// <summary>More than SQLite's largest file, 281 TB; thousands of them together are still a 64-bit number.</summary>
    private const long PartBytesMax = 1L << 49;

    private static SnapshotPart[] ReadParts(ref WireReader reader)
    {
        var parts = new SnapshotPart[reader.ReadCount()];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new(reader.ReadText(), reader.ReadSigned());
            if (parts[i].ByteCount is < 0 or > PartBytesMax)
            {
                throw new InvalidDataException($"A snapshot's part of {parts[i].ByteCount} bytes.");
            }
        }

        return parts;
    }
}
