using DistDb.Node.Commands;
using DistDb.Node.Database;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

public sealed class ReadPoolTests : IDisposable
{
    private const string Endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0";

    private readonly TestDatabase _database = new(new() { ResultBytesMax = 100_000, ReaderCount = 2, StatementCacheSize = 2 });

    public void Dispose() => _database.Dispose();

    [Fact]
    public async Task A_query_ends_at_its_time_limit()
    {
        var outcome = await _database.Readers.QueryAsync(Sql(Endless), new(TimeSpan.FromMilliseconds(30)), CancellationToken.None);
        outcome.Should().BeOfType<ReadOutcome.Failed>().Subject.Failure.Code.Should().Be(FailureCode.Timeout);
        _database.Value("SELECT 1").Integer.Should().Be(1);
    }

    [Fact]
    public async Task Cancelling_stops_a_running_query()
    {
        using var source = new CancellationTokenSource();
        var query = Task.Run(() => _database.Readers.QueryAsync(Sql(Endless), new(Timeout.InfiniteTimeSpan), source.Token));
        await source.CancelAsync();
        await FluentActions.Awaiting(() => query).Should().ThrowAsync<OperationCanceledException>();
        _database.Value("SELECT 1").Integer.Should().Be(1);
    }

    [Fact]
    public async Task A_query_that_finds_all_readers_busy_waits_and_then_gives_up()
    {
        using var source = new CancellationTokenSource();
        var busy = Enumerable.Range(0, 2)
            .Select(_ => Task.Run(() => _database.Readers.QueryAsync(Sql(Endless), new(Timeout.InfiniteTimeSpan), source.Token)))
            .ToList();
        ReadOutcome outcome;
        do
        {
            // Until both have started, a query may still find a reader.
            outcome = await _database.Readers.QueryAsync(Sql("SELECT 1"), new(TimeSpan.FromMilliseconds(5)), CancellationToken.None);
        }
        while (outcome is not ReadOutcome.Failed { Failure.Code: FailureCode.Overloaded });

        using var impatient = new CancellationTokenSource();
        var waiting = _database.Readers.QueryAsync(Sql("SELECT 1"), new(Timeout.InfiniteTimeSpan), impatient.Token);
        var patient = _database.Readers.QueryAsync(Sql("SELECT 1"), new(Timeout.InfiniteTimeSpan), CancellationToken.None);
        await impatient.CancelAsync();
        await FluentActions.Awaiting(() => waiting).Should().ThrowAsync<OperationCanceledException>();
        await source.CancelAsync();
        await FluentActions.Awaiting(() => Task.WhenAll(busy)).Should().ThrowAsync<OperationCanceledException>();
        (await patient).Should().BeOfType<ReadOutcome.RowsRead>();
    }

    [Fact]
    public void A_row_or_a_writes_result_beyond_the_limit_is_too_large_and_says_what_to_do()
    {
        var failure = _database.Query("SELECT zeroblob(60000), zeroblob(60000)").Should().BeOfType<ReadOutcome.Failed>().Subject.Failure;
        failure.Code.Should().Be(FailureCode.TooLarge);
        failure.Detail.Should().Contain("substr()");

        _database.Do("CREATE TABLE t(a)");
        _database.Fail("INSERT INTO t VALUES (zeroblob(200000)) RETURNING a").Code.Should().Be(FailureCode.TooLarge);
        _database.Value("SELECT count(*) FROM t").Integer.Should().Be(0);
    }

    [Fact]
    public void A_finished_query_holds_no_snapshot_back()
    {
        _database.Do("CREATE TABLE t(a)", "INSERT INTO t VALUES (1), (2)");
        _database.Rows("SELECT a FROM t").Rows.Should().HaveCount(2);
        _database.Query("SELECT abs(-9223372036854775808) FROM t").Should().BeOfType<ReadOutcome.Failed>();
        _database.Do("INSERT INTO t VALUES (3)");
        _database.Writer.Checkpoint().Should().Be(_database.Writer.AppliedIndex);
        _database.Rows("SELECT a FROM t").Rows.Should().HaveCount(3);
    }

    [Fact]
    public async Task A_running_query_sees_one_commit_while_the_writer_goes_on()
    {
        _database.Do("CREATE TABLE t(a)", "INSERT INTO t VALUES (1)");
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            var counts = new List<long>();
            do
            {
                var outcome = await _database.Readers.QueryAsync(
                    Sql("SELECT (SELECT count(*) FROM t) - (SELECT max(a) FROM t)"), new(Timeout.InfiniteTimeSpan), CancellationToken.None);
                counts.Add(((ReadOutcome.RowsRead)outcome).Rows.Rows[0][0].Integer);
            }
            while (!stop.IsCancellationRequested);

            return counts;
        });
        for (var i = 2; i < 300; i++)
        {
            _database.Do($"INSERT INTO t VALUES ({i})");
        }

        await stop.CancelAsync();
        (await reading).Should().OnlyContain(difference => difference == 0);
    }

    [Fact]
    public async Task A_missing_file_is_an_error_of_the_storage()
    {
        using var pool = new ReadPool(_database.Path + ".nosuch", new());
        var query = () => pool.QueryAsync(TestDatabase.Sql("SELECT 1"), new(Timeout.InfiniteTimeSpan), CancellationToken.None);
        (await query.Should().ThrowAsync<StorageFailedException>()).WithMessage("*nosuch*unable to open*");
    }

    [Fact]
    public void A_full_cache_forgets_the_statement_used_longest_ago()
    {
        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 5; i++)
            {
                _database.Value($"SELECT {i}").Integer.Should().Be(i);
            }
        }
    }
}
