using System.Data;
using System.Data.Common;
using System.Net;
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

    [Fact]
    public async Task Values_are_found_by_place_by_number_and_by_name()
    {
        await using var connection = await OpenAsync();
        (await ScalarAsync(connection, "SELECT ? || ? || ?", (null, "a"), (null, "b"), (null, "c"))).Should().Be("abc");
        (await ScalarAsync(connection, "SELECT ?2 || ?1 || ?2", (null, "a"), (null, "b"))).Should().Be("bab");
        (await ScalarAsync(connection, "SELECT ? || @x || ? || :x || $x", ("x", "n"), (null, "a"), (null, "b"))).Should().Be("anbnn");
        (await ScalarAsync(connection, "SELECT ?1 || @x || ?", ("?1", "one"), ("@x", "x"), (null, "last"))).Should().Be("onexlast");
        (await ScalarAsync(connection, "SELECT $a::b(c) || 'x?'", ("$a::b(c)", "tcl"))).Should().Be("tclx?");
        (await ScalarAsync(connection, "SELECT @x", ("@x", "x"), ("@surplus", 1))).Should().Be("x");
        var act = () => ScalarAsync(connection, "SELECT @x, ?, @y", ("@x", 1));
        (await act.Should().ThrowAsync<InvalidOperationException>()).Which.Message.Should().Contain("@y").And.Contain("Nothing was sent");
        var wrong = () => ScalarAsync(connection, "SELECT @x", ("@x", new object()));
        await wrong.Should().ThrowAsync<InvalidOperationException>().WithMessage("*\"@x\" is a System.Object*");
        (await ScalarAsync(connection, "SELECT @x", ("@x", double.NaN))).Should().Be(DBNull.Value);
    }

    [Fact]
    public async Task Errors_say_what_the_server_says()
    {
        await using var connection = await OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE errors (a INTEGER PRIMARY KEY, b TEXT UNIQUE); INSERT INTO errors VALUES (1, 'x')");
        var twice = await FailAsync(() => connection.ExecuteAsync("INSERT INTO errors VALUES (2, 'x')"));
        (twice.Code, twice.SqliteErrorCode, twice.HttpStatus, twice.IsTransient, twice.Outcome).Should().Be(("constraint", 19, 409, false, DistDbOutcome.NotDone));
        twice.Message.Should().Contain("errors.b");
        twice.SqliteExtendedErrorCode.Should().Be(2067);
        (await FailAsync(() => connection.QueryAsync("SELEC 1"))).Code.Should().Be("sql_error");
        var inScript = await FailAsync(() => connection.ExecuteAsync("INSERT INTO errors VALUES (3, 'y'); INSERT INTO errors VALUES (1, 'z')"));
        (inScript.Code, inScript.Statement).Should().Be(("constraint", 1));
        (await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM errors")).Should().Be(1, "several statements are done all or nothing");
        connection.ChangeDatabase("nowhere");
        connection.Database.Should().Be("nowhere");
        (await FailAsync(() => connection.QueryAsync("SELECT 1"))).Code.Should().Be("no_such_database");
    }

    [Fact]
    public async Task Schema_changes_go_to_the_master_whichever_server_is_first()
    {
        var others = string.Join(',', shared.Cluster.Nodes.Where(node => node != shared.Cluster.Master).Select(node => node.Address));
        await using var connection = new DistDbConnection($"Servers={others}");
        await connection.OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE migrated (a)");
        await connection.ExecuteAsync("CREATE INDEX by_a ON migrated (a); INSERT INTO migrated VALUES (1)");
        (await connection.ExecuteScalarAsync<int>("SELECT a FROM migrated")).Should().Be(1, "what was done at the master is seen at the node that is used");
        connection.DataSource.Should().NotBe(shared.Cluster.Master.Address.GetLeftPart(UriPartial.Authority));
    }

    [Fact]
    public async Task Another_server_is_used_where_the_first_is_not_there_and_nobody_is_told()
    {
        var silent = FreePorts.Find(1);
        await using var connection = new DistDbConnection($"Servers=http://127.0.0.1:{silent},{shared.Cluster[1].Address};Command Timeout=20");
        await connection.OpenAsync();
        connection.DataSource.Should().Be(shared.Cluster[1].Address.GetLeftPart(UriPartial.Authority));
        connection.ServerVersion.Should().NotBeEmpty();

        await using var nobody = new DistDbConnection($"Servers=http://127.0.0.1:{silent};Token=a secret of mine;Command Timeout=1");
        var failure = await FailAsync(() => nobody.OpenAsync());
        (failure.Code, failure.IsTransient, failure.Outcome).Should().Be((DistDbException.Unreachable, true, DistDbOutcome.NotDone));
        failure.ToString().Should().NotContain("secret");
        nobody.State.Should().Be(ConnectionState.Closed);
    }

    [Fact]
    public async Task A_write_whose_answer_is_lost_is_sent_again_and_done_once()
    {
        await using var lossy = new TcpProxy { Target = new(IPAddress.Loopback, shared.Cluster.BasePort) };
        var address = $"http://127.0.0.1:{lossy.Port}";
        await using var connection = new DistDbConnection($"Servers={address}");
        await connection.OpenAsync();
        lossy.Begin(new LinkTrouble.LosesNextReply());
        await connection.ExecuteAsync("CREATE TABLE lossy (id INTEGER PRIMARY KEY, a UNIQUE)");
        lossy.Begin(new LinkTrouble.LosesNextReply());
        (await connection.ExecuteAsync("INSERT INTO lossy (a) VALUES ('x'), ('y')")).Should().Be(2);
        lossy.Begin(new LinkTrouble.LosesNextReply());
        (await connection.ExecuteScalarAsync<long>("INSERT INTO lossy (a) VALUES ('z') RETURNING id")).Should().Be(3);
        lossy.Begin(new LinkTrouble.LosesNextReply());
        (await connection.ExecuteScalarAsync<long>("UPDATE lossy SET a = a || '!'; SELECT changes()")).Should().Be(3);
        lossy.Begin(new LinkTrouble.LosesNextReply());
        (await connection.QueryAsync<string>("SELECT a FROM lossy ORDER BY id")).Should().Equal("x!", "y!", "z!");
        lossy.LostReplyCount.Should().Be(5);

        // Within a transaction nothing is sent again but its commit, which is answered again.
        await using var alone = new DistDbConnection($"Servers={address};Command Timeout=30");
        await alone.OpenAsync();
        await using (alone.BeginTransaction())
        {
            await alone.ExecuteAsync("DELETE FROM lossy WHERE id = 1");
            lossy.Begin(new LinkTrouble.LosesNextReply());
            var lost = await FailAsync(() => alone.ExecuteAsync("DELETE FROM lossy WHERE id = 2"));
            (lost.Code, lost.IsTransient, lost.Outcome).Should().Be(("transaction_lost", true, DistDbOutcome.NotDone));
        }

        await using (var transaction = alone.BeginTransaction())
        {
            await alone.ExecuteAsync("DELETE FROM lossy WHERE id = 3");
            lossy.Begin(new LinkTrouble.LosesNextReply());
            await transaction.CommitAsync();
        }

        (await connection.QueryAsync<string>("SELECT a FROM lossy ORDER BY id")).Should().Equal("x!", "y!");
        lossy.LostReplyCount.Should().Be(7);
    }

    [Fact]
    public async Task A_large_result_comes_while_it_is_read()
    {
        await using var connection = await OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 60000) SELECT x, printf('%.100c', 'y') FROM n";
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await using (var reader = await command.ExecuteReaderAsync())
        {
            long sum = 0;
            for (var i = 1; await reader.ReadAsync(); i++)
            {
                sum += reader.GetInt64(0);
                if (i == 30_000)
                {
                    (GC.GetTotalMemory(forceFullCollection: true) - before).Should().BeLessThan(4 << 20, "the rows are not gathered");
                }
            }

            sum.Should().Be(60_000L * 60_001 / 2);
        }

        // Whoever has seen enough goes.
        await using (var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow))
        {
            (await reader.ReadAsync()).Should().BeTrue();
            (await reader.ReadAsync()).Should().BeFalse();
        }

        using var cancel = new CancellationTokenSource();
        await using (var reader = await command.ExecuteReaderAsync(cancel.Token))
        {
            await reader.ReadAsync(cancel.Token);
            await cancel.CancelAsync();
            var act = async () =>
            {
                while (await reader.ReadAsync())
                {
                }
            };
            await act.Should().ThrowAsync<OperationCanceledException>();
        }

        (await connection.ExecuteScalarAsync<int>("SELECT 1")).Should().Be(1);
    }

    [Fact]
    public async Task A_command_ends_at_its_time_limit_and_when_it_is_cancelled()
    {
        const string Endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
        await using var connection = await OpenAsync();
        var late = await FailAsync(() => connection.QueryAsync(Endless, commandTimeout: 1));
        (late.Code, late.IsTransient, late.Outcome).Should().Be(("timeout", true, DistDbOutcome.NotDone));

        await using var command = connection.CreateCommand();
        command.CommandText = Endless;
        var running = command.ExecuteScalarAsync();
        command.Cancel();
        await running.Invoking(r => r).Should().ThrowAsync<OperationCanceledException>();
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var act = () => command.ExecuteScalarAsync(cancel.Token);
        await act.Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task A_batch_is_done_as_one_and_tells_of_each_command()
    {
        await using var connection = await OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE batched (a INTEGER PRIMARY KEY, b)");
        await using var batch = connection.CreateBatch();
        Add(batch, "INSERT INTO batched (b) VALUES (@v), (@v)", "x");
        Add(batch, "SELECT count(*) FROM batched WHERE b = @v", "x");
        Add(batch, "UPDATE batched SET b = @v", "y");
        await using (var reader = await batch.ExecuteReaderAsync())
        {
            (await reader.ReadAsync()).Should().BeTrue();
            reader.GetInt32(0).Should().Be(2);
            (await reader.NextResultAsync()).Should().BeFalse();
            reader.RecordsAffected.Should().Be(4);
        }

        batch.BatchCommands.Select(command => command.RecordsAffected).Should().Equal(2, -1, 2);
        Add(batch, "INSERT INTO batched VALUES (1, @v)", "twice");
        var failure = await FailAsync(() => batch.ExecuteNonQueryAsync());
        failure.BatchCommand!.CommandText.Should().Contain("VALUES (1");
        (await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM batched")).Should().Be(2);
        await using (var transaction = connection.BeginTransaction())
        {
            batch.BatchCommands.RemoveAt(3);
            batch.Transaction = transaction;
            (await batch.ExecuteScalarAsync()).Should().Be(2L);
            await transaction.RollbackAsync();
        }

        static void Add(DistDbBatch batch, string sql, object value)
        {
            var command = new DistDbBatchCommand(sql);
            command.Parameters.AddWithValue("@v", value);
            batch.BatchCommands.Add(command);
        }
    }

    [Fact]
    public async Task A_read_only_transaction_sees_one_state_and_one_that_is_kept_waiting_is_lost()
    {
        await using var connection = await OpenAsync();
        await using var other = await OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE kept (a)");
        await using (var reading = await connection.BeginTransactionAsync(DistDbTransactionMode.ReadOnly))
        {
            (await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM kept")).Should().Be(0);
            await other.ExecuteAsync("INSERT INTO kept VALUES (1)");
            (await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM kept")).Should().Be(0);
            await reading.CommitAsync();
        }

        await using var deferred = connection.BeginTransaction(deferred: true);
        (await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM kept")).Should().Be(1);
        await other.ExecuteAsync("INSERT INTO kept VALUES (2)");
        var busy = await FailAsync(() => connection.ExecuteAsync("INSERT INTO kept VALUES (3)"));
        (busy.Code, busy.IsTransient).Should().Be(("busy", true));
    }

    [Fact]
    public async Task Generic_code_finds_its_way()
    {
        DbProviderFactory factory = DistDbProviderFactory.Instance;
        await using var connection = factory.CreateConnection()!;
        connection.ConnectionString = $"Servers={Servers};Consistency=strong";
        await connection.OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE described (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x'); CREATE VIEW described_too AS SELECT * FROM described");
        var tables = (await connection.GetSchemaAsync("Tables")).Rows.Cast<DataRow>().Select(row => (row["TABLE_NAME"], row["TABLE_TYPE"]));
        tables.Should().Contain([("described", "BASE TABLE"), ("described_too", "VIEW")]);
        var columns = connection.GetSchema("Columns", [null, null, "described", null]).Rows.Cast<DataRow>().Select(row => (row["COLUMN_NAME"], row["DATA_TYPE"], row["IS_NULLABLE"], row["PRIMARY_KEY"]));
        columns.Should().Equal(("id", "INTEGER", true, true), ("name", "VARCHAR(20)", false, false));
        connection.GetSchema().Rows.Count.Should().Be(3);

        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT id, name, id * 1.5 AS more FROM described";
        await using (var reader = await command.ExecuteReaderAsync(CommandBehavior.SchemaOnly))
        {
            (await reader.ReadAsync()).Should().BeFalse();
            (await reader.GetColumnSchemaAsync()).Select(column => (column.ColumnName, column.DataType, column.DataTypeName)).Take(2).Should().Equal(("id", typeof(long), "INTEGER"), ("name", typeof(string), "VARCHAR"));
        }

        await connection.ExecuteAsync("INSERT INTO described (name) VALUES ('a'), ('b')");
        var table = new DataTable();
        using (var reader = command.ExecuteReader(CommandBehavior.CloseConnection))
        {
            table.Load(reader);
        }

        table.Rows.Cast<DataRow>().Select(row => (row["id"], row["name"], row["more"])).Should().Equal((1L, "a", 1.5), (2L, "b", 3.0));
        connection.State.Should().Be(ConnectionState.Closed);
    }

    private async Task<DistDbConnection> OpenAsync(string more = "")
    {
        var connection = new DistDbConnection($"Servers={Servers};{more}");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task<object?> ScalarAsync(DistDbConnection connection, string sql, params (string? Name, object? Value)[] parameters)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value);
        }

        return await command.ExecuteScalarAsync();
    }

    private static async Task<DistDbException> FailAsync(Func<Task> act) => (await act.Should().ThrowAsync<DistDbException>()).Which;
}
