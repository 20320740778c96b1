using System.Buffers.Binary;
using System.Globalization;
using DistDb.Node.Commands;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Database;

/// <summary>
/// A SQLite file that came from outside, which is to become a database's content on every node: nothing in it is believed. It is read through, its
/// schema must be one that statements could have made here, and what differs from file to file (page size, free pages, journal) is made as in all of
/// the cluster's files.
/// </summary>
internal static class ForeignFile
{
    private const int PageBytes = 4096;
    private const int HeaderBytes = 100;
    private const int ProblemsTold = 5;
    private const int Utf8 = 1;

    /// <summary>Checks a file and makes it ready.</summary>
    /// <param name="path">The file, which is changed.</param>
    /// <param name="foreignKeys">Whether foreign keys will be enforced in it, so that they must hold.</param>
    /// <param name="cancellationToken">Ends it between two steps; the longest is SQLite's integrity check.</param>
    /// <returns>Why it cannot be taken, or null.</returns>
    /// <exception cref="IOException">The disk failed, or is full.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Failure? Prepare(string path, bool foreignKeys, CancellationToken cancellationToken)
    {
        if (RefusalOfHeader(path) is { } strange)
        {
            return strange;
        }

        try
        {
            using (var connection = Open(path))
            {
                PlainSqlite.Run(connection, "PRAGMA cell_size_check = ON");
                if (PlainSqlite.Texts(connection, $"PRAGMA integrity_check({ProblemsTold})") is var problems && problems is not ["ok"])
                {
                    return Refuse(FailureCode.BadRequest, $"SQLite finds the file damaged: {string.Join("; ", problems)}.");
                }

                cancellationToken.ThrowIfCancellationRequested();

                // A copy of a node's file, or a backup of ours.
                foreach (var table in DatabaseFile.InternalTables(connection, "main"))
                {
                    PlainSqlite.Run(connection, $"DROP TABLE {SqlName.Quote(table)}");
                }

                if (RefusalOfSchema(connection, path, cancellationToken) is { } refusal)
                {
                    return refusal;
                }

                if (foreignKeys && PlainSqlite.Texts(connection, "SELECT \"table\" || ' (to ' || parent || ')' FROM pragma_foreign_key_check LIMIT 1") is [var violation])
                {
                    return Refuse(FailureCode.Constraint, $"A foreign key of the table {violation} does not hold. Mend that, or load it into a database without foreign keys (foreign_keys=false with a new one).");
                }

                cancellationToken.ThrowIfCancellationRequested();

                // It also leaves the free pages out, in which there may be anything.
                PlainSqlite.Run(connection, "PRAGMA journal_mode = DELETE");
                PlainSqlite.Run(connection, $"PRAGMA page_size = {PageBytes}");
                PlainSqlite.Run(connection, "PRAGMA auto_vacuum = NONE");
                PlainSqlite.Run(connection, "VACUUM");
            }

            return RefusalOfHeader(path);
        }
        catch (SqliteException e) when ((e.SqliteErrorCode & 0xff) is SqliteErrors.Full)
        {
            throw new IOException(e.Message, e);
        }
        catch (SqliteException e)
        {
            return Refuse(FailureCode.BadRequest, $"SQLite cannot read the file: {e.Message}.");
        }
    }

    /// <summary>Opens a file as one that nobody else uses and in which nothing is to be believed.</summary>
    private static SqliteConnection Open(string path)
    {
        var connection = PlainSqlite.Open(path);
        try
        {
            // Its trusted_schema stays on, as Connection's does: SQLite 3.38 to 3.40 would refuse JSON functions in the schema. What it guards against are functions
            // with side effects, of which this connection has none.
            PlainSqlite.Run(connection, "PRAGMA locking_mode = EXCLUSIVE");
            PlainSqlite.Run(connection, "PRAGMA foreign_keys = OFF");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static Failure? RefusalOfHeader(string path)
    {
        const int ReservedAt = 20;
        const int EncodingAt = 56;
        var header = new byte[HeaderBytes];
        using (var file = File.OpenRead(path))
        {
            if (file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) < HeaderBytes || !header.AsSpan().StartsWith("SQLite format 3\0"u8))
            {
                return Refuse(FailureCode.BadRequest, "This is not a SQLite file.");
            }
        }

        return header[ReservedAt] != 0
            ? Refuse(FailureCode.BadRequest, "The file keeps bytes of each page free for an extension of SQLite (encryption or checksums). Write it anew without that extension.")
            : BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(EncodingAt)) is not (0 or Utf8)
            ? Refuse(FailureCode.BadRequest, "The file's text is UTF-16, and databases here are UTF-8. Import it as SQL instead, as sqlite3's .dump writes it.")
            : null;
    }

    /// <summary>Has all of the schema made once more, in a file beside, by the rules for clients' statements.</summary>
    private static Failure? RefusalOfSchema(SqliteConnection connection, string path, CancellationToken cancellationToken)
    {
        var scratch = path + ".schema";
        DatabaseFile.Delete(scratch);
        try
        {
            using var writer = DatabaseWriter.Open(scratch, new(), keepsHistory: false, foreignKeys: false);
            writer.Begin(new(1, 0, 0));

            // Virtual tables first: they make those tables that are parts of them.
            var ordinal = 0;
            foreach (var (type, name, sql) in Schema(connection))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (type == "table" && writer.HasTable(name))
                {
                    continue;
                }

                var command = new WriteCommand { Statements = [new(sql, StatementParameters.None)] };
                if (writer.Execute(command, ordinal++, new(MaySchema: true), Timeout.InfiniteTimeSpan) is WriteOutcome.Failed { Failure.Detail: var reason })
                {
                    return Refuse(FailureCode.BadRequest, string.Create(CultureInfo.InvariantCulture, $"Its {type} {SqlName.Quote(name)} cannot be here: {reason}"));
                }
            }

            writer.Rollback();
            return null;
        }
        finally
        {
            DatabaseFile.Delete(scratch);
        }
    }

    private static List<(string Type, string Name, string Sql)> Schema(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
            ORDER BY sql LIKE 'CREATE VIRTUAL%' DESC, CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, rowid
            """;
        using var rows = command.ExecuteReader();
        List<(string, string, string)> schema = [];
        while (rows.Read())
        {
            schema.Add((rows.GetString(0), rows.GetString(1), rows.GetString(2)));
        }

        return schema;
    }

    private static Failure Refuse(FailureCode code, string reason) => new(code, $"{reason} Nothing was changed.");
}
