using System.Diagnostics;
using DistDb.Node.Commands;

namespace DistDb.Node.Replication;

/// <summary>A write waiting at the leader for its place in a batch.</summary>
/// <param name="Command">The write.</param>
/// <param name="Bytes">About its size.</param>
/// <param name="Deadline">When its client's time limit ends.</param>
/// <param name="ResultBytesMax">For how many bytes of result rows its node has memory set apart.</param>
/// <param name="Trace">What it belongs to; default for nothing.</param>
internal sealed record QueuedWrite(WriteCommand Command, long Bytes, Deadline Deadline, long ResultBytesMax, ActivityContext Trace = default)
{
    /// <summary>The transaction whose turn begins at this place of the queue, where it is no write but that; null for a write.</summary>
    public HostedTransaction? Turn { get; init; }
}
