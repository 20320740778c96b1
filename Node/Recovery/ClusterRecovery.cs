using System.Security.Cryptography;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Storage;

namespace DistDb.Node.Recovery;

/// <summary>
/// For when the majority is lost for good: makes one stopped node the only voter, and the master, of a new cluster that goes on from its log.
/// The old cluster's other nodes are refused by the new one, since it has another identity; they join again as new nodes. What they had
/// acknowledged and this node did not get is lost, which is why nobody but the operator may decide it.
/// </summary>
public static class ClusterRecovery
{
    /// <summary>Looks at a stopped node's files. Changes nothing that a start of the node would not change.</summary>
    /// <exception cref="NodeLockedException">The node is running.</exception>
    /// <exception cref="RaftStorageException">There is no log, it is damaged, or log and database do not fit each other.</exception>
    /// <exception cref="StorageFailedException">The database cannot be opened.</exception>
    public static RecoverySummary Inspect(NodeFolder folder)
    {
        using var held = NodeLock.Acquire(folder.Path);
        using var log = Open(folder);
        return Summarize(folder, log, out _);
    }

    /// <summary>
    /// Appends to the node's log that it is the only member, that the cluster is another one, and that this node is its master, all in one
    /// transaction. At its next start the node elects itself and applies all of its log.
    /// </summary>
    /// <param name="folder">The stopped node's.</param>
    /// <param name="address">Where it will be reached.</param>
    /// <param name="initialMembership">Who belonged to the cluster at first; counts only where the log does not say who belongs to it.</param>
    /// <exception cref="NodeLockedException">The node is running.</exception>
    /// <exception cref="RaftStorageException">As for <see cref="Inspect"/>, or the log cannot be written.</exception>
    /// <exception cref="StorageFailedException">The database cannot be opened.</exception>
    public static RecoverySummary Recover(NodeFolder folder, string address, Membership? initialMembership = null)
    {
        using var held = NodeLock.Acquire(folder.Path);
        using var log = Open(folder);
        var summary = Summarize(folder, log, out var timeMs);
        var clusterId = Guid.NewGuid();
        var old = summary.OldMembership ?? initialMembership ?? Membership.Empty;
        var self = new Member(folder.Node, IsVoter: true, log.LogId, address);
        var membership = old.Members.Where(m => m.Id != self.Id).Aggregate(old, (m, other) => m.Without(other.Id)).With(self);

        // As if this node had led this term; in its next one it will.
        var term = new Term(Math.Max(log.HardState.Term.Value, summary.LastTerm.Value) + 1);
        var index = summary.LastIndex;
        Entry Next(EntryKind kind, byte[] data) => new(index = index.Next, term, kind, data);
        log.AppendAsNewCluster(clusterId, new(term, folder.Node),
        [
            Next(EntryKind.Configuration, MembershipCodec.Encode(membership)),
            Next(EntryKind.Command, LogCommandCodec.Encode(new BootstrapCommand(clusterId))),
            Next(EntryKind.Command, LogCommandCodec.Encode(Promotion(folder.Node, timeMs))),
        ]);
        return summary with { NewClusterId = clusterId };
    }

    private static RaftStorage Open(NodeFolder folder)
    {
        if (!File.Exists(folder.RaftLogPath))
        {
            throw new RaftStorageException(
                $"There is no Raft log {folder.RaftLogPath}. Nothing was changed; give the data folder and the id of a node that was part of the cluster.");
        }

        return RaftStorage.Open(folder.RaftLogPath, folder.Node, new());
    }

    /// <param name="folder">The node's.</param>
    /// <param name="log">Its log.</param>
    /// <param name="timeMs">No entry has a later time.</param>
    private static RecoverySummary Summarize(NodeFolder folder, RaftStorage log, out long timeMs)
    {
        var path = folder.DatabasePath("main");
        SnapshotInstallation.Recover(folder, log);
        if (!File.Exists(path) && log.BaseIndex > LogIndex.Zero)
        {
            throw new RaftStorageException(
                $"There is no database {path}, and the Raft log {folder.RaftLogPath} begins behind entry {log.BaseIndex}: what is before is lost. Nothing was changed; recover from another node, or from a backup.");
        }

        if (DatabaseQuarantine.Find(folder) is not null)
        {
            if (log.BaseIndex > LogIndex.Zero)
            {
                throw new RaftStorageException(
                    $"The node in {folder.Path} was replacing its bad database, and had no good copy yet; its log begins behind entry {log.BaseIndex}, so it cannot be made anew. Nothing was changed; recover from another node, or from a backup.");
            }

            // The log holds everything: the database is made anew from it.
            DatabaseQuarantine.End(folder);
        }

        using var databases = new DatabaseSet(folder.DatabasesPath, new());
        databases.Open(log.BaseIndex.Value);
        if (databases.MainIndex > log.LastIndex.Value || databases.AppliedIndex < log.BaseIndex.Value)
        {
            throw new RaftStorageException(
                $"The databases in {folder.DatabasesPath} are at entry {databases.AppliedIndex}, but the Raft log {folder.RaftLogPath} reaches from behind {log.BaseIndex} to {log.LastIndex}: one of them was replaced by another copy. Nothing was changed; recover from another node, or from a backup.");
        }

        timeMs = Math.Max(databases.AppliedTimeMs, LastLoggedTimeMs(log, new(databases.AppliedIndex)));
        return new()
        {
            Node = folder.Node,
            EntryCount = log.LastIndex - log.BaseIndex,
            LastIndex = log.LastIndex,
            LastTerm = log.TermAt(log.LastIndex),
            AppliedIndex = new(databases.AppliedIndex),
            OldMembership = log.ReadConfigurations() is [.., var newest] ? MembershipCodec.Decode(newest.Data.Span) : log.BaseMembership,
            OldClusterId = log.ClusterId ?? databases.ClusterId,
        };
    }

    /// <summary>The time of the last entry that has one and is not applied; 0 where none is.</summary>
    private static long LastLoggedTimeMs(RaftStorage log, LogIndex applied)
    {
        for (var index = log.LastIndex; index > applied; index = index.Previous)
        {
            if (log.Read(index, index, 0)[0] is { Kind: EntryKind.Command } entry && LogCommandCodec.Decode(entry.Data.Span) is WriteBatch batch)
            {
                return batch.TimeMs;
            }
        }

        return 0;
    }

    private static WriteBatch Promotion(NodeId node, long afterMs) => new(
        Math.Max(afterMs, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()),
        NewNumber(),
        [
            new(
                new() { Id = new(node.Value, NewNumber(), 1), Database = "main", Statements = [], Operation = new PromoteOperation(node.Value) },
                new(0, 0)),
        ]);

    private static ulong NewNumber() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
}
