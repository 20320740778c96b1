using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Text;
using Dapper;
using DistDb.Data;
using DistDb.Tests.Support;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Data;

/// <summary>The same calls through SQLite's own provider, on a file, and through this one, on a cluster: values and their types are the same.</summary>
public sealed class SideBySideTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private const string Everything =
        "CREATE TABLE everything (id INTEGER PRIMARY KEY, i INT, t TEXT, r REAL, b BLOB, n NUMERIC, v VARCHAR(20), d DATETIME, x, g TEXT, flag BOOLEAN, amount DECIMAL(10, 2));"
        + "INSERT INTO everything VALUES (1, 42, 'text', 1.5, x'00ff', 7, 'short', '2026-01-31 09:26:53.25', 'free', '0F8FAD5B-D9CB-469F-A165-70867728950E', 1, '12.34');"
        + "INSERT INTO everything VALUES (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);"
        + "INSERT INTO everything VALUES (3, -9223372036854775808, '', -0.0, x'', 1.25, '12abc', 2460706.89, 9e999, x'5BAD8F0FCBD99F46A16570867728950E', 0, 5);"
        + "INSERT INTO everything VALUES (4, 9223372036854775807, 'ä😀', 1e300, zeroblob(3), '3.5e2', ' 77 ', '2026-01-31', 3, NULL, 2, 0.1)";

    private static readonly string[] _queries =
    [
        "SELECT * FROM everything ORDER BY id",
        "SELECT * FROM everything WHERE 0",
        "SELECT id AS a, t AS a, i + 1, r * 2, upper(t), NULL, x'01', 'c' || id FROM everything ORDER BY id DESC",
        "SELECT count(*), max(i), min(t), sum(r), avg(id) FROM everything",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT x, x / 2.0 FROM n",
        "VALUES (1, 'a'), (2.5, NULL)",
        "SELECT 1; SELECT 'two', 2; SELECT 3.0",
        "/* a comment; with a semicolon */ SELECT ';' -- and another;\n;",
        "SELECT typeof(i), typeof(n), typeof(x), d FROM everything ORDER BY id",
        "SELECT json_object('a', 1), json('[1,2]')",
        "INSERT INTO scratch (a) VALUES ('x'), ('y')",
        "INSERT INTO scratch (a) VALUES ('z') RETURNING id, a",
        "UPDATE scratch SET a = a || '!' WHERE id <= 2",
        "UPDATE scratch SET a = 'none' WHERE id = 77",
        "INSERT INTO scratch (a) VALUES ('last'); SELECT last_insert_rowid(), changes()",
        "SELECT * FROM scratch ORDER BY id; DELETE FROM scratch WHERE id = 1; SELECT count(*) FROM scratch",
        "DELETE FROM scratch",
        "CREATE TABLE made (a)",
        "DROP TABLE made",
        "",
        "-- nothing",
    ];

    private static readonly (string Name, Func<DbDataReader, int, object?> Get)[] _getters =
    [
        ("type", (r, i) => r.GetFieldType(i)),
        ("null", (r, i) => r.IsDBNull(i)),
        ("value", (r, i) => r.GetValue(i)),
        ("int64", (r, i) => r.GetInt64(i)),
        ("int32", (r, i) => r.GetInt32(i)),
        ("int16", (r, i) => r.GetInt16(i)),
        ("byte", (r, i) => r.GetByte(i)),
        ("bool", (r, i) => r.GetBoolean(i)),
        ("double", (r, i) => r.GetDouble(i)),
        ("float", (r, i) => r.GetFloat(i)),
        ("datetime", (r, i) => r.GetDateTime(i)),
        ("guid", (r, i) => r.GetGuid(i)),
        ("field long", (r, i) => r.GetFieldValue<long>(i)),
        ("field int?", (r, i) => r.IsDBNull(i) ? null : r.GetFieldValue<int?>(i)),
        ("field string", (r, i) => r.GetFieldValue<string>(i)),
        ("field bytes", (r, i) => r.GetFieldValue<byte[]>(i)),
        ("field object", (r, i) => r.GetFieldValue<object>(i)),
        ("field enum", (r, i) => r.GetFieldValue<DayOfWeek>(i)),
        ("field date", (r, i) => r.GetFieldValue<DateOnly>(i)),
        ("field time", (r, i) => r.GetFieldValue<TimeOnly>(i)),
        ("stream", (r, i) => r.GetStream(i).Length),
        ("reader", (r, i) => r.GetTextReader(i).ReadToEnd()),
        ("chars", (r, i) => r.GetChars(i, 0, new char[10], 0, 10)),
        ("bytes", (r, i) => r.GetBytes(i, 0, new byte[2], 0, 2)),
    ];

    private static readonly object?[] _values =
    [
        null, DBNull.Value, true, false, (byte)200, (sbyte)-5, (short)-30000, (ushort)60000, int.MinValue, uint.MaxValue, long.MinValue, ulong.MaxValue,
        1.0, 0.1, -0.0, double.MaxValue, double.PositiveInfinity, 1.5f, 12.34m, 0m, 79228162514264337593543950335m, 0.0000001m, 'x', 'ß', "", "text", "a\0b", "😀 \u2028", new byte[] { 1, 0, 2 }, Array.Empty<byte>(),
        new Guid("0f8fad5b-d9cb-469f-a165-70867728950e"), new DateTime(2026, 1, 31, 9, 26, 53, 250), new DateTime(2026, 1, 31, 0, 0, 0, DateTimeKind.Utc),
        new DateTimeOffset(2026, 1, 31, 9, 26, 53, TimeSpan.FromHours(2)), new DateOnly(2026, 1, 31), new TimeOnly(9, 26, 53), new TimeOnly(9, 26, 53, 125), new TimeSpan(1, 2, 3, 4, 5), TimeSpan.FromHours(-1), DayOfWeek.Friday,
    ];

    [Fact]
    public async Task Queries_give_the_same_columns_rows_types_and_counts()
    {
        using var pair = await OpenAsync("queries");
        foreach (var connection in pair.Both)
        {
            Execute(connection, Everything);
            Execute(connection, "CREATE TABLE scratch (id INTEGER PRIMARY KEY, a TEXT)");
        }

        foreach (var query in _queries)
        {
            var (theirs, ours) = pair.Each(connection => Describe(connection, query));
            ours.Should().Be(theirs, "{0} is the same", query);
        }
    }

    [Fact]
    public async Task Getters_convert_every_value_to_every_type_alike()
    {
        using var pair = await OpenAsync("getters");
        foreach (var connection in pair.Both)
        {
            Execute(connection, Everything);
        }

        var differences = new List<string>();
        foreach (var (name, get) in _getters)
        {
            var (theirs, ours) = pair.Each(connection => Cells(connection, "SELECT * FROM everything ORDER BY id", get));
            differences.AddRange(theirs.Zip(ours).Where(cell => cell.First != cell.Second).Select(cell => $"{name}: {cell.First} and {cell.Second}"));
            ours.Should().HaveSameCount(theirs);
        }

        string.Join('\n', differences).Should().BeEmpty();
    }

    [Fact]
    public async Task Parameters_of_every_type_are_stored_alike()
    {
        using var pair = await OpenAsync("parameters");
        foreach (var value in _values)
        {
            var (theirs, ours) = pair.Each(connection =>
            {
                using var command = connection.CreateCommand();
                command.CommandText = "SELECT typeof(@value), @value, quote(@value)";
                Add(command, "@value", value);
                using var reader = command.ExecuteReader();
                reader.Read().Should().BeTrue();
                return $"{reader.GetString(0)} {Text(reader.GetValue(1))} {reader.GetString(2)}";
            });
            ours.Should().Be(theirs, "{0} ({1}) is bound the same", value, value?.GetType());
        }
    }

    [Theory]
    [InlineData("SELECT @a, $b, :c")]
    [InlineData("SELECT @a, @a, '@b', \"a\" FROM (SELECT 1 AS a) -- @c")]
    [InlineData("SELECT @a; SELECT $b; SELECT :c, @a")]
    [InlineData("SELECT [@a], @b /* @c */ FROM (SELECT 1 AS [@a])")]
    [InlineData("SELECT @missing, @a")]
    public async Task Parameters_are_found_by_name_alike(string sql)
    {
        using var pair = await OpenAsync("names");
        var (theirs, ours) = pair.Each(connection => Describe(connection, sql, ("@a", 1), ("b", "two"), ("c", 3.5)));
        ours.Should().Be(theirs);
    }

    [Fact]
    public async Task Dapper_maps_the_same_objects()
    {
        using var pair = await OpenAsync("dapper");
        foreach (var connection in pair.Both)
        {
            await connection.ExecuteAsync(Everything);
        }

        await Same(pair, c => c.QueryAsync<Row>("SELECT id, i, t, r, b, d, g, flag, amount FROM everything WHERE id IN @ids ORDER BY id", new { ids = Enumerable.Range(1, 2) }));
        await Same(pair, c => c.QueryAsync("SELECT id, t, r FROM everything ORDER BY id"));
        await Same(pair, async c => new object?[] { await c.ExecuteScalarAsync<int>("SELECT count(*) FROM everything"), await c.ExecuteScalarAsync<string>("SELECT t FROM everything WHERE id = @id", new { id = 1 }) });
        await Same(pair, c => c.QueryAsync<(long, string?)>("SELECT id, v FROM everything ORDER BY id"));
        await Same(pair, async c => new object?[] { await c.ExecuteAsync("INSERT INTO everything (id, t, g) VALUES (@Id, @T, @G)", Enumerable.Range(10, 3).Select(i => new { Id = i, T = $"t{i}", G = new Guid(i, 0, 0, new byte[8]) })) });
        await Same(pair, async c =>
        {
            using var grid = await c.QueryMultipleAsync("SELECT id FROM everything ORDER BY id; SELECT t FROM everything WHERE id >= @least ORDER BY id", new { least = 10 });
            return new object?[] { (await grid.ReadAsync<int>()).Sum(), string.Join(',', await grid.ReadAsync<string>()) };
        });
        await Same(pair, async c =>
        {
            using var transaction = await ((DbConnection)c).BeginTransactionAsync();
            var inserted = await c.QuerySingleAsync<long>("INSERT INTO everything (t) VALUES ('in') RETURNING id", transaction: transaction);
            var seen = await c.QueryAsync<string>("SELECT t FROM everything WHERE id = @inserted", new { inserted }, transaction);
            await transaction.RollbackAsync();
            return new object?[] { inserted, seen.Single(), await c.ExecuteScalarAsync<long>("SELECT count(*) FROM everything") };
        });
        await Same(pair, c => c.QueryAsync<Row, Other, string>("SELECT 1 AS id, 'a' AS t, 2 AS OtherId, 'b' AS Name", (row, other) => $"{row.Id}{row.T}{other.OtherId}{other.Name}", splitOn: "OtherId"));
    }

    [Fact]
    public async Task Transactions_and_savepoints_do_the_same()
    {
        using var pair = await OpenAsync("savepoints");
        var (theirs, ours) = pair.Each(connection =>
        {
            Execute(connection, "CREATE TABLE s (a INTEGER PRIMARY KEY)");
            var seen = new List<object?>();
            using (var transaction = connection.BeginTransaction())
            {
                seen.Add(transaction.SupportsSavepoints);
                seen.Add(transaction.IsolationLevel);
                Execute(connection, "INSERT INTO s VALUES (1)", transaction);
                transaction.Save("a\"b");
                Execute(connection, "INSERT INTO s VALUES (2)", transaction);
                seen.Add(Record(() => Execute(connection, "INSERT INTO s VALUES (2)", transaction)));
                transaction.Rollback("a\"b");
                Execute(connection, "INSERT INTO s VALUES (3)", transaction);
                transaction.Release("a\"b");
                seen.Add(Record(() => Execute(connection, "SELECT 1", null)));
                seen.Add(Record(() => connection.BeginTransaction()));
                transaction.Commit();
                seen.Add(Record(transaction.Commit));
                seen.Add(Record(() => Execute(connection, "SELECT 1", transaction)));
            }

            seen.Add(Describe(connection, "SELECT a FROM s"));
            return string.Join('\n', seen);
        });
        ours.Should().Be(theirs);
    }

    private async Task<Pair> OpenAsync(string database)
    {
        var master = new DistDbConnection($"Servers={shared.Cluster.Master.Address}");
        await master.OpenAsync();
        await master.ExecuteAsync($"CREATE DATABASE IF NOT EXISTS {database}");
        var ours = new DistDbConnection($"Servers={string.Join(',', shared.Cluster.Nodes.Select(n => n.Address))};Database={database}");
        await ours.OpenAsync();
        return new(ours);
    }

    private static async Task Same<T>(Pair pair, Func<IDbConnection, Task<IEnumerable<T>>> ask)
    {
        var theirs = (await ask(pair.Theirs)).Select(row => Flat(row)).ToList();
        var ours = (await ask(pair.Ours)).Select(row => Flat(row)).ToList();
        ours.Should().Equal(theirs);
        theirs.Should().NotBeEmpty();
    }

    private static Task Same(Pair pair, Func<IDbConnection, Task<object?[]>> ask) => Same(pair, async connection => (IEnumerable<object?>)await ask(connection));

    private static string Flat(object? row) => row switch
    {
        IDictionary<string, object?> fields => string.Join(' ', fields.Select(field => $"{field.Key}={Text(field.Value)}")),
        Row r => $"{r.Id} {r.I} {r.T} {r.R} {Text(r.B)} {Text(r.D)} {r.G} {r.Flag} {r.Amount}",
        _ => Text(row),
    };

    /// <summary>All that a caller can see of a command's results; of a failure its kind.</summary>
    private static string Describe(DbConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            Add(command, name, value);
        }

        var text = new StringBuilder();
        try
        {
            using var reader = command.ExecuteReader();
            do
            {
                text.Append(CultureInfo.InvariantCulture, $"{reader.FieldCount} columns, rows: {reader.HasRows}\n");
                for (var i = 0; i < reader.FieldCount; i++)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{reader.GetName(i)} {(reader.HasRows ? reader.GetDataTypeName(i).ToUpperInvariant() : "")}\n");
                }

                while (reader.Read())
                {
                    var values = new object[reader.FieldCount];
                    reader.GetValues(values).Should().Be(values.Length);
                    text.AppendJoin(' ', values.Select(Text)).AppendLine();
                }
            }
            while (reader.NextResult());

            // SQLite's provider does not count what RETURNING returns, and counts for changes of the schema what the statement before them did; this one does neither.
            var isCounted = !sql.Contains("RETURNING", StringComparison.Ordinal) && !sql.StartsWith("CREATE", StringComparison.Ordinal) && !sql.StartsWith("DROP", StringComparison.Ordinal);
            text.Append(CultureInfo.InvariantCulture, $"affected {(isCounted ? reader.RecordsAffected : "")}");
        }
        catch (Exception e) when (e is InvalidOperationException or DbException)
        {
            text.Append(e is DbException ? "DbException" : e.GetType().Name);
        }

        return text.ToString();
    }

    private static List<string> Cells(DbConnection connection, string sql, Func<DbDataReader, int, object?> get)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var cells = new List<string>();
        while (reader.Read())
        {
            for (var i = 0; i < reader.FieldCount; i++)
            {
                cells.Add($"{reader.GetName(i)} of {reader.GetInt64(0)}: {Record(() => get(reader, i))}");
            }
        }

        return cells;
    }

    private static string Record(Func<object?> get)
    {
        try
        {
            return Text(get());
        }
        catch (Exception e) when (e is InvalidOperationException or InvalidCastException or FormatException or OverflowException or ArgumentException or DbException)
        {
            return e is DbException ? "DbException" : e.GetType().Name;
        }
    }

    private static string Record(Action act) => Record(() =>
    {
        act();
        return "done";
    });

    private static void Execute(DbConnection connection, string sql, DbTransaction? transaction = null)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        command.ExecuteNonQuery();
    }

    private static void Add(DbCommand command, string name, object? value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = (name, value ?? DBNull.Value);
        command.Parameters.Add(parameter);
    }

    private static string Text(object? value) => value switch
    {
        null => "nothing",
        byte[] bytes => $"Byte[] {Convert.ToHexString(bytes)}",
        double number => $"Double {number:R}",
        DateTime time => $"DateTime {time:O}",
        IFormattable formattable => $"{value.GetType().Name} {formattable.ToString(null, CultureInfo.InvariantCulture)}",
        _ => $"{value.GetType().Name} {value}",
    };

    private sealed record Row
    {
        public int Id { get; init; }

        public long? I { get; init; }

        public string? T { get; init; }

        public double? R { get; init; }

        public byte[]? B { get; init; }

        public DateTime? D { get; init; }

        public string? G { get; init; }

        public bool? Flag { get; init; }

        public decimal? Amount { get; init; }
    }

    private sealed record Other
    {
        public int OtherId { get; init; }

        public string? Name { get; init; }
    }

    private sealed class Pair : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-data-");

        public Pair(DistDbConnection ours)
        {
            Ours = ours;
            Theirs = new($"Data Source={_folder.FullName}/theirs.db;Pooling=False");
            Theirs.Open();
        }

        public SqliteConnection Theirs { get; }

        public DistDbConnection Ours { get; }

        public IEnumerable<DbConnection> Both => [Theirs, Ours];

        public (T Theirs, T Ours) Each<T>(Func<DbConnection, T> ask) => (ask(Theirs), ask(Ours));

        public void Dispose()
        {
            Ours.Dispose();
            Theirs.Dispose();
            _folder.Delete(recursive: true);
        }
    }
}
