using System.Diagnostics;
using DistDb.Node.Database;
using DistDb.Tools.Bench;
using Microsoft.Data.Sqlite;

namespace DistDb.Bench.Compare;

/// <summary>What SQLite does alone on this machine: one thread, one file, prepared statements, transactions that are on disk when they end.</summary>
internal sealed class SqliteAlone : IDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly SqliteConnection _connection;

    /// <param name="folder">Where its file goes, and is deleted in the end.</param>
    /// <param name="table">The statement that makes its table.</param>
    public SqliteAlone(string folder, string table)
    {
        SqliteLibrary.Initialize();
        _folder = Directory.CreateDirectory(Path.Combine(folder, "sqlite"));
        _connection = new($"Data Source={Path.Combine(_folder.FullName, "alone.db")};Pooling=False");
        _connection.Open();
        Execute("PRAGMA journal_mode = WAL", []);
        Execute("PRAGMA synchronous = FULL", []);
        Execute(table, []);
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
    /// <param name="perCommit">How many share one transaction.</param>
    /// <param name="load">How long.</param>
    /// <returns>How many in a second; the latencies are of transactions.</returns>
    public Sample Run(string sql, Func<object[]> values, int perCommit, LoadTime load)
    {
        using var command = Prepare(sql);
        var latencies = new LatencyHistogram();
        var begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) is var elapsed && elapsed < load.WarmUp + load.Measured)
        {
            var started = Stopwatch.GetTimestamp();
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
            if (elapsed >= load.WarmUp)
            {
                latencies.Add(Stopwatch.GetElapsedTime(started));
            }
        }

        return new(
            latencies.Count * perCommit / load.Measured.TotalSeconds, latencies.Percentile(0.50).TotalMilliseconds, latencies.Percentile(0.99).TotalMilliseconds, 0);
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
            if (i < command.Parameters.Count)
            {
                command.Parameters[i].Value = values[i];
            }
            else
            {
                command.Parameters.AddWithValue($"?{i + 1}", values[i]);
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
