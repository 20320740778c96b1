using System.Globalization;
using Dapper;
using DistDb.Data;
using DistDb.Tests.Api;

namespace DistDb.Tests.Data;

/// <summary>The provider before a cluster that asks for tokens.</summary>
public sealed class TokenTests(GuardedCluster guarded) : IClassFixture<GuardedCluster>
{
    [Fact]
    public async Task A_token_opens_what_it_may_and_is_not_shown()
    {
        await using var admin = await OpenAsync(GuardedCluster.Admin, "shop");
        admin.ConnectionString.Should().NotContain(GuardedCluster.Admin).And.Contain("shop");
        await admin.ExecuteAsync("CREATE TABLE provided (a)");
        await using var limited = await OpenAsync(guarded.Limited, "shop");
        await limited.ExecuteAsync("INSERT INTO provided VALUES (7)");
        (await admin.ExecuteScalarAsync<long>("SELECT a FROM provided")).Should().Be(7);

        // A closed connection keeps what it was given, though it does not show it.
        await limited.CloseAsync();
        await limited.OpenAsync();
        limited.ChangeDatabase("other");
        var refused = (await FluentActions.Awaiting(() => limited.ExecuteAsync("INSERT INTO provided VALUES (8)")).Should().ThrowAsync<DistDbException>()).Which;
        refused.Code.Should().Be("forbidden");
        refused.Outcome.Should().Be(DistDbOutcome.NotDone);
        refused.IsTransient.Should().BeFalse();
        refused.ToString().Should().NotContain(guarded.Limited);
    }

    [Theory]
    [InlineData("")]
    [InlineData(";Token=distdb_wrong")]
    public async Task Without_a_good_token_it_does_not_open(string token)
    {
        await using var connection = new DistDbConnection(Servers + token);
        (await FluentActions.Awaiting(() => connection.OpenAsync()).Should().ThrowAsync<DistDbException>()).Which.Code.Should().Be("unauthorized");
        connection.State.Should().Be(System.Data.ConnectionState.Closed);
    }

    private string Servers => "Servers=" + string.Join(',', guarded.Cluster.Nodes.Select(node => node.Address));

    private async Task<DistDbConnection> OpenAsync(string token, string database)
    {
        var connection = new DistDbConnection(string.Create(CultureInfo.InvariantCulture, $"{Servers};Token={token};Database={database}"));
        await connection.OpenAsync();
        return connection;
    }
}
