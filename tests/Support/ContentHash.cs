using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using DistDb.Node.Database;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Support;

/// <summary>
/// One hash over everything users put into a database file: the schema, and of each table every row with its rowid, in key order, each
/// value with its storage class. Tables behind virtual tables are included byte by byte. Replicas must agree on it.
/// </summary>
internal static class ContentHash
{
    /// <summary>The same for what a database keeps of changes for those who follow.</summary>
    public static string OfChanges(string path)
    {
        SqliteLibrary.Initialize();
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var row in Rows(connection, "SELECT floor, c.id, is_last, time_ms, sum, changes FROM _distdb_changes_state, _distdb_changes AS c ORDER BY c.id"))
        {
            Append(hash, row[..5]);
            hash.AppendData((byte[])row[5]);
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    public static string Of(string path)
    {
        SqliteLibrary.Initialize();
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var tables = new List<(string Name, string Sql)>();
        foreach (var row in Rows(
            connection,
            "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master " +
            "WHERE substr(tbl_name, 1, 8) <> '_distdb_' COLLATE NOCASE ORDER BY type, name"))
        {
            Append(hash, row);
            if ((string)row[0] == "table")
            {
                tables.Add(((string)row[1], (string)row[3]));
            }
        }

        foreach (var (name, sql) in tables)
        {
            // A virtual table's content is in the tables behind it, which follow by their own names.
            if (sql.StartsWith("CREATE VIRTUAL TABLE", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            Append(hash, [name]);
            foreach (var row in Rows(connection, TableQuery(connection, name)))
            {
                Append(hash, row);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string TableQuery(SqliteConnection connection, string table)
    {
        var quoted = $"\"{table.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        var key = Rows(connection, $"SELECT name FROM pragma_table_xinfo('{table.Replace("'", "''", StringComparison.Ordinal)}') WHERE pk > 0 ORDER BY pk")
            .Select(row => $"\"{((string)row[0]).Replace("\"", "\"\"", StringComparison.Ordinal)}\"");
        var withoutRowid = (long)Rows(
            connection, $"SELECT count(*) FROM sqlite_master WHERE name = '{table.Replace("'", "''", StringComparison.Ordinal)}' AND sql LIKE '%WITHOUT ROWID%'")
            .Single()[0] != 0;
        return withoutRowid
            ? $"SELECT * FROM {quoted} ORDER BY {string.Join(", ", key)}"
            : $"SELECT rowid, * FROM {quoted} ORDER BY rowid";
    }

    private static IEnumerable<object[]> Rows(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            yield return row;
        }
    }

    private static void Append(IncrementalHash hash, object[] row)
    {
        foreach (var value in row)
        {
            var (kind, bytes) = value switch
            {
                DBNull => ((byte)0, []),
                long integer => ((byte)1, BitConverter.GetBytes(integer)),
                double real => ((byte)2, BitConverter.GetBytes(real)),
                string text => ((byte)3, Encoding.UTF8.GetBytes(text)),
                byte[] blob => ((byte)4, blob),
                _ => throw new InvalidOperationException($"A value of {value.GetType()}."),
            };
            hash.AppendData([kind]);
            var length = bytes.Length;
            hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in length)));
            hash.AppendData(bytes);
        }
    }
}
