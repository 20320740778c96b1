using Microsoft.Data.Sqlite;

namespace DistDb.Node.Database;

/// <summary>
/// SQLite files that are on their way out or in, on connections without what the running databases have (their clock, their rules). Their errors are
/// <see cref="SqliteException"/>.
/// </summary>
internal static class PlainSqlite
{
    /// <summary>Opens a file, or creates it.</summary>
    public static SqliteConnection Open(string path, SqliteOpenMode mode = SqliteOpenMode.ReadWriteCreate)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ToString());
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs a statement, however long it takes.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="sql">The statement.</param>
    /// <param name="file">The value of its parameter <c>$file</c>, if it has one.</param>
    public static void Run(SqliteConnection connection, string sql, string? file = null)
    {
        using var command = Command(connection, sql);
        if (file is not null)
        {
            command.Parameters.AddWithValue("$file", file);
        }

        command.ExecuteNonQuery();
    }

    /// <summary>The first column of a statement's rows, however long it takes.</summary>
    public static List<string> Texts(SqliteConnection connection, string sql)
    {
        using var command = Command(connection, sql);
        using var rows = command.ExecuteReader();
        List<string> texts = [];
        while (rows.Read())
        {
            texts.Add(rows.GetString(0));
        }

        return texts;
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        return command;
    }
}
