using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>What one node tells another over their link.</summary>
public abstract record PeerMessage;

/// <summary>A message of the Raft algorithm.</summary>
public sealed record RaftPeerMessage(Message Message) : PeerMessage;

/// <summary>A client's write on its way from the node that took it to the leader. Sent again until its fate is known.</summary>
/// <param name="Term">The term whose leader it is meant for; no other may take it.</param>
/// <param name="OldestPending">The lowest sequence number of the origin's writes that are still under way: older ones need not be remembered.</param>
/// <param name="RemainingMs">How much of the client's time limit is left, in milliseconds.</param>
/// <param name="ResultBytesMax">For how many bytes of result rows its origin has memory set apart.</param>
/// <param name="Command">The write.</param>
/// <param name="Trace">The W3C trace that it belongs to; default for none.</param>
public sealed record ForwardedWrite(
    Term Term, long OldestPending, int RemainingMs, long ResultBytesMax, WriteCommand Command, ActivityContext Trace = default) : PeerMessage;

/// <summary>The leader's word that a write did not enter the log in its term, and why.</summary>
/// <param name="Id">The write.</param>
/// <param name="Term">The leader's term.</param>
/// <param name="Failure">What its client is told.</param>
public sealed record WriteRefused(WriteId Id, Term Term, Failure Failure) : PeerMessage;

/// <summary>The leader's word that a write with this idempotency key was applied before.</summary>
/// <param name="Id">The write.</param>
/// <param name="Term">The leader's term.</param>
/// <param name="Index">Where the first one stands in the log.</param>
/// <param name="Results">The first one's outcome.</param>
public sealed record WriteRemembered(WriteId Id, Term Term, LogIndex Index, IReadOnlyList<StatementResult> Results) : PeerMessage;

/// <summary>What a node tells its peers about itself every now and then; also shows that it is there.</summary>
/// <param name="ClockMs">Its clock, in milliseconds since 1970.</param>
/// <param name="IsTrusted">Whether what it holds has been compared with the others' since its start, so that it may execute writes.</param>
/// <param name="Status">Its status as UTF-8 JSON, the same that <c>GET /status</c> answers.</param>
public sealed record NodeReport(long ClockMs, bool IsTrusted, ReadOnlyMemory<byte> Status) : PeerMessage;

/// <summary>A node whose log cannot be continued asks for a snapshot that reaches at least an index.</summary>
public sealed record SnapshotRequest(LogIndex MinIndex) : PeerMessage;

/// <summary>A snapshot that can be fetched for a while.</summary>
/// <param name="Id">Its number at its sender.</param>
/// <param name="Index">The last entry whose effects it holds.</param>
/// <param name="Term">That entry's term.</param>
/// <param name="MadeIn">The sender's term when it was made; see <see cref="RaftNode.SnapshotInstalled"/>.</param>
/// <param name="Parts">What it is made of, one after the other.</param>
/// <param name="Sha256">Hash of all parts, one after the other.</param>
public sealed record SnapshotOffer(
    ulong Id, LogIndex Index, Term Term, Term MadeIn, IReadOnlyList<SnapshotPart> Parts, ReadOnlyMemory<byte> Sha256) : PeerMessage
{
    /// <summary>Size of all parts together.</summary>
    public long ByteCount => Parts.Sum(p => p.ByteCount);
}

/// <summary>One database of a snapshot.</summary>
/// <param name="Name">The database's name.</param>
/// <param name="ByteCount">Size of its file.</param>
public readonly record struct SnapshotPart(string Name, long ByteCount);

/// <summary>Asks for the bytes at a place of a snapshot. The receiver keeps only a few of these open, and so sets the pace.</summary>
public sealed record SnapshotChunkRequest(ulong Id, long Offset) : PeerMessage;

/// <summary>Bytes of a snapshot; none where the sender does not have it any more.</summary>
public sealed record SnapshotChunk(ulong Id, long Offset, ReadOnlyMemory<byte> Bytes) : PeerMessage;

/// <summary>What a node's databases hold at the entry of a verification.</summary>
/// <param name="Index">The entry.</param>
/// <param name="WantsAnswer">The receiver's own report is missing at the sender.</param>
/// <param name="Digests">One for each database; what the bytes mean is the databases' business.</param>
public sealed record VerifyReport(LogIndex Index, bool WantsAnswer, ReadOnlyMemory<byte> Digests) : PeerMessage;

/// <summary>Asks for the rows of a table at the entry of a verification.</summary>
/// <param name="Index">The entry.</param>
/// <param name="Database">The database.</param>
/// <param name="Table">The table.</param>
/// <param name="Buckets">Which parts of it, by number.</param>
public sealed record VerifyKeysRequest(LogIndex Index, string Database, string Table, ReadOnlyMemory<byte> Buckets) : PeerMessage;

/// <summary>The rows that were asked for.</summary>
/// <param name="Index">The entry.</param>
/// <param name="Database">The database.</param>
/// <param name="Table">The table.</param>
/// <param name="Keys">What the bytes mean is the databases' business.</param>
public sealed record VerifyKeys(LogIndex Index, string Database, string Table, ReadOnlyMemory<byte> Keys) : PeerMessage;

/// <summary>Where the replicas differ at the entry of a verification, found by the one node that looked for all.</summary>
/// <param name="Index">The entry.</param>
/// <param name="Differences">What the bytes mean is replication's business.</param>
public sealed record VerifyFindings(LogIndex Index, ReadOnlyMemory<byte> Differences) : PeerMessage;

/// <summary>What an entry of the log did at a node, told to all others while one of them is in doubt about it.</summary>
/// <param name="Index">The entry.</param>
/// <param name="Observation">0 where it did what its leader recorded, else a digest of what it did instead.</param>
/// <param name="IsQuestion">The sender does not know yet who is right, and wants to hear from everybody; sent again until it does.</param>
public sealed record ReplayOpinion(LogIndex Index, ulong Observation, bool IsQuestion) : PeerMessage;

/// <summary>Asks the leader for a change of the membership; sent again until the change is seen in the log, or refused.</summary>
/// <param name="Number">The asking node's own number for it, given back in a refusal.</param>
/// <param name="Change">What is wanted.</param>
public sealed record MembershipRequest(long Number, MembershipChange Change) : PeerMessage;

/// <summary>The leader's word that a change of the membership is not to be.</summary>
/// <param name="Number">Of the request.</param>
/// <param name="Failure">Why.</param>
public sealed record MembershipRefused(long Number, Failure Failure) : PeerMessage;

/// <summary>A step of an interactive transaction, from the node that its client uses to the leader. Sent again until it is answered.</summary>
/// <param name="Term">The term whose leader it is meant for; no other may take it.</param>
/// <param name="Transaction">Which transaction; random.</param>
/// <param name="Number">Counts the transaction's requests from 1: the next is sent when the last was answered.</param>
/// <param name="RemainingMs">How much of the client's time limit is left, in milliseconds.</param>
/// <param name="Start">What the transaction is, in its first request; null in others.</param>
/// <param name="Statement">What is to be done; null in a first request that only takes its turn, and to roll back.</param>
public sealed record TransactionRequest(Term Term, Guid Transaction, int Number, int RemainingMs, TransactionStart? Start, Statement? Statement) : PeerMessage;

/// <summary>What an interactive transaction is.</summary>
/// <param name="Database">The database.</param>
/// <param name="Role">What its client may do.</param>
/// <param name="Client">Who sent it: an IP address.</param>
/// <param name="Token">The name of the client's token, or null.</param>
/// <param name="WithoutForeignKeys">Whether foreign keys are not enforced in it.</param>
/// <param name="BasisIndex">The entry as of which it has read already, so that nothing may have been written to the database since; null where it has not.</param>
public sealed record TransactionStart(string Database, TokenRole Role, string? Client, string? Token, bool WithoutForeignKeys, long? BasisIndex);

/// <summary>The leader's answer to a <see cref="TransactionRequest"/>.</summary>
/// <param name="Term">The leader's term.</param>
/// <param name="Transaction">Which transaction.</param>
/// <param name="Number">Of the request.</param>
/// <param name="IsOver">Whether the transaction has ended, without being done.</param>
/// <param name="Result">What the statement did; null where there was none, or it failed.</param>
/// <param name="Failure">Why it failed, or null.</param>
public sealed record TransactionReply(Term Term, Guid Transaction, int Number, bool IsOver, StatementResult? Result, Failure? Failure) : PeerMessage;
