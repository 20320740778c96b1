using System.Diagnostics;
using DistDb.Bench.Compare;
using DistDb.Node.Database;
using Microsoft.Data.Sqlite;

namespace DistDb.Bench.Growth;

/// <summary>SQLite alone, by prepared statements in one file, with the same table and the same statements as the cluster: what growth costs anyway.</summary>
internal sealed class GrownSqlite : IDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly SqliteConnection _connection;

    /// <param name="folder">Where its file goes, and is deleted in the end.</param>
    public GrownSqlite(string folder)
    {
        SqliteLibrary.Initialize();
        _folder = Directory.CreateDirectory(Path.Combine(folder, "sqlite"));
        _connection = new($"Data Source={Path.Combine(_folder.FullName, "grown.db")};Pooling=False");
        _connection.Open();
        Execute("PRAGMA journal_mode = WAL", []);
        Execute("PRAGMA synchronous = FULL", []);
        Execute(GrowthTable.Create, []);
    }

    /// <summary>Executes one statement.</summary>
    public void Execute(string sql, object[] values)
    {
        using var command = Prepare(sql);
        Bind(command, values);
        command.ExecuteNonQuery();
    }

    /// <summary>Executes a statement again and again on this thread.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="values">Its parameters each time.</param>
    /// <param name="perCommit">How many share one transaction, which is on disk when it ends.</param>
    /// <param name="load">How long.</param>
    /// <returns>How many in a second.</returns>
    public double Run(string sql, Func<object[]> values, int perCommit, LoadTime load)
    {
        using var command = Prepare(sql);
        var count = 0L;
        var begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) is var elapsed && elapsed < load.WarmUp + load.Measured)
        {
            using var transaction = _connection.BeginTransaction(deferred: true);
            command.Transaction = transaction;
            for (var i = 0; i < perCommit; i++)
            {
                Bind(command, values());
                using var reader = command.ExecuteReader();
                while (reader.Read())
                {
                    _ = reader.GetValue(0);
                }
            }

            transaction.Commit();
            count += elapsed >= load.WarmUp ? perCommit : 0;
        }

        return count / load.Measured.TotalSeconds;
    }

    public void Dispose()
    {
        _connection.Dispose();
        _folder.Delete(recursive: true);
    }

    private static void Bind(SqliteCommand command, object[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var name = $"?{i + 1}";
            if (command.Parameters.Contains(name))
            {
                command.Parameters[name].Value = values[i];
            }
            else
            {
                command.Parameters.AddWithValue(name, values[i]);
            }
        }
    }

    private SqliteCommand Prepare(string sql)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}
