using Dapper;
using DistDb.Data;
using DistDb.Tests.Support;

namespace DistDb.Tests.Data;

/// <summary>What the provider does beyond what SQLite's own does: <see cref="SideBySideTests"/> compares the rest.</summary>
public sealed class ProviderTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private string Servers => string.Join(',', shared.Cluster.Nodes.Select(node => node.Address));

    [Fact]
    public async Task A_connection_string_reaches_the_cluster_and_its_values_come_back_as_they_were()
    {
        await using var connection = await OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE first (id INTEGER PRIMARY KEY, name TEXT, number REAL, bytes BLOB)");
        (await connection.ExecuteAsync("INSERT INTO first (name, number, bytes) VALUES (@name, @number, @bytes)", new { name = "Änne\0😀", number = 0.1, bytes = new byte[] { 0, 255 } })).Should().Be(1);
        await connection.ExecuteAsync("INSERT INTO first VALUES (@id, @name, @number, NULL)", new { id = long.MinValue, name = "", number = double.NegativeInfinity });
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT * FROM first ORDER BY id DESC";
        await using var reader = await command.ExecuteReaderAsync();
        (await reader.ReadAsync()).Should().BeTrue();
        reader.GetInt64(0).Should().Be(1);
        reader.GetString(1).Should().Be("Änne\0😀");
        reader.GetDouble(2).Should().Be(0.1);
        reader.GetFieldValue<byte[]>(3).Should().Equal(0, 255);
        (await reader.ReadAsync()).Should().BeTrue();
        reader.GetValue(0).Should().Be(long.MinValue);
        reader.GetValue(2).Should().Be(double.NegativeInfinity);
        reader.IsDBNull(3).Should().BeTrue();
        (await reader.ReadAsync()).Should().BeFalse();
    }

    [Fact]
    public async Task A_transaction_is_seen_by_nobody_before_its_commit_and_undone_where_it_is_disposed_of()
    {
        await using var connection = await OpenAsync();
        await using var other = await OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL)");
        await using (var transaction = connection.BeginTransaction())
        {
            await connection.ExecuteAsync("INSERT INTO accounts VALUES (1, 100)", transaction: transaction);
            (await connection.ExecuteScalarAsync<int>("SELECT balance FROM accounts", transaction: transaction)).Should().Be(100);
            (await other.ExecuteScalarAsync<int>("SELECT count(*) FROM accounts")).Should().Be(0);
            await transaction.CommitAsync();
            transaction.Connection.Should().BeNull();
        }

        await using (connection.BeginTransaction(deferred: true))
        {
            await connection.ExecuteAsync("UPDATE accounts SET balance = 0");
        }

        (await other.ExecuteScalarAsync<int>("SELECT balance FROM accounts")).Should().Be(100);
    }

    private async Task<DistDbConnection> OpenAsync(string more = "")
    {
        var connection = new DistDbConnection($"Servers={Servers};{more}");
        await connection.OpenAsync();
        return connection;
    }
}
