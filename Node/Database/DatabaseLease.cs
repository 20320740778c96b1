namespace DistDb.Node.Database;

/// <summary>Keeps a database open for as long as somebody reads it, unless it is dropped or replaced.</summary>
public sealed class DatabaseLease : IDisposable
{
    private readonly ReplicaDatabase _database;
    private Action? _end;

    internal DatabaseLease(ReplicaDatabase database, Action end)
    {
        _database = database;
        _end = end;
    }

    public ReadPool Readers => _database.Readers;

    /// <summary>Whether the database was dropped or replaced since: what a query fails with then says nothing of the file that is there now.</summary>
    public bool IsOver => _database.IsDisposed;

    public void Dispose() => Interlocked.Exchange(ref _end, null)?.Invoke();
}
