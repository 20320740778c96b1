using DistDb.Node.Commands;
using DistDb.Node.Database;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

/// <summary>Results that are larger than what is gathered.</summary>
public sealed class RowCursorTests : IDisposable
{
    private const int RowCount = 50_000;
    private const string Many = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50000) SELECT n, NULL AS empty, 'text ' || n AS t FROM c";
    private static readonly TimeSpan _forEver = Timeout.InfiniteTimeSpan;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TestDatabase _database = new(new() { ResultBytesMax = 1_000_000, ReaderCount = 1 });

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task All_rows_come_in_order_and_the_connection_is_free_afterwards()
    {
        var (first, rest) = await BeginAsync(Many);
        var rows = new List<SqlValue[]>(first.Rows);
        rows.Should().HaveCountLessThan(RowCount / 2);
        using (rest)
        {
            RowBatch batch;
            do
            {
                batch = rest.Next();
                batch.Failure.Should().BeNull();
                rows.AddRange(batch.Rows);
            }
            while (!batch.IsLast);
        }

        rows.Select(r => r[0].Integer).Should().Equal(Enumerable.Range(1, RowCount).Select(i => (long)i));
        rows[^1][2].Text.Should().Be($"text {RowCount}");
        first.Columns.Should().Equal("n", "empty", "t");
        first.Types.Should().Equal("INTEGER", "NULL", "TEXT");
        _database.Value("SELECT 1").Integer.Should().Be(1);
    }

    [Fact]
    public async Task Rows_are_those_of_one_commit()
    {
        _database.Do("CREATE TABLE t(a)", $"INSERT INTO t SELECT t FROM ({Many})");
        var (first, rest) = await BeginAsync("SELECT a FROM t");
        _database.Do("DELETE FROM t");
        var count = first.Rows.Count;
        using (rest)
        {
            for (RowBatch batch = default; !batch.IsLast; count += batch.Rows.Count)
            {
                batch = rest.Next();
                batch.Failure.Should().BeNull();
            }
        }

        count.Should().Be(RowCount);
        _database.Value("SELECT count(*) FROM t").Integer.Should().Be(0);
    }

    [Fact]
    public async Task Whoever_does_not_take_the_rows_is_told_when_the_time_is_over()
    {
        var (_, rest) = await BeginAsync(Many, new(TimeSpan.FromSeconds(1)));
        using (rest)
        {
            await StoppedAsync(rest.Stopped);
            var batch = rest.Next();
            batch.IsLast.Should().BeTrue();
            batch.Failure!.Code.Should().Be(FailureCode.Timeout);
        }

        _database.Value("SELECT 1").Integer.Should().Be(1);
    }

    [Fact]
    public async Task A_client_that_goes_ends_the_query()
    {
        using var client = new CancellationTokenSource();
        var (_, rest) = await BeginAsync(Many, new(_forEver), client.Token);
        using (rest)
        {
            await client.CancelAsync();
            rest.Stopped.IsCancellationRequested.Should().BeTrue();
            rest.Invoking(r => r.Next()).Should().Throw<OperationCanceledException>();
        }

        _database.Value("SELECT 1").Integer.Should().Be(1);
    }

    [Fact]
    public async Task Replacing_the_file_does_not_wait_for_a_slow_client()
    {
        var (_, rest) = await BeginAsync(Many);
        var replaced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var replacing = Task.Run(() => _database.Readers.RunWhileClosed(replaced.SetResult));
        await StoppedAsync(rest.Stopped);
        replaced.Task.IsCompleted.Should().BeFalse("the file is not touched while anybody reads it");
        rest.Next().Failure!.Code.Should().Be(FailureCode.Overloaded);
        rest.Dispose();
        await replacing.WaitAsync(_patience);
        replaced.Task.IsCompleted.Should().BeTrue();

        var (_, later) = await BeginAsync(Many);
        using (later)
        {
            later.Next().Failure.Should().BeNull("later queries are not ended with it");
        }
    }

    [Fact]
    public async Task An_error_behind_the_first_rows_ends_the_result()
    {
        var (_, rest) = await BeginAsync($"SELECT iif(n = {RowCount}, abs(-9223372036854775808), t) FROM ({Many})");
        using (rest)
        {
            RowBatch batch;
            while (!(batch = rest.Next()).IsLast)
            {
                batch.Failure.Should().BeNull();
            }

            batch.Failure!.Code.Should().Be(FailureCode.SqlError);
        }
    }

    [Fact]
    public async Task A_large_row_behind_the_first_ones_is_too_large()
    {
        var (_, rest) = await BeginAsync($"SELECT iif(n = 20000, zeroblob(2000000), t) FROM ({Many})");
        using (rest)
        {
            RowBatch batch;
            while (!(batch = rest.Next()).IsLast)
            {
            }

            batch.Failure!.Code.Should().Be(FailureCode.TooLarge);
        }
    }

    [Fact]
    public async Task With_a_limit_of_rows_a_result_is_whole_or_refused()
    {
        const string Ten = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 10) SELECT n, zeroblob(60000) FROM c";
        (await QueryAsync(Ten, new(_forEver) { RowsMax = 10 })).Should().BeOfType<ReadOutcome.RowsRead>().Which.Rows.Rows.Should().HaveCount(10);
        var tooMany = (await QueryAsync(Ten, new(_forEver) { RowsMax = 9 })).Should().BeOfType<ReadOutcome.Failed>().Subject.Failure;
        tooMany.Code.Should().Be(FailureCode.TooLarge);
        tooMany.Detail.Should().Contain("9 rows").And.Contain("max_rows");
        var tooLarge = (await QueryAsync(Many, new(_forEver) { RowsMax = RowCount })).Should().BeOfType<ReadOutcome.Failed>().Subject.Failure;
        tooLarge.Code.Should().Be(FailureCode.TooLarge);
        tooLarge.Detail.Should().Contain("--max-result");
    }

    [Fact]
    public async Task Gathered_rows_count_on_the_budget_until_their_request_ends()
    {
        var budget = new MemoryBudget(150_000);
        using (var memory = budget.Open())
        {
            (await QueryAsync("SELECT zeroblob(100000)", new(_forEver) { Memory = memory })).Should().BeOfType<ReadOutcome.RowsRead>();
            budget.Taken.Should().BeInRange(100_000, 110_000);
            using var other = budget.Open();
            (await QueryAsync("SELECT zeroblob(100000)", new(_forEver) { Memory = other })).Should().BeOfType<ReadOutcome.Failed>()
                .Which.Failure.Code.Should().Be(FailureCode.Overloaded);
        }

        budget.Taken.Should().Be(0);
    }

    private static async Task StoppedAsync(CancellationToken stopped) =>
        await FluentActions.Awaiting(() => Task.Delay(_patience, stopped)).Should().ThrowAsync<OperationCanceledException>();

    private Task<ReadOutcome> QueryAsync(string sql, ReadLimits limits, CancellationToken client = default) =>
        _database.Readers.QueryAsync(Sql(sql), limits, client);

    private async Task<(RowSet First, RowCursor Cursor)> BeginAsync(string sql, ReadLimits? limits = null, CancellationToken client = default)
    {
        var begun = (await QueryAsync(sql, limits ?? new(_forEver), client)).Should().BeOfType<ReadOutcome.RowsBegun>().Subject;
        return (begun.First, begun.Rest);
    }
}
