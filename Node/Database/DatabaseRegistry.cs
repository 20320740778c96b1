namespace DistDb.Node.Database;

/// <summary>
/// Which databases there are beside <c>main</c>, kept in <c>main</c>, so that they come and go with log entries. It knows for each the last entry
/// that changed it: after a power loss its file may be behind that.
/// </summary>
internal sealed class DatabaseRegistry(Connection connection) : IDisposable
{
    /// <summary>Dropped databases that are remembered, so that what a crash left of their files is found and deleted.</summary>
    private const int DroppedMax = 1000;

    private readonly InternalStatement _read = connection.CreateInternal(
        "SELECT name, touched, dropped IS NOT NULL, foreign_keys FROM _distdb_databases ORDER BY name");

    private readonly InternalStatement _find = connection.CreateInternal(
        "SELECT 1 FROM _distdb_databases WHERE name = ?1 AND dropped IS NULL");

    private readonly InternalStatement _add = connection.CreateInternal(
        "INSERT OR REPLACE INTO _distdb_databases(name, created, touched, dropped, foreign_keys) VALUES (?1, ?2, ?2, NULL, ?3)");

    private readonly InternalStatement _touch = connection.CreateInternal(
        "UPDATE _distdb_databases SET touched = ?2 WHERE name = ?1 AND dropped IS NULL");

    private readonly InternalStatement _drop = connection.CreateInternal(
        "UPDATE _distdb_databases SET dropped = ?2 WHERE name = ?1");

    private readonly InternalStatement _forget = connection.CreateInternal(
        $"""
        DELETE FROM _distdb_databases WHERE name IN (
            SELECT name FROM _distdb_databases WHERE dropped IS NOT NULL ORDER BY dropped DESC, name LIMIT -1 OFFSET {DroppedMax})
        """);

    /// <summary>All of them, in the order of their names.</summary>
    public IReadOnlyList<RegisteredDatabase> Read()
    {
        List<RegisteredDatabase> databases = [];
        while (_read.Step())
        {
            databases.Add(new(_read.Text(0), _read.Integer(1), _read.Integer(2) != 0, _read.Integer(3) != 0));
        }

        _read.Reset();
        return databases;
    }

    /// <summary>Whether there is one of that name.</summary>
    public bool Contains(string name)
    {
        var isThere = _find.Bind(1, name).Step();
        _find.Reset();
        return isThere;
    }

    /// <summary>There is one from this entry on.</summary>
    public void Add(string name, long entry, bool foreignKeys) => _add.Bind(1, name).Bind(2, entry).Bind(3, foreignKeys ? 1 : 0).Run();

    /// <summary>An entry changes it.</summary>
    public void Touch(string name, long entry) => _touch.Bind(1, name).Bind(2, entry).Run();

    /// <summary>It ends with this entry.</summary>
    public void Drop(string name, long entry)
    {
        _drop.Bind(1, name).Bind(2, entry).Run();
        _forget.Run();
    }

    public void Dispose()
    {
        foreach (var statement in (ReadOnlySpan<InternalStatement>)[_read, _find, _add, _touch, _drop, _forget])
        {
            statement.Dispose();
        }
    }
}
