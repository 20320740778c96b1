using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Archive;

/// <summary>A cluster's log, as far as folders of archived pieces have it: any pieces of any of its nodes, which may overlap.</summary>
internal sealed class ArchivedLog
{
    private readonly Guid _clusterId;
    private readonly List<ArchivedPiece> _pieces;

    private ArchivedLog(Guid clusterId, List<ArchivedPiece> pieces)
    {
        _clusterId = clusterId;
        _pieces = pieces;
    }

    /// <summary>What the pieces that were read say of the SQLite by which their entries were executed.</summary>
    public HashSet<string> SqliteFingerprints { get; } = [];

    /// <summary>Looks at what there is.</summary>
    /// <param name="folders">Where pieces are.</param>
    /// <param name="clusterId">Whose are wanted.</param>
    /// <exception cref="PointInTimeException">There are none.</exception>
    public static ArchivedLog Open(IReadOnlyList<string> folders, Guid clusterId)
    {
        List<ArchivedPiece> all = [];
        foreach (var folder in folders)
        {
            try
            {
                all.AddRange(ArchivedPiece.List(folder));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new PointInTimeException($"The archive {folder} cannot be read: {e.Message}", e);
            }
        }

        var own = all.Where(p => p.ClusterId == clusterId).OrderBy(p => p.First).ToList();
        var names = string.Join(" and ", folders);
        return own.Count > 0 ? new(clusterId, own)
            : all.Count == 0 ? throw new PointInTimeException($"There are no pieces of a log (distdb-log-*.db) in {names}. Give the folder that a node's --archive names.")
            : throw new PointInTimeException(
                $"The backup is of the cluster {clusterId}, and what is in {names} of {string.Join(" and ", all.Select(p => p.ClusterId).Distinct())}. Give the archive of a node of the same cluster.");
    }

    /// <summary>Entries in order, without a gap, as far as there are any.</summary>
    /// <param name="from">The first.</param>
    /// <exception cref="PointInTimeException">A piece is damaged.</exception>
    public IEnumerable<ArchivedEntry> Read(LogIndex from)
    {
        ArchivedPiece? best = null;
        var looked = 0;
        for (var next = from; ;)
        {
            for (; looked < _pieces.Count && _pieces[looked].First <= next; looked++)
            {
                best = best is null || _pieces[looked].Last > best.Last ? _pieces[looked] : best;
            }

            if (best is null || best.Last < next)
            {
                yield break;
            }

            foreach (var entry in Read(best, next))
            {
                yield return entry;
            }

            next = best.Last.Next;
        }
    }

    /// <summary>Entries up to one in order, with whatever gaps there are.</summary>
    public IEnumerable<ArchivedEntry> ReadUpTo(LogIndex last)
    {
        for (LogIndex? from = new LogIndex(1); from <= last;)
        {
            var next = from.Value;
            foreach (var entry in Read(next).TakeWhile(e => e.Entry.Index <= last))
            {
                next = entry.Entry.Index.Next;
                yield return entry;
            }

            from = FirstBehind(next);
        }
    }

    /// <summary>The first entry that there is behind a position where there is none; null where there is none any more.</summary>
    public LogIndex? FirstBehind(LogIndex index) => _pieces.Find(p => p.First > index)?.First;

    private IEnumerable<ArchivedEntry> Read(ArchivedPiece piece, LogIndex from)
    {
        using var connection = Guard(piece, () => PlainSqlite.Open(piece.Path, SqliteOpenMode.ReadOnly));
        Guard(piece, () =>
        {
            CheckHead(piece, connection);
            return true;
        });
        using var select = connection.CreateCommand();
        select.CommandText = $"SELECT {EntryRow.Columns}, overruled FROM entries WHERE idx >= $from ORDER BY idx";
        select.Parameters.AddWithValue("$from", from.Value);
        using var rows = Guard(piece, select.ExecuteReader);
        var next = from;
        while (Guard(piece, rows.Read))
        {
            if (!EntryRow.TryRead(rows, out var row) || row.Index != next || next > piece.Last)
            {
                throw Damaged(piece, $"entry {next} is not what was written");
            }

            var entry = new ArchivedEntry(row.ToEntry(), rows.IsDBNull(5) ? null : unchecked((ulong)rows.GetInt64(5)));
            next = next.Next;
            yield return entry;
        }

        if (next != piece.Last.Next)
        {
            throw Damaged(piece, $"entry {next} is missing");
        }
    }

    private void CheckHead(ArchivedPiece piece, SqliteConnection connection)
    {
        using var select = connection.CreateCommand();
        select.CommandText = "SELECT format, cluster_id, node, first_index, last_index, sqlite FROM piece";
        using var row = select.ExecuteReader();
        if (!row.Read())
        {
            throw Damaged(piece, "it does not say what it is");
        }

        if (row.GetInt64(0) is var format && format != ArchivePieceWriter.Format)
        {
            throw new PointInTimeException($"{piece.Path} has format {format}, and this version of distdb reads format {ArchivePieceWriter.Format}. Use the version that wrote it, or a newer one.");
        }

        if (row.GetString(1) != _clusterId.ToString() || row.GetInt64(2) != piece.Node.Value || row.GetInt64(3) != piece.First.Value || row.GetInt64(4) != piece.Last.Value)
        {
            throw Damaged(piece, "it is not what its name says");
        }

        SqliteFingerprints.Add(row.GetString(5));
    }

    private static T Guard<T>(ArchivedPiece piece, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is SqliteException or InvalidCastException)
        {
            throw Damaged(piece, e.Message, e);
        }
    }

    private static PointInTimeException Damaged(ArchivedPiece piece, string what, Exception? inner = null) => new(
        $"The piece {piece.Path} of the log is damaged: {what.TrimEnd('.')}. Move it out of the folder and add another node's archive, which has these entries too; without one, restore to a point before entry {piece.First}.",
        inner);
}
