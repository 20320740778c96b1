using DistDb.Node.Archive;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>The archive of the log, where this node keeps one.</summary>
public sealed partial class ClusterNode
{
    private static readonly TimeSpan _archiveInterval = TimeSpan.FromSeconds(1);

    /// <summary>The last entry that is in the archive, in a closed piece; null where this node keeps none.</summary>
    public LogIndex? ArchivedIndex => _archiver?.ArchivedIndex;

    private LogArchiver CreateArchiver(LogArchiveOptions options) =>
        new(options, Id, _storage, () => AppliedIndex, () => ClusterId, _writes.Opinions.OverruledAt, _options.TimeProvider)
        {
            Began = first => LogArchiveBegan(options.Folder, first),
            GapFound = (first, last) => LogArchiveGap(options.Folder, first, last),
            Failed = reason => LogArchiveFailed(options.Folder, reason.TrimEnd('.'), _storage.EntryBytes >> 20),
            Recovered = () => LogArchiveRecovered(options.Folder),
        };

    /// <summary>What a peer needs after a snapshot, and what is not in the archive yet.</summary>
    private LogIndex? KeepLogFrom()
    {
        var forPeers = _snapshotOutbox.KeepLogFrom(_storage.EntryBytes);
        return _archiver?.ArchivedIndex is { } archived ? LogIndex.Min(forPeers ?? archived, archived) : forPeers;
    }

    private static async Task ArchiveAsync(LogArchiver archiver, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_archiveInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                archiver.Sweep();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    [LoggerMessage(
        EventId = 450,
        Level = LogLevel.Information,
        Message = "The log's archive in {Folder} begins at entry {First}. It is of use with backups from there on: make one now, if there is none.")]
    private partial void LogArchiveBegan(string folder, LogIndex first);

    [LoggerMessage(
        EventId = 451,
        Level = LogLevel.Warning,
        Message = "The log's archive in {Folder} lacks entries {First} to {Last}: a copy of the databases took their place on this node. To restore to a point behind them, take a backup that is made from now on, or another node's archive.")]
    private partial void LogArchiveGap(string folder, LogIndex first, LogIndex last);

    [LoggerMessage(
        EventId = 452,
        Level = LogLevel.Warning,
        Message = "The log's archive in {Folder} cannot be written: {Reason}. Nothing is lost: the log keeps what is not archived, and grows (it has {LogMiB} MiB). Make room there, or see to the folder's rights; to do without an archive, start the node without --archive.")]
    private partial void LogArchiveFailed(string folder, string reason, long logMiB);

    [LoggerMessage(EventId = 453, Level = LogLevel.Information, Message = "The log's archive in {Folder} is written again, without a gap.")]
    private partial void LogArchiveRecovered(string folder);
}
