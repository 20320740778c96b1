using System.Globalization;
using DistDb.Tests.Linearizability;
using DistDb.Tests.Soak.Clients;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>
/// A database for each object, created and dropped with it. A few names come again and again, so that whatever is left of a dropped database
/// would be found in the next one of its name, where making its tables fails.
/// </summary>
/// <param name="name">What the names begin with.</param>
/// <param name="context">What all clients share.</param>
internal sealed class OwnDatabases(string name, SoakContext context) : IHousing
{
    private int _count;

    public int ArchivedMax => context.Options.DatabasesPerLane;

    public async Task<string> MoveInAsync(SoakClient client, long key, IReadOnlyList<string> schema)
    {
        // One in use, one about to be dropped.
        var database = string.Create(CultureInfo.InvariantCulture, $"{name}-{_count++ % (ArchivedMax + 2)}");
        await ChangeAsync(client, $"CREATE DATABASE \"{database}\"", "main", "create database");
        context.Created(database);
        foreach (var sql in schema)
        {
            await ChangeAsync(client, sql, database, "create table or index");
        }

        return database;
    }

    public async Task MoveOutAsync(SoakClient client, SoakObject old, SqlRequest removal)
    {
        if (context.Options.Sabotage != SoakSabotage.SkippedDrops)
        {
            await ChangeAsync(client, $"DROP DATABASE \"{old.Database}\"", "main", "drop database");
        }

        context.Dropped(old.Database);
        if (await client.FindDatabaseAsync(old.Database, context.Findings.Any))
        {
            context.Findings.Add(FindingKind.WrongDatabases, $"{old.Database} was dropped, and can be read.");
        }
    }

    /// <summary>Has the master do it, whoever that is by now, for as long as it takes.</summary>
    private async Task ChangeAsync(SoakClient client, string sql, string database, string operation)
    {
        var request = new SqlRequest(false, (sql, [])) { Database = database, IsSchema = true };
        var id = string.Create(CultureInfo.InvariantCulture, $"schema-{context.NextNumber()}");
        for (var node = 0; ; node = node == 0 ? client.DrawNode() : 0)
        {
            var fate = (await client.WriteAsync(node, request, id)).Fate;
            context.Statistics.Count(operation, fate);
            if (fate == Fate.Done)
            {
                return;
            }

            context.Findings.Any.ThrowIfCancellationRequested();
        }
    }
}
