using System.Security.Cryptography;
using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Replication;

/// <summary>Whole databases out and in: backups of this node's copy, and files that become databases on all nodes.</summary>
public sealed partial class ClusterNode
{
    /// <summary>Pieces of a file under way at once: as much as a node has with the leader anyway.</summary>
    private const int PiecesUnderWay = 4;

    private const long StagingSweepMs = 10_000;

    /// <summary>So long may a file on its way make no step before it is given up.</summary>
    private static readonly TimeSpan _pieceLimit = TimeSpan.FromMinutes(1);

    /// <summary>Making the content of gigabytes takes every node a while.</summary>
    private static readonly TimeSpan _loadLimit = TimeSpan.FromMinutes(30);

    private readonly HashSet<string> _staging = [];
    private long _stagingSweptAtMs;
    private Task _stagingSweep = Task.CompletedTask;

    /// <summary>A folder for files that are on their way out or in, which this node's next start empties.</summary>
    public string TransferPath => _folder.TransferPath;

    /// <summary>
    /// Copies databases as of one entry, each into a file of its own in a folder, beside whatever runs meanwhile.
    /// </summary>
    /// <param name="names">Which; those that do not exist are left out.</param>
    /// <param name="folder">A folder that exists.</param>
    /// <returns>The backups, in the order of their names; or why there are none.</returns>
    /// <exception cref="StorageFailedException">The disk failed, or is full.</exception>
    /// <exception cref="IOException">The disk failed, or is full.</exception>
    internal async Task<(IReadOnlyList<BackupDescription> Databases, Failure? Failure)> BackUpAsync(IReadOnlyCollection<string> names, string folder, CancellationToken cancellationToken)
    {
        if (Refusal() is { } refusal)
        {
            return ([], refusal);
        }

        return await Task.Run(
            () =>
            {
                try
                {
                    return BackUp(names, folder, cancellationToken);
                }
                catch (ReplicaDivergedException)
                {
                    // Whoever writes finds it too, and repairs it.
                    return ([], ClosedFailure());
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private (IReadOnlyList<BackupDescription> Databases, Failure? Failure) BackUp(IReadOnlyCollection<string> names, string folder, CancellationToken cancellationToken)
    {
        List<BackupDescription> made = [];
        using (var content = _databases.Pin(names))
        {
            if (content is null)
            {
                return ([], new(FailureCode.NotReady, "This node is not through with its own log. Nothing was done; ask another node, or this one again in a moment."));
            }

            foreach (var database in content.Databases)
            {
                cancellationToken.ThrowIfCancellationRequested();
                database.CopyTo(DatabaseFile.PathIn(folder, database.Name) + ".copy");
                made.Add(new(database.Name, content.Index, content.TimeMs, ClusterId, HasForeignKeys(database.Name)));
            }
        }

        foreach (var backup in made)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = DatabaseFile.PathIn(folder, backup.Database);
            BackupFile.Write(path + ".copy", path, backup);
        }

        return (made, null);
    }

    /// <summary>
    /// Makes a SQLite file the content of a database on every node, in one step for whoever reads; the file goes through the log before, piece by piece, while
    /// everything else goes on. Only while this node is the master.
    /// </summary>
    /// <param name="path">A file that <see cref="ForeignFile.Prepare"/> has taken.</param>
    /// <param name="name">The database, which is made where it does not exist.</param>
    /// <param name="replaces">Whether what is in it may go.</param>
    /// <param name="foreignKeys">Whether foreign keys are enforced, where it is new.</param>
    /// <param name="client">Who sent the file: an IP address.</param>
    /// <param name="token">The name of its token, or null.</param>
    /// <param name="cancellationToken">Gives it up; once the file is with the cluster it may be loaded all the same.</param>
    internal async Task<WriteResult> LoadDatabaseAsync(
        string path, string name, bool replaces, bool foreignKeys, string client, string? token, CancellationToken cancellationToken)
    {
        if (Refusal() is { } refusal)
        {
            return new WriteResult.NotDone(refusal);
        }

        var staging = DatabaseName.StagingOf(Guid.NewGuid());
        lock (_staging)
        {
            _staging.Add(staging);
        }

        var isLoaded = false;
        try
        {
            var length = new FileInfo(path).Length;
            if (await StageAsync(path, staging, cancellationToken).ConfigureAwait(false) is { } failure)
            {
                return new WriteResult.NotDone(failure);
            }

            var load = new LoadDatabaseOperation(name, staging, length, replaces, foreignKeys);
            var result = await _pending.SubmitAsync(new WriteCommand { Operation = load, Client = client, Token = token }, Deadline.After(_loadLimit))
                .WaitAsync(cancellationToken).ConfigureAwait(false);
            isLoaded = result is WriteResult.Done;
            return result;
        }
        finally
        {
            lock (_staging)
            {
                // If it was not loaded, the next sweep drops it.
                _staging.Remove(staging);
            }

            if (!isLoaded)
            {
                Interlocked.Exchange(ref _stagingSweptAtMs, 0);
            }
        }
    }

    /// <summary>Writes a file into a staging database. Null once all of it is there.</summary>
    private async Task<Failure?> StageAsync(string path, string staging, CancellationToken cancellationToken)
    {
        if ((await PersistAsync(new() { Operation = new CreateDatabaseOperation(staging, IfNotExists: true) }, cancellationToken).ConfigureAwait(false)
            ?? await PersistAsync(new() { Database = staging, Statements = [StagedFile.Create] }, cancellationToken).ConfigureAwait(false)) is { } refusal)
        {
            return refusal;
        }

        var file = new FileStream(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
        await using var _ = file.ConfigureAwait(false);
        Queue<Task<Failure?>> underWay = [];
        try
        {
            for (var number = 0L; ; number++)
            {
                var piece = new byte[(int)Math.Min(StagedFile.PieceBytes, file.Length - file.Position)];
                if (piece.Length == 0 || underWay.Count == PiecesUnderWay)
                {
                    if (underWay.Count == 0)
                    {
                        return null;
                    }

                    if (await underWay.Dequeue().ConfigureAwait(false) is { } failure)
                    {
                        return failure;
                    }
                }

                if (piece.Length > 0)
                {
                    await file.ReadExactlyAsync(piece, cancellationToken).ConfigureAwait(false);
                    underWay.Enqueue(PersistAsync(new() { Database = staging, Statements = [StagedFile.Insert(number, piece)] }, cancellationToken));
                }
            }
        }
        finally
        {
            await ((Task)Task.WhenAll(underWay)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Has a write of this node's own done, which may be sent again and again until it is. Null once it is done.</summary>
    private async Task<Failure?> PersistAsync(WriteCommand command, CancellationToken cancellationToken)
    {
        var deadline = Deadline.After(_pieceLimit);
        while (true)
        {
            var result = await _pending.SubmitAsync(command, deadline).WaitAsync(cancellationToken).ConfigureAwait(false);
            switch (result)
            {
                case WriteResult.Done:
                    return null;
                case WriteResult.NotDone { Failure.Code: FailureCode.Overloaded or FailureCode.NoQuorum or FailureCode.OutcomeUnknown or FailureCode.Timeout } when !deadline.HasPassed:
                    await Task.Delay(_options.ResendInterval, cancellationToken).ConfigureAwait(false);
                    break;
                case WriteResult.NotDone { Failure: { Code: FailureCode.NoSuchDatabase or FailureCode.NotMaster } }:
                    return new(FailureCode.Conflict, $"The master's role moved to node {Master} while the file was on its way. Nothing was changed; send it there.");
                case WriteResult.NotDone { Failure: { Code: FailureCode.OutcomeUnknown } failure }:
                    // Of the file, not of the database.
                    return failure with { Code = FailureCode.NoQuorum, Detail = $"The file did not get through: {DescribeQuorum()} Nothing was changed; send it again when a majority is there." };
                case WriteResult.NotDone { Failure: var failure }:
                    return failure;
                case var other:
                    throw new System.Diagnostics.UnreachableException(other.GetType().Name);
            }
        }
    }

    /// <summary>As the master, drops what is left of files whose sender gave up, or died, or was the master before.</summary>
    private void SweepStaging()
    {
        var now = Environment.TickCount64;
        if (Master != Id || !IsReady || !_stagingSweep.IsCompleted || now - Interlocked.Read(ref _stagingSweptAtMs) < StagingSweepMs)
        {
            return;
        }

        Interlocked.Exchange(ref _stagingSweptAtMs, now);
        List<string> abandoned;
        lock (_staging)
        {
            // One that is being made is noted before it has its name in the log.
            abandoned = [.. _databases.Names.Where(n => DatabaseName.IsStaging(n) && !_staging.Contains(n))];
        }

        if (abandoned.Count > 0)
        {
            _stagingSweep = Task.WhenAll(abandoned.Select(n => SubmitAsync(new DropDatabaseOperation(n, IfExists: true), CancellationToken.None)));
        }
    }

    /// <summary>Tells the operator that a file on its way could not be read or written.</summary>
    internal void TellCopyFailed(Exception exception) => LogCopyFailed(exception.Message);

    [LoggerMessage(EventId = 804, Level = LogLevel.Warning, Message = "A backup or a restore was given up: {Problem}")]
    private partial void LogCopyFailed(string problem);

    /// <summary>The SHA-256 of a file.</summary>
    internal static async Task<byte[]> HashAsync(string path, CancellationToken cancellationToken)
    {
        var file = new FileStream(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan });
        await using var _ = file.ConfigureAwait(false);
        return await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false);
    }
}
