using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// A file on its way into the cluster: a staging database with one row for each piece, written like any other, so that all nodes have the same.
/// </summary>
internal static class StagedFile
{
    /// <summary>Bytes of a piece: as many as a log entry takes beside others, few enough not to delay what shares the links.</summary>
    public const int PieceBytes = 1 << 20;

    /// <summary>Makes the table, in a new database.</summary>
    public static readonly Statement Create = new("CREATE TABLE IF NOT EXISTS pieces(number INTEGER PRIMARY KEY, bytes BLOB NOT NULL)", StatementParameters.None);

    /// <summary>Adds a piece, once however often it is sent.</summary>
    /// <param name="number">Its place, from 0.</param>
    /// <param name="bytes">At most <see cref="PieceBytes"/>.</param>
    public static Statement Insert(long number, byte[] bytes) =>
        new("INSERT OR IGNORE INTO pieces(number, bytes) VALUES (?, ?)", StatementParameters.FromPositional([SqlValue.From(number), SqlValue.From(bytes)]));

    /// <summary>Bytes of all pieces.</summary>
    /// <param name="database">The staging database's file.</param>
    /// <exception cref="StorageFailedException">It cannot be read.</exception>
    public static long Measure(string database)
    {
        using var connection = Connection.OpenReader(database);
        using var sum = connection.CreateInternal("SELECT ifnull(sum(length(bytes)), 0) FROM pieces");
        return sum.Step() ? sum.Integer(0) : 0;
    }

    /// <summary>Puts the pieces together.</summary>
    /// <param name="database">The staging database's file.</param>
    /// <param name="path">The file to write.</param>
    /// <exception cref="StorageFailedException">A file cannot be read or written.</exception>
    public static void Assemble(string database, string path)
    {
        using var connection = Connection.OpenReader(database);
        using var pieces = connection.CreateInternal("SELECT bytes FROM pieces ORDER BY number");
        try
        {
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
            while (pieces.Step())
            {
                file.Write(pieces.Blob(0));
            }
        }
        catch (IOException e)
        {
            throw new StorageFailedException(
                $"The file {path}, which is to become a database's content, could not be written: {e.Message} The database is as it was. Check the disk's space, then start the node again.",
                SqliteErrors.Full,
                e.Message);
        }
    }
}
