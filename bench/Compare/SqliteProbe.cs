using System.Diagnostics;
using DistDb.Node.Database;
using DistDb.Tools.Bench;
using Microsoft.Data.Sqlite;

namespace DistDb.Bench.Compare;

/// <summary>What SQLite does alone on this machine, in one file, by prepared statements.</summary>
internal static class SqliteProbe
{
    /// <summary>Inserts rows of about 100 bytes, in transactions that are on disk when they end.</summary>
    /// <param name="folder">Where the file goes, and is deleted in the end.</param>
    /// <param name="rowsPerCommit">How many rows are one transaction.</param>
    /// <param name="load">How long.</param>
    /// <returns>Rows in a second; the latencies are of transactions.</returns>
    public static Sample Run(string folder, int rowsPerCommit, LoadTime load)
    {
        SqliteLibrary.Initialize();
        var file = Directory.CreateDirectory(Path.Combine(folder, "sqlite"));
        try
        {
            using var connection = new SqliteConnection($"Data Source={Path.Combine(file.FullName, "probe.db")};Pooling=False");
            connection.Open();
            Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (id INTEGER PRIMARY KEY, client INTEGER, value TEXT)");
            using var insert = connection.CreateCommand();
            insert.CommandText = "INSERT INTO rows (client, value) VALUES ($client, $value)";
            insert.Parameters.AddWithValue("$client", 1);
            insert.Parameters.AddWithValue("$value", new string('v', 100));
            var latencies = new LatencyHistogram();
            var begin = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(begin) is var elapsed && elapsed < load.WarmUp + load.Measured)
            {
                var started = Stopwatch.GetTimestamp();
                using var transaction = connection.BeginTransaction();
                insert.Transaction = transaction;
                for (var i = 0; i < rowsPerCommit; i++)
                {
                    insert.ExecuteNonQuery();
                }

                transaction.Commit();
                if (elapsed >= load.WarmUp)
                {
                    latencies.Add(Stopwatch.GetElapsedTime(started));
                }
            }

            return new(
                latencies.Count * rowsPerCommit / load.Measured.TotalSeconds, latencies.Percentile(0.50).TotalMilliseconds, latencies.Percentile(0.99).TotalMilliseconds, 0);
        }
        finally
        {
            file.Delete(recursive: true);
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
