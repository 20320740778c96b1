using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>The change feed (docs/adr/0019): what was committed to a database, from this node's own copy.</summary>
public sealed partial class ClusterNode
{
    /// <summary>Read at once: most followers have all that is new with it, and the others hold no more of it in memory.</summary>
    private const long ChangesBytesAtOnce = 256 << 10;

    /// <summary>How long to look for a majority that tells where the log ends.</summary>
    private static readonly TimeSpan _logEndPatience = TimeSpan.FromSeconds(1);

    /// <summary>Completes when there may be more of a database's changes than were there when it was called.</summary>
    public Task NextChanges(string database) => _databases.ChangeNews.Next(database);

    /// <summary>Completes when this node has applied an entry: before that, what it has is older than what a client has seen elsewhere.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Task WaitForAsync(LogIndex index, CancellationToken cancellationToken) => _applied.WaitForAsync(index, cancellationToken);

    /// <summary>Whether a position that this node has not reached lies beyond the end of the log, so that it is another cluster's, or of a time before this one was restored.</summary>
    /// <returns>Null where it does not, or nobody can tell.</returns>
    public async Task<ChangesResult.Gone?> FindBeyondLogAsync(ChangePosition position, CancellationToken cancellationToken)
    {
        if (position.Index <= AppliedIndex.Value)
        {
            return null;
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_logEndPatience);
        try
        {
            var end = await _raft.ReadIndexAsync(timeout.Token).ConfigureAwait(false);
            return position.Index <= end.Value ? null : new(end.Value, new(
                FailureCode.ChangesGone,
                string.Create(CultureInfo.InvariantCulture, $"Entry {position.Index} lies beyond the end of this cluster's log, which is {end}: it is another cluster's, or of one that this was restored from. Read the tables anew, and follow from the index of that answer (X-DistDb-Index).")));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>What follows a position, as far as this node has it and as much as is sent at once.</summary>
    /// <param name="database">The database.</param>
    /// <param name="after">Not beyond what this node has applied.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<ChangesResult> ReadChangesAsync(string database, ChangePosition after, CancellationToken cancellationToken)
    {
        if (Refusal() is { } refusal)
        {
            return new ChangesResult.NotDone(refusal);
        }

        var (result, _) = await ReadAsync<ChangesResult>(
            database,
            async readers =>
            {
                var reading = await readers.ReadChangesAsync(after, ChangesBytesAtOnce, cancellationToken).ConfigureAwait(false);
                return reading.IsOff && _options.ChangesBytesMax == 0 ? new ChangesResult.NotDone(ChangesOff())
                    : reading.GoneUpTo is { } oldest ? new ChangesResult.Gone(oldest, ChangesGone(database, oldest, reading.IsOff))
                    : new ChangesResult.Read(reading.Pieces);
            },
            failure => new ChangesResult.NoDatabase(failure),
            goesOn: _ => false,
            cancellationToken).ConfigureAwait(false);
        return result is null || IsClosed ? new ChangesResult.NotDone(ClosedFailure()) : result;
    }

    private static Failure ChangesOff() => new(
        FailureCode.Conflict,
        PreupdateHook.IsAvailable
            ? "This cluster keeps no changes that could be followed: its nodes run with --changes-bytes 0."
            : "This cluster keeps no changes that could be followed: its nodes' SQLite is built without the preupdate hook (ENABLE_PREUPDATE_HOOK).");

    private static Failure ChangesGone(string database, long oldest, bool isOff) => new(
        FailureCode.ChangesGone,
        isOff
            ? $"No changes of \"{database}\" are kept, as the leader has it (--changes-bytes 0)."
            : string.Create(CultureInfo.InvariantCulture, $"Changes of \"{database}\" are kept from entry {oldest} on (--changes-bytes); some that come after the one that was asked for are not there any more. Read the tables anew, and follow from the index of that answer (X-DistDb-Index)."));
}
