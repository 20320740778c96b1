using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Tests.Support;
using Microsoft.Data.Sqlite;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

/// <summary>
/// What SQLite can do, distdb can: each feature gives what SQLite alone gives, and every replica has it, be it one that only replays or one that was
/// restarted before each entry.
/// </summary>
public sealed class SqlFeatureTests : IDisposable
{
    private readonly TestDatabase _leader = new();
    private readonly TestDatabase _steady = new();
    private readonly TestDatabase _restless = new();

    public static TheoryData<string> Names => [.. SqlFeatures.All.Select(f => f.Name)];

    public void Dispose()
    {
        _leader.Dispose();
        _steady.Dispose();
        _restless.Dispose();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Works_as_in_SQLite_itself_and_the_same_on_every_replica(string name)
    {
        var feature = SqlFeatures.All.Single(f => f.Name == name);
        if (feature.Module is { } module && !Has(module))
        {
            _leader.Fail(feature.Steps[0].Statements[0]).Detail.Should().Be($"no such module: {module}");
            return;
        }

        foreach (var step in feature.Steps)
        {
            Write(step);
        }

        var rows = Rows(_leader.Rows(feature.Query));
        rows.Should().NotBeEmpty("otherwise the query shows nothing");
        if (!feature.IsOfItsTime)
        {
            rows.Should().Equal(InSqliteItself(feature));
        }

        var content = ContentHash.Of(_leader.Path);
        foreach (var replica in (TestDatabase[])[_steady, _restless])
        {
            Rows(replica.Rows(feature.Query)).Should().Equal(rows);
            ContentHash.Of(replica.Path).Should().Be(content);
            replica.Value("PRAGMA integrity_check").Text.Should().Be("ok");
        }
    }

    [Fact]
    public void No_function_that_writes_may_call_depends_on_the_replica()
    {
        _leader.Do("CREATE TABLE seen(f, n, value)");
        Replicate(_leader.Command(Sql("CREATE TABLE seen(f, n, value)")), default, stamp: new(1, StartMs, 1));
        var functions = _leader.Rows("SELECT DISTINCT name, narg FROM pragma_function_list WHERE name NOT LIKE '->%'").Rows
            .Select(row => (Name: row[0].Text, Count: (int)row[1].Integer)).ToList();
        functions.Should().HaveCountGreaterThan(100);
        var refused = new SortedSet<string>();
        var called = 0;
        foreach (var (name, count) in functions)
        {
            // -1 is any number of arguments.
            var arguments = string.Join(", ", Enumerable.Range(1, count < 0 ? 2 : count).Select(i => $"'{i}'"));
            var command = _leader.Command(Sql($"INSERT INTO seen SELECT '{name}', {count}, \"{name}\"({arguments})"));
            var stamp = _leader.NextStamp();
            switch (_leader.Execute(command, maySchema: false, stamp: stamp))
            {
                case WriteOutcome.Succeeded { Observation: var observation }:
                    Replicate(command, observation, stamp);
                    called++;
                    break;
                case WriteOutcome.Failed { Failure.Code: FailureCode.Forbidden }:
                    refused.Add(name);
                    break;
                case WriteOutcome.Failed { Failure: var failure }:
                    failure.Code.Should().Be(FailureCode.SqlError, $"{name}: {failure.Detail}");
                    break;
            }
        }

        called.Should().BeGreaterThan(80);
        var content = ContentHash.Of(_leader.Path);
        ContentHash.Of(_steady.Path).Should().Be(content);
        ContentHash.Of(_restless.Path).Should().Be(content);
        refused.Should().NotBeEmpty().And.BeSubsetOf(SqlRefusals.Functions);
    }

    private static List<string> Rows(RowSet rows) => [.. rows.Rows.Select(row => string.Join(" | ", row.Select(value => $"{value.Kind} {value}")))];

    private static List<string> InSqliteItself(SqlFeature feature)
    {
        SqliteLibrary.Initialize();
        using var connection = new SqliteConnection("Data Source=:memory:;Foreign Keys=True");
        connection.Open();
        foreach (var step in feature.Steps)
        {
            var run = () =>
            {
                using var transaction = step.IsTransaction ? connection.BeginTransaction() : null;
                foreach (var sql in step.Statements)
                {
                    using var command = connection.CreateCommand();
                    command.CommandText = sql;
                    command.Transaction = transaction;
                    command.ExecuteNonQuery();
                }

                transaction?.Commit();
            };
            if (step.Fails)
            {
                run.Should().Throw<SqliteException>(step.Statements[^1]);
            }
            else
            {
                run();
            }
        }

        using var query = connection.CreateCommand();
        query.CommandText = feature.Query;
        using var reader = query.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join(" | ", Enumerable.Range(0, reader.FieldCount).Select(i => Value(reader.GetValue(i))).Select(value => $"{value.Kind} {value}")));
        }

        return rows;
    }

    private static SqlValue Value(object value) => value switch
    {
        DBNull => SqlValue.Null,
        long integer => SqlValue.From(integer),
        double real => SqlValue.From(real),
        string text => SqlValue.From(text),
        byte[] blob => SqlValue.From(blob),
        _ => throw new InvalidOperationException($"A value of {value.GetType()}."),
    };

    private bool Has(string module) => _leader.Rows("SELECT 1 FROM pragma_module_list WHERE name = ?", SqlValue.From(module)).Rows.Count > 0;

    private void Write(SqlStep step)
    {
        var because = string.Join("; ", step.Statements);
        var command = step.IsTransaction ? _leader.Transaction([.. step.Statements.Select(sql => Sql(sql))]) : _leader.Command(Sql(step.Statements[0]));
        var stamp = _leader.NextStamp();
        if (step.Fails)
        {
            _leader.Fail(command).Code.Should().BeOneOf([FailureCode.SqlError, FailureCode.Constraint], because);
            return;
        }

        if (step.IsSchema)
        {
            var refused = _leader.Fail(command, maySchema: false);
            refused.Code.Should().Be(FailureCode.NotMaster, $"{because} gave {refused.Detail}");
        }

        var outcome = _leader.Execute(command, maySchema: step.IsSchema, stamp: stamp);
        Replicate(command, outcome.Should().BeOfType<WriteOutcome.Succeeded>($"{because} gave {outcome}").Subject.Observation, stamp);
    }

    private void Replicate(WriteCommand command, WriteObservation observation, EntryStamp stamp)
    {
        var entry = LogCommandCodec.Encode(new WriteBatch(stamp.TimeMs, stamp.Seed, [new(command, observation)]));
        _restless.Restart();
        foreach (var replica in (TestDatabase[])[_steady, _restless])
        {
            var logged = (WriteBatch)LogCommandCodec.Decode(entry);
            replica.Writer.Begin(stamp);
            replica.Writer.Replay(logged.Writes.Single(), 0, collectRows: false);
            replica.Writer.Commit();
        }
    }
}
