namespace DistDb.Node.Database;

/// <summary>Keeps a database open for as long as somebody reads it.</summary>
public sealed class DatabaseLease : IDisposable
{
    private Action? _end;

    internal DatabaseLease(ReadPool readers, Action end)
    {
        Readers = readers;
        _end = end;
    }

    public ReadPool Readers { get; }

    public void Dispose() => Interlocked.Exchange(ref _end, null)?.Invoke();
}
