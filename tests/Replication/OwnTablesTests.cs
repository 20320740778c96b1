using DistDb.Node.Database;
using DistDb.Node.Replication;
using DistDb.Tests.Database;

namespace DistDb.Tests.Replication;

/// <summary>
/// Statements of the cluster's own that fail without any fault of the disk: nobody is told that his write was at fault, nothing is skipped, and a node
/// whose tables are not as they were made is healed.
/// </summary>
public sealed class OwnTablesTests
{
    private const string Failing = "BEGIN SELECT abs(-9223372036854775807 - 1); END";

    /// <param name="victim">Node 0 leads.</param>
    /// <param name="change">What somebody did to its file.</param>
    /// <param name="database">Which file.</param>
    [Theory]
    [InlineData(0, $"CREATE TRIGGER bad BEFORE INSERT ON _distdb_requests {Failing}", "main")]
    [InlineData(2, $"CREATE TRIGGER bad BEFORE INSERT ON _distdb_requests {Failing}", "main")]
    [InlineData(0, $"CREATE TRIGGER bad BEFORE UPDATE OF applied_index ON _distdb_state {Failing}", "main")]
    [InlineData(2, "CREATE TRIGGER bad BEFORE UPDATE OF pin ON _distdb_state BEGIN SELECT RAISE(ABORT, 'no'); END", "main")]
    [InlineData(0, $"CREATE TRIGGER bad BEFORE INSERT ON queries {Failing}", "history_query")]
    [InlineData(2, $"CREATE TRIGGER bad BEFORE INSERT ON queries {Failing}", "history_query")]
    [InlineData(2, "ALTER TABLE _distdb_requests RENAME COLUMN results TO other", "main")]
    public async Task A_node_whose_own_tables_fail_is_healed_and_no_client_is_told_anything_of_it(int victim, string change, string database)
    {
        await using var cluster = await TestCluster.StartAsync();
        await InsertAsync(cluster, 0, "before");
        await cluster.SettleAsync();
        await cluster.CrashAsync(victim);
        cluster.Tamper(victim, change, database);
        await cluster.StartAsync(victim);
        if (victim == 0 && cluster[0].Repair is null)
        {
            await cluster.ElectAsync(0);
        }

        await InsertAsync(cluster, 1, "during");
        await cluster.UntilAsync(() => cluster.QuarantineFiles(victim).Length > 0 && cluster[victim].Repair is null, "the bad file is put aside and replaced");
        cluster.Messages.Should().Contain(m => m.Contains("is not as distdb made it"));
        await InsertAsync(cluster, victim, "after");
        await cluster.CheckAsync();
    }

    [Fact]
    public void Where_the_tables_are_as_they_should_be_it_is_no_damage_and_said_to_be_a_defect()
    {
        using var database = new TestDatabase();
        using var connection = Connection.OpenReader(database.Path);
        var failed = FluentActions.Invoking(() => connection.RunInternal("SELECT a FROM nowhere")).Should().Throw<StorageFailedException>().Which;
        failed.IsDamage.Should().BeFalse("a defect of all nodes must not make all of them put their files aside");
        failed.Message.Should().Contain("no such table: nowhere").And.Contain("defect in distdb");
    }

    private static async Task InsertAsync(TestCluster cluster, int node, string token)
    {
        for (var i = 0; i < 3; i++)
        {
            // With a key, which is remembered in the tables in question; and from a client, so that it has a place in the history.
            (await cluster.InsertAsync(node, $"{token}{i}", id: $"{token}{i}")).Should().BeOfType<WriteResult.Done>();
        }
    }
}
