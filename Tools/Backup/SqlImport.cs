using DistDb.Tools.Shell;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace DistDb.Tools.Backup;

/// <summary>Runs a file of SQL, as <c>.dump</c> writes it, into a new SQLite file on this machine.</summary>
internal static class SqlImport
{
    private const int Attach = 24;
    private const int Detach = 25;
    private const int Allow = 0;
    private const int Deny = 1;

    /// <summary>Does it.</summary>
    /// <param name="script">The SQL.</param>
    /// <param name="path">The file to make.</param>
    /// <param name="onProgress">Told now and then that there was some.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ToolException">A statement fails.</exception>
    public static async Task RunAsync(TextReader script, string path, Action onProgress, CancellationToken cancellation)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        Run(connection, "PRAGMA synchronous = OFF");
        Run(connection, "PRAGMA journal_mode = MEMORY");
        Run(connection, "PRAGMA foreign_keys = OFF");
        await foreach (var statement in ScriptReader.ReadAsync(script).WithCancellation(cancellation).ConfigureAwait(false))
        {
            onProgress();
            try
            {
                if (ScriptReader.IsCommand(statement.Text))
                {
                    throw new ToolException($"line {statement.Line}: \"{statement.Text}\" is a command of a shell, not SQL.", ExitCode.BadNews);
                }

                // Whatever the file's author wants, it reaches no other file. Each time anew, as the provider lets go of it.
                _ = raw.sqlite3_set_authorizer(connection.Handle, (object? _, int action, string? _, string? _, string? _, string? _) => action is Attach or Detach ? Deny : Allow, null);
                Run(connection, statement.Text);
            }
            catch (SqliteException e)
            {
                throw new ToolException($"line {statement.Line}: {e.Message} Nothing was imported.", ExitCode.BadNews);
            }
        }

        if (raw.sqlite3_get_autocommit(connection.Handle) == 0)
        {
            throw new ToolException("The file ends within a transaction: it may have been cut short. Nothing was imported.", ExitCode.BadNews);
        }
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = 0;
        command.ExecuteNonQuery();
    }
}
