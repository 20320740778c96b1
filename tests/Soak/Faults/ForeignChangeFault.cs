using System.Globalization;
using System.Text.Json;
using DistDb.Tests.Soak.Clients;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Soak.Faults;

/// <summary>Somebody changes a node's database while the node is down. It must be found out at the start, and healed from the others.</summary>
internal sealed class ForeignChangeFault : DestructiveFault
{
    public override string Kind => "change a file by hand";

    protected override Func<Task<bool>> Destroy(Arena arena, Random random, int node)
    {
        var table = string.Create(CultureInfo.InvariantCulture, $"intruder_{random.NextInt64()}");
        var file = random.GetItems([.. arena.Cluster[node].DatabaseFiles.Where(f => f.EndsWith(".db", StringComparison.Ordinal))], 1)[0];
        var database = Path.GetFileNameWithoutExtension(file);
        using var connection = new SqliteConnection($"Data Source={arena.Cluster[node].PathOf(database)};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"CREATE TABLE {table}(a)";
        command.ExecuteNonQuery();
        return () => IsHealedAsync(arena, node, database, table);
    }

    private static async Task<bool> IsHealedAsync(Arena arena, int node, string database, string table)
    {
        if (!await arena.Cluster[node].IsReadyAsync())
        {
            return false;
        }

        try
        {
            var read = new SqlRequest(true, ("SELECT count(*) FROM sqlite_schema WHERE name = ?", [table])) { Database = database };
            var answer = await arena.Cluster[node].PostAsync(read.Body(id: null, isStrong: false));

            // It may have been dropped meanwhile.
            return answer is { Code: "no_such_database" } || (answer.IsOk && answer.Rows == "[[0]]");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException)
        {
            // Another fault has it by now.
            return false;
        }
    }
}
