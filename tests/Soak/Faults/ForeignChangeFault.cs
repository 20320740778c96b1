using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Soak.Faults;

/// <summary>Somebody changes a node's database while the node is down. It must be found out at the start, and healed from the others.</summary>
internal sealed class ForeignChangeFault : Fault
{
    public override string Kind => "change a file by hand";

    public override bool NeedsPeers => true;

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        if (arena.TryClaimDestruction() is not { } right)
        {
            return false;
        }

        using (right)
        {
            if (await Victim.Any.TryClaimAsync(arena, random) is not var (node, claim))
            {
                return false;
            }

            using (arena.Announce($"{Kind} (node {node})"))
            {
                var table = string.Create(CultureInfo.InvariantCulture, $"intruder_{random.NextInt64()}");
                using (claim)
                {
                    arena.Kill(node);
                    Change(arena.Cluster[node].DatabasePath, $"CREATE TABLE {table}(a)");
                    await HoldAsync(hold, end);
                    arena.Start(node);
                }

                while (!end.IsCancellationRequested && !await IsHealedAsync(arena, node, table))
                {
                    await Task.Delay(50, CancellationToken.None);
                }
            }
        }

        return true;
    }

    private static void Change(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static async Task<bool> IsHealedAsync(Arena arena, int node, string table)
    {
        if (!await arena.Cluster[node].IsReadyAsync())
        {
            return false;
        }

        try
        {
            var answer = await arena.Cluster[node].QueryAsync("SELECT count(*) FROM sqlite_schema WHERE name = ?", table);
            return answer.IsOk && answer.Rows == "[[0]]";
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException)
        {
            // Another fault has it by now.
            return false;
        }
    }
}
