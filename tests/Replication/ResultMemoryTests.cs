using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

/// <summary>What writes return takes memory, which is set apart before they are done: where there is none, they are not done.</summary>
public sealed class ResultMemoryTests
{
    private const int RowBytes = 100_000;
    private const string Insert = "INSERT INTO w(token) VALUES (?) RETURNING token, zeroblob(100000)";

    /// <param name="node">Node 0 leads.</param>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Rows_are_counted_before_the_write_is_done_and_without_room_it_is_not(int node)
    {
        await using var cluster = await TestCluster.StartAsync();
        var budget = new MemoryBudget(5 * RowBytes / 2);
        using var first = budget.Open();
        Rows(await WriteAsync(cluster, node, first, "a")).Should().ContainSingle().Which[1].Blob.Length.Should().Be(RowBytes);
        var one = budget.Taken;
        one.Should().BeInRange(RowBytes, RowBytes + 100);
        using (var second = budget.Open())
        {
            Rows(await WriteAsync(cluster, node, second, "b")).Should().ContainSingle();
            budget.Taken.Should().Be(2 * one);
            using var third = budget.Open();
            var refused = (await WriteAsync(cluster, node, third, "c")).Should().BeOfType<WriteResult.NotDone>().Which.Failure;
            refused.Code.Should().Be(FailureCode.Overloaded);
            refused.Detail.Should().Contain("Nothing was done; send it again");
            budget.Taken.Should().Be(2 * one);

            // Small results are covered by what every request may take.
            (await WriteAsync(cluster, node, third, "small", "INSERT INTO w(token) VALUES (?) RETURNING token")).Should().BeOfType<WriteResult.Done>();
            budget.Taken.Should().Be(2 * one);
        }

        using var fourth = budget.Open();
        (await WriteAsync(cluster, node, fourth, "c")).Should().BeOfType<WriteResult.Done>("there is room again");
        (await cluster.TokensAsync(node, isStrong: true)).Should().Equal("a", "b", "c", "small");
        var tooMuch = await cluster[node].WriteAsync(
            new() { Statements = [TestCluster.Sql("DELETE FROM w RETURNING token, zeroblob(100000)")] }, TestCluster.Options.RequestTimeout, budget.Open(), default);
        tooMuch.Should().BeOfType<WriteResult.NotDone>().Which.Failure.Should().Match<Failure>(f => f.Code == FailureCode.Overloaded && f.Detail.Contains("let it return less"));
        (await cluster.TokensAsync(node)).Should().HaveCount(4);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task All_results_of_a_transaction_count_and_so_does_what_is_remembered()
    {
        await using var cluster = await TestCluster.StartAsync();
        var budget = new MemoryBudget(3 * RowBytes);
        var write = new WriteCommand
        {
            Statements = [TestCluster.Sql(Insert, SqlValue.From("a")), TestCluster.Sql("SELECT token, zeroblob(100000) FROM w"), TestCluster.Sql("SELECT count(*) FROM w")],
            IsTransaction = true,
            IdempotencyKey = "once",
        };
        using (var share = budget.Open())
        {
            for (var i = 0; i < 2; i++)
            {
                var done = (await cluster[2].WriteAsync(write, TestCluster.Options.RequestTimeout, share, default)).Should().BeOfType<WriteResult.Done>().Subject;
                done.Results.Select(r => r.Rows!.Rows.Count).Should().Equal(1, 1, 1);
                if (i == 0)
                {
                    budget.Taken.Should().BeInRange(2 * RowBytes, (2 * RowBytes) + 200);
                    (await cluster[2].WriteAsync(write, TestCluster.Options.RequestTimeout, budget.Open(), default))
                        .Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.Overloaded, "two such answers are more than there is room for");
                    share.Dispose();
                }
            }
        }

        (await cluster.TokensAsync(2)).Should().Equal("a");
        budget.Taken.Should().Be(0);
    }

    private static Task<WriteResult> WriteAsync(TestCluster cluster, int node, MemoryShare memory, string token, string sql = Insert) => cluster[node].WriteAsync(
        new() { Statements = [TestCluster.Sql(sql, SqlValue.From(token))] }, TestCluster.Options.RequestTimeout, memory, default);

    private static IReadOnlyList<SqlValue[]> Rows(WriteResult result) => result.Should().BeOfType<WriteResult.Done>().Which.Results.Single().Rows!.Rows;
}
