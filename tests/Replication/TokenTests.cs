using DistDb.Node.Commands;
using DistDb.Node.Replication;
using DistDb.Tests.Database;

namespace DistDb.Tests.Replication;

/// <summary>What nodes know of tokens that were made while they heard of nothing.</summary>
public sealed class TokenTests
{
    [Fact]
    public async Task A_node_that_was_down_when_the_first_token_was_made_knows_of_it_before_it_opens()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.UntilAsync(() => cluster[2].Tokens is { All.Count: 0 }, "node 2 knows that there are no tokens");
        await cluster.CrashAsync(2);
        await MakeFirstAsync(cluster);

        cluster.Network.CutOff(2);
        await cluster.StartAsync(2);
        cluster[2].Tokens.Should().BeNull("there may be some by now");
        cluster[2].IsReady.Should().BeFalse();
        cluster.Network.Heal();
        await cluster.UntilAsync(
            () =>
            {
                var tokens = cluster[2].Tokens;
                tokens?.All.Should().ContainSingle("before it knows of it, it knows nothing");
                return tokens is not null;
            },
            "node 2 knows the token");
    }

    [Fact]
    public async Task The_leader_refuses_what_clients_without_a_token_send_through_a_node_that_has_not_heard_of_the_first()
    {
        await using var cluster = await TestCluster.StartAsync();
        await MakeFirstAsync(cluster);
        var write = new WriteCommand { Database = "main", Statements = [TestDatabase.Sql("INSERT INTO w(token) VALUES ('x')")], Client = "127.0.0.1" };
        var refused = await cluster[2].WriteAsync(write, TestCluster.Options.RequestTimeout, null, CancellationToken.None);
        refused.Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.Unauthorized);
        (await cluster[2].WriteAsync(write with { Token = "app" }, TestCluster.Options.RequestTimeout, null, CancellationToken.None)).Should().BeOfType<WriteResult.Done>();
        (await cluster.TokensAsync(2)).Should().Equal("x");
    }

    private static async Task MakeFirstAsync(TestCluster cluster) =>
        (await cluster[0].ChangeTokensAsync(new CreateTokenOperation("admin", TokenRole.Admin, [], null, new byte[32], MustBeFirst: true), CancellationToken.None))
            .Should().BeOfType<WriteResult.Done>();
}
