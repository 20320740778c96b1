using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Tests.Database;

/// <summary>A database file in a folder of its own, with its writer and readers; each write is one entry unless a test says otherwise.</summary>
internal sealed class TestDatabase : IDisposable
{
    /// <summary>2024-02-29 12:34:56.789 UTC.</summary>
    public const long StartMs = 1_709_210_096_789;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-database-");
    private readonly DatabaseOptions _options;
    private readonly Lazy<ReadPool> _readers;
    private long _sequence;

    public TestDatabase(DatabaseOptions? options = null)
    {
        _options = options ?? new();
        Path = System.IO.Path.Combine(_folder.FullName, "main.db");
        Writer = DatabaseWriter.Open(Path, _options);
        _readers = new(() => new(Path, _options));
    }

    public string Path { get; }

    /// <summary>What entries say of changes that are kept.</summary>
    public long? ChangesBytesMax { get; init; }

    public DatabaseWriter Writer { get; private set; }

    public ReadPool Readers => _readers.Value;

    public static Statement Sql(string sql, params SqlValue[] parameters) =>
        new(sql, parameters.Length == 0 ? StatementParameters.None : StatementParameters.FromPositional(parameters));

    public static Statement Named(string sql, params (string Name, SqlValue Value)[] parameters) =>
        new(sql, StatementParameters.FromNamed(parameters.Select(p => KeyValuePair.Create(p.Name, p.Value))));

    public WriteCommand Command(Statement statement, string? key = null) => new()
    {
        Id = new(0, 1, ++_sequence),
        Database = "main",
        Statements = [statement],
        IdempotencyKey = key,
    };

    public WriteCommand Transaction(params Statement[] statements) => new()
    {
        Id = new(0, 1, ++_sequence),
        Database = "main",
        Statements = statements,
        IsTransaction = true,
    };

    public EntryStamp NextStamp(long afterMs = 1) =>
        new(Writer.AppliedIndex + 1, Math.Max(StartMs, Writer.AppliedTimeMs + afterMs), (ulong)Writer.AppliedIndex * 77, ChangesBytesMax);

    /// <summary>Executes one write in an entry of its own, and commits what succeeded.</summary>
    public WriteOutcome Execute(WriteCommand command, bool maySchema = true, TimeSpan? limit = null, EntryStamp? stamp = null)
    {
        Writer.Begin(stamp ?? NextStamp());
        var outcome = Writer.Execute(command, 0, new(maySchema), limit ?? Timeout.InfiniteTimeSpan);
        if (outcome is WriteOutcome.Succeeded)
        {
            Writer.Commit();
        }
        else
        {
            Writer.Rollback();
        }

        return outcome;
    }

    public WriteOutcome Execute(string sql, params SqlValue[] parameters) => Execute(Command(Sql(sql, parameters)));

    /// <summary>Executes statements that must succeed.</summary>
    public void Do(params string[] statements)
    {
        foreach (var sql in statements)
        {
            Execute(sql).Should().BeOfType<WriteOutcome.Succeeded>(because: sql);
        }
    }

    public Failure Fail(WriteCommand command, bool maySchema = true, TimeSpan? limit = null) =>
        Execute(command, maySchema, limit).Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;

    public Failure Fail(string sql, params SqlValue[] parameters) => Fail(Command(Sql(sql, parameters)));

    public ReadOutcome Query(string sql, params SqlValue[] parameters) => Query(Sql(sql, parameters));

    public ReadOutcome Query(Statement statement) =>
        Readers.QueryAsync(statement, new(Timeout.InfiniteTimeSpan), CancellationToken.None).GetAwaiter().GetResult();

    public RowSet Rows(string sql, params SqlValue[] parameters) =>
        Query(sql, parameters).Should().BeOfType<ReadOutcome.RowsRead>(because: sql).Subject.Rows;

    public SqlValue Value(string sql, params SqlValue[] parameters) => Rows(sql, parameters).Rows.Single().Single();

    /// <summary>Closes and opens the writer, as a restart does.</summary>
    public void Restart()
    {
        Writer.Dispose();
        Writer = DatabaseWriter.Open(Path, _options);
    }

    public void Dispose()
    {
        if (_readers.IsValueCreated)
        {
            _readers.Value.Dispose();
        }

        Writer.Dispose();
        _folder.Delete(recursive: true);
    }
}
