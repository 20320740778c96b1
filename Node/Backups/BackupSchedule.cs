using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Backups;

/// <summary>
/// Makes a backup of all databases at each interval, counted from the newest one in the folder, so that restarts do not shift it. What does not succeed
/// is said, and tried again in a while.
/// </summary>
/// <param name="options">Where, how often, how many.</param>
/// <param name="isReady">Whether the node has content that is worth a backup now.</param>
/// <param name="collect">Makes backups of all databases in a folder, as <see cref="BackupArchive.CollectAsync"/> does.</param>
/// <param name="workFolder">A folder for them, which may not be there yet.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where it is said.</param>
internal sealed partial class BackupSchedule(
    BackupScheduleOptions options,
    Func<bool> isReady,
    Func<string, CancellationToken, Task<(BackupArchive? Archive, Failure? Failure)>> collect,
    string workFolder,
    TimeProvider time,
    ILogger<BackupSchedule> logger) : BackgroundService
{
    /// <summary>A node that has just been started is ready within seconds.</summary>
    private const int ReadyLooksMax = 30;

    /// <summary>Longest wait in one go: a timer takes no more than some weeks.</summary>
    private static readonly TimeSpan _waitMax = TimeSpan.FromDays(1);

    private static readonly TimeSpan _readyLookInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _retryIntervalMax = TimeSpan.FromMinutes(5);

    private readonly BackupFolder _folder = new(options.Folder);
    private readonly ILogger _logger = logger;

    /// <summary>After a failure it is tried again in this time.</summary>
    private TimeSpan RetryInterval => options.Interval < _retryIntervalMax ? options.Interval : _retryIntervalMax;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var due = FindDue();
                while (due is { } at && time.GetUtcNow() is var now && at > now)
                {
                    await Task.Delay(at - now < _waitMax ? at - now : _waitMax, time, stoppingToken).ConfigureAwait(false);
                }

                if (due is null || !await TryBackUpAsync(stoppingToken).ConfigureAwait(false))
                {
                    await Task.Delay(RetryInterval, time, stoppingToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    /// <summary>When the next backup is to be made; null where the folder cannot be used, which is said.</summary>
    private DateTimeOffset? FindDue()
    {
        try
        {
            // At once, so that a wrong folder is not first found out in an hour.
            _folder.Create();
            return NextAfter(_folder.Newest);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogFailed($"The folder {_folder.Path} cannot be used: {e.Message}", RetryInterval);
            return null;
        }
    }

    private DateTimeOffset NextAfter(DateTimeOffset? newest)
    {
        // One from the future was made while the clock was wrong.
        var now = time.GetUtcNow();
        return newest is not { } last ? now : (last < now ? last : now) + options.Interval;
    }

    private async Task<bool> TryBackUpAsync(CancellationToken cancellationToken)
    {
        for (var look = 0; look < ReadyLooksMax && !isReady(); look++)
        {
            await Task.Delay(_readyLookInterval, time, cancellationToken).ConfigureAwait(false);
        }

        var folder = Path.Combine(workFolder, Guid.NewGuid().ToString("n"));
        try
        {
            using var turn = _folder.TryEnter();
            if (turn is null)
            {
                // Another node's will do, and if it comes to nothing, this one's turn comes.
                return false;
            }

            if (_folder.Newest is { } newest && newest <= time.GetUtcNow() && NextAfter(newest) > time.GetUtcNow())
            {
                return true;
            }

            Directory.CreateDirectory(folder);
            var (archive, failure) = await collect(folder, cancellationToken).ConfigureAwait(false);
            if (archive is null)
            {
                LogFailed(failure!.Detail, RetryInterval);
                return false;
            }

            var (path, bytes) = await _folder.WriteAsync(archive, time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
            LogMade(archive.Databases.Count, path, bytes, archive.Index);
            DeleteOldest();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StorageFailedException)
        {
            LogFailed(e.Message, RetryInterval);
            return false;
        }
        finally
        {
            DeleteWork(folder);
        }
    }

    private void DeleteWork(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogWorkNotDeleted(folder, e.Message.TrimEnd('.'));
        }
    }

    private void DeleteOldest()
    {
        try
        {
            _folder.DeleteOldest(options.KeptCount);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotDeleted(_folder.Path, e.Message.TrimEnd('.'));
        }
    }

    private void LogFailed(string reason, TimeSpan retryInterval) => LogFailed(_folder.Path, reason.TrimEnd('.'), retryInterval);

    [LoggerMessage(EventId = 801, Level = LogLevel.Information, Message = "Backed up {Count} databases to {Path}: {Bytes} bytes, as of entry {Index}.")]
    private partial void LogMade(int count, string path, long bytes, long index);

    [LoggerMessage(
        EventId = 802,
        Level = LogLevel.Warning,
        Message = "The scheduled backup to {Folder} was not made: {Reason}. Earlier backups are kept. It is tried again in {RetryInterval}; see that the folder can be written and that its disk, and the node's, have room.")]
    private partial void LogFailed(string folder, string reason, TimeSpan retryInterval);

    [LoggerMessage(EventId = 803, Level = LogLevel.Warning, Message = "Old backups in {Folder} could not be deleted: {Reason}. The next backup tries it again; until then the folder grows.")]
    private partial void LogNotDeleted(string folder, string reason);

    [LoggerMessage(EventId = 805, Level = LogLevel.Warning, Message = "What a backup was made of could not be deleted in {Folder}: {Reason}. The node's next start deletes it.")]
    private partial void LogWorkNotDeleted(string folder, string reason);
}
