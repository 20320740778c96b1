using DistDb.Node.Raft;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace DistDb.Node.Storage;

/// <summary>A row of the table <c>entries</c> while a statement stands on it: <c>SELECT idx, term, kind, checksum, data</c>. Read without copying its data.</summary>
internal readonly ref struct EntryRow
{
    public const string Columns = "idx, term, kind, checksum, data";

    private EntryRow(LogIndex index, Term term, EntryKind kind, ReadOnlySpan<byte> data)
    {
        Index = index;
        Term = term;
        Kind = kind;
        Data = data;
    }

    public LogIndex Index { get; }

    public Term Term { get; }

    public EntryKind Kind { get; }

    /// <summary>Valid until the statement goes on.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>False where the row is not what was written.</summary>
    public static bool TryRead(SqliteDataReader reader, out EntryRow row)
    {
        row = default;
        var statement = reader.Handle;
        for (var column = 0; column < 4; column++)
        {
            if (raw.sqlite3_column_type(statement, column) != raw.SQLITE_INTEGER)
            {
                return false;
            }
        }

        if (raw.sqlite3_column_type(statement, 4) != raw.SQLITE_BLOB)
        {
            return false;
        }

        var (index, term, kind) = (raw.sqlite3_column_int64(statement, 0), raw.sqlite3_column_int64(statement, 1), raw.sqlite3_column_int64(statement, 2));
        var data = raw.sqlite3_column_blob(statement, 4);
        if (raw.sqlite3_column_int64(statement, 3) != Checksum.OfEntry(index, term, kind, data))
        {
            return false;
        }

        row = new(new(index), new(term), (EntryKind)kind, data);
        return true;
    }

    public Entry ToEntry() => new(Index, Term, Kind, Data.ToArray());
}
