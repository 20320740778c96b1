using System.Formats.Tar;
using System.Text;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Replication;

namespace DistDb.Node.Backups;

/// <summary>
/// Backups of several databases as of one entry in one file: a tar archive with <c>&lt;database&gt;.db</c> for each and, first, their SHA-256 in <c>SHA256SUMS</c>
/// as <c>sha256sum --check</c> reads it.
/// </summary>
internal sealed class BackupArchive
{
    private readonly string _folder;
    private readonly string _sums;

    private BackupArchive(IReadOnlyList<BackupDescription> databases, string folder, string sums)
    {
        Databases = databases;
        _folder = folder;
        _sums = sums;
    }

    /// <summary>What goes into it, in the order of the names; at least <c>main</c>.</summary>
    public IReadOnlyList<BackupDescription> Databases { get; }

    /// <summary>The entry that all of it is at.</summary>
    public long Index => Databases[0].Index;

    /// <summary>Makes backups of all of a node's databases, but for the history, which is of the cluster that wrote it.</summary>
    /// <param name="node">The node.</param>
    /// <param name="folder">A folder that exists, for the files; they are needed until the archive is written.</param>
    /// <param name="cancellationToken">Ends it between two databases.</param>
    /// <returns>What is to be written, or why there is nothing.</returns>
    /// <exception cref="StorageFailedException">The disk failed, or is full.</exception>
    /// <exception cref="IOException">The disk failed, or is full.</exception>
    public static async Task<(BackupArchive? Archive, Failure? Failure)> CollectAsync(ClusterNode node, string folder, CancellationToken cancellationToken)
    {
        var names = node.Databases.Where(n => n != DatabaseName.HistoryQuery.Value).ToList();
        var (made, failure) = await node.BackUpAsync(names, folder, cancellationToken).ConfigureAwait(false);
        return failure is null ? (await OfAsync(made, folder, cancellationToken).ConfigureAwait(false), null) : (null, failure);
    }

    /// <summary>An archive of backups that are made already.</summary>
    /// <param name="backups">At least one.</param>
    /// <param name="folder">Where their files are.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static async Task<BackupArchive> OfAsync(IReadOnlyList<BackupDescription> backups, string folder, CancellationToken cancellationToken)
    {
        var sums = new StringBuilder();
        foreach (var backup in backups)
        {
            var hash = await ClusterNode.HashAsync(DatabaseFile.PathIn(folder, backup.Database), cancellationToken).ConfigureAwait(false);
            sums.Append(Convert.ToHexStringLower(hash)).Append("  ").Append(backup.Database).Append(".db\n");
        }

        return new(backups, folder, sums.ToString());
    }

    /// <summary>Writes the archive.</summary>
    /// <exception cref="IOException">A file cannot be read, or the stream not be written.</exception>
    public async Task WriteToAsync(Stream stream, CancellationToken cancellationToken)
    {
        var tar = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true);
        await using var _ = tar.ConfigureAwait(false);
        using var list = new MemoryStream(Encoding.ASCII.GetBytes(_sums));
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "SHA256SUMS") { DataStream = list }, cancellationToken).ConfigureAwait(false);
        foreach (var backup in Databases)
        {
            await tar.WriteEntryAsync(DatabaseFile.PathIn(_folder, backup.Database), backup.Database + ".db", cancellationToken).ConfigureAwait(false);
        }
    }
}
