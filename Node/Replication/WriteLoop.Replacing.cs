using DistDb.Node.Database;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>A database that is bad is moved aside, and a snapshot takes its place.</summary>
internal sealed partial class WriteLoop
{
    /// <summary>Puts a snapshot in the databases' place, and lets the log begin behind it.</summary>
    private void Install()
    {
        ReceivedSnapshot snapshot;
        lock (_lock)
        {
            snapshot = _snapshot!;
            _snapshot = null;
        }

        var repair = _repair;
        var isAhead = snapshot.Index > _appliedIndex;
        var isNeeded = repair is null ? isAhead : snapshot.Index >= repair.MinIndex;
        if (isNeeded && !TryReadMembership(ref snapshot))
        {
            isNeeded = false;
        }

        if (isNeeded)
        {
            SnapshotInstallation.Begin(_folder, snapshot);
            if (repair is not null)
            {
                DatabaseQuarantine.End(_folder);
            }

            try
            {
                _databases.Replace(snapshot.Folder, snapshot.Index.Value);
            }
            catch (StorageFailedException e) when (e.IsDamage)
            {
                // Another one will be needed; this one is out of the way then.
                BeginRepair($"The snapshot at entry {snapshot.Index} is damaged: {e.Reason}.");
                SnapshotDone(snapshot, false);
                return;
            }

            try
            {
                _raft.InstallSnapshotAsync(snapshot).Wait(_stopped.Token);
            }
            catch (OperationCanceledException)
            {
                // The node stops in the middle; its next start finishes the installation.
                return;
            }

            SnapshotInstallation.End(_folder);
            lock (_lock)
            {
                _repairWanted = null;
                _repair = null;
            }

            NoteClusterId(_databases.ClusterId);
            Opinions.Begin(snapshot.Index, _databases.ReadOverruled());
            FinishEntry(snapshot.Index, 0);
            _checkpointTried = snapshot.Index;

            if (isAhead)
            {
                // Writes of this node's clients may be among the entries that were never seen here.
                _pending.Skipped();
            }

            FinishTerm(snapshot.Term);
        }
        else
        {
            // Entries came in the meantime; or it is of no use.
            Directory.Delete(snapshot.Folder, recursive: true);
        }

        SnapshotDone(snapshot, isNeeded);
    }

    /// <summary>False where the snapshot is no database of ours, whatever its sender took it for.</summary>
    private static bool TryReadMembership(ref ReceivedSnapshot snapshot)
    {
        try
        {
            snapshot = snapshot with
            {
                Membership = DatabaseFile.ReadMembership(snapshot.MainPath) is { } bytes ? MembershipCodec.Decode(bytes) : null,
            };
            return true;
        }
        catch (Exception e) when (e is StorageFailedException or FormatException)
        {
            return false;
        }
    }

    /// <summary>
    /// The database is bad. It is kept aside, and nothing more is executed or applied until a snapshot from a peer has taken its place; the
    /// log goes on meanwhile. What was proposed before has its fate from the log, through other nodes.
    /// </summary>
    private void BeginRepair(string reason)
    {
        if (_batch is { } batch)
        {
            _batch = null;
            PutBackOrDrop(batch.Unlogged.Select(u => u.Write), batch.Term);
        }

        Opinions.End();
        RepairBegins(reason);
        // Not the last entry applied: one that changes no content leaves no trace in any file, so that no copy may ever reach it.
        var reached = _databases.IsOpen ? new(_databases.AppliedIndex) : _repair?.MinIndex ?? LogIndex.Zero;
        var repair = DatabaseQuarantine.Begin(_folder, reason, LogIndex.Max(reached, _log.BaseIndex));
        lock (_lock)
        {
            _repair = repair;
        }

        _databases.MoveAside(repair.QuarantineFolder);
        MovedAside(repair);

        // A snapshot that could not be opened was in the middle of its installation.
        SnapshotInstallation.End(_folder);
    }
}
