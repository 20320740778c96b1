using System.Diagnostics.CodeAnalysis;
using System.Text;
using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>
/// Prepares clients' statements and keeps those used last. Preparing costs several times what a simple statement takes to run.
/// </summary>
internal sealed unsafe class StatementCache(Connection connection, int capacity) : IDisposable
{
    /// <summary>A longer text, in characters, is one of a kind (a dump, a bulk insert) and would only hold memory.</summary>
    private const int CachedLengthMax = 16 * 1024;

    private readonly Dictionary<string, LinkedListNode<(string Sql, PreparedStatement Statement)>> _bySql = new(capacity, StringComparer.Ordinal);
    private readonly LinkedList<(string Sql, PreparedStatement Statement)> _recent = new();

    /// <summary>Gives the prepared statement for a text; call its <see cref="PreparedStatement.Release"/> after use.</summary>
    /// <returns>False, and why, where the text is not one statement that is allowed here.</returns>
    /// <exception cref="StorageFailedException">The storage failed, rather than the statement.</exception>
    public bool TryGet(
        string sql, [NotNullWhen(true)] out PreparedStatement? statement, [NotNullWhen(false)] out Failure? failure)
    {
        if (_bySql.TryGetValue(sql, out var node))
        {
            if (node != _recent.First)
            {
                _recent.Remove(node);
                _recent.AddFirst(node);
            }

            statement = node.Value.Statement;
            failure = null;
            return true;
        }

        if (!TryPrepare(sql, out statement, out failure))
        {
            return false;
        }

        if (statement.IsKept)
        {
            if (_bySql.Count == capacity)
            {
                Forget(_recent.Last!);
            }

            _bySql.Add(sql, _recent.AddFirst((sql, statement)));
        }

        return true;
    }

    /// <summary>Drops all statements; none may be in use. Their kind was decided under a schema that may have changed.</summary>
    public void Clear()
    {
        foreach (var (_, statement) in _recent)
        {
            statement.Dispose();
        }

        _recent.Clear();
        _bySql.Clear();
    }

    public void Dispose() => Clear();

    private void Forget(LinkedListNode<(string Sql, PreparedStatement Statement)> node)
    {
        _recent.Remove(node);
        _bySql.Remove(node.Value.Sql);
        node.Value.Statement.Dispose();
    }

    private bool TryPrepare(
        string sql, [NotNullWhen(true)] out PreparedStatement? statement, [NotNullWhen(false)] out Failure? failure)
    {
        statement = null;
        if (sql.Contains('\0'))
        {
            failure = new(FailureCode.BadRequest, "The SQL text contains a NUL character; send such text as a parameter.");
            return false;
        }

        var authorizer = connection.Authorizer;
        var bytes = Encoding.UTF8.GetBytes(sql + "\0");
        int code;
        nint handle;
        ReadOnlySpan<byte> rest;
        StatementKind kind;
        fixed (byte* text = bytes)
        {
            authorizer.Bypass = false;
            authorizer.BeginPrepare();
            code = Sqlite3.sqlite3_prepare_v3(connection.Handle, text, bytes.Length, Sqlite3.PreparePersistent, out handle, out var tail);
            kind = authorizer.EndPrepare(
                handle != 0 && Sqlite3.sqlite3_stmt_readonly(handle) != 0, Sqlite3.sqlite3_stmt_isexplain(handle));
            authorizer.Bypass = true;
            rest = SqlTail.SkipBlank(bytes.AsSpan((int)(tail - text)..^1));
        }

        failure = code != Sqlite3.Ok ? SqliteErrors.ToFailure(connection, code)
            : handle == 0 ? new(FailureCode.BadRequest, "The SQL text contains no statement.")
            : !rest.IsEmpty ? new(
                FailureCode.BadRequest,
                "The SQL text contains more than one statement; send them in \"transaction\", which does all of them or none.")
            : authorizer.Refusal is { } refusal ? new(FailureCode.Forbidden, refusal)
            : kind == StatementKind.Schema && IsVacuum(bytes) ? new(FailureCode.Forbidden, SqliteErrors.VacuumRefusal)
            : null;
        if (failure is not null)
        {
            _ = Sqlite3.sqlite3_finalize(handle);
            return false;
        }

        statement = new(handle, kind, authorizer.Summarize(kind), isKept: sql.Length <= CachedLengthMax);
        return true;
    }

    /// <summary>SQLite asks the authorizer nothing when it prepares VACUUM, so among the statements that look like a schema change it is
    /// known by its word.</summary>
    private static bool IsVacuum(ReadOnlySpan<byte> sql)
    {
        var start = SqlTail.SkipBlank(sql);
        return start.Length >= 6 && Ascii.EqualsIgnoreCase(start[..6], "vacuum"u8);
    }
}
