using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>One open database file: the connection that writes it and those that read it. See <see cref="DatabaseSet"/> for who may use it when.</summary>
internal sealed class ReplicaDatabase : IDisposable
{
    private bool _isDisposed;

    private ReplicaDatabase(string name, DatabaseWriter writer, ReadPool readers)
    {
        Name = name;
        Writer = writer;
        Readers = readers;
    }

    public string Name { get; }

    /// <summary>Belongs to the thread that applies entries.</summary>
    public DatabaseWriter Writer { get; }

    /// <summary>Belongs to any thread.</summary>
    public ReadPool Readers { get; }

    /// <summary>Whether it was closed, above all because it was dropped: what queries meet then says nothing of any file.</summary>
    public bool IsDisposed => Volatile.Read(ref _isDisposed);

    /// <summary>How many use <see cref="Readers"/> now.</summary>
    public int LeaseCount { get; set; }

    /// <summary>The thread that applies entries has used it since it was opened, and may be using it now; until then whoever has it open may close it.</summary>
    public bool IsWritersToo { get; set; }

    /// <summary>When it was used last, by <see cref="Environment.TickCount64"/>.</summary>
    public long UsedAtMs { get; set; } = Environment.TickCount64;

    /// <summary>Opens the file, or creates it.</summary>
    /// <exception cref="StorageFailedException">It cannot be opened.</exception>
    public static ReplicaDatabase Open(string name, string path, DatabaseOptions options, bool foreignKeys)
    {
        var writer = DatabaseWriter.Open(path, options, keepsHistory: name == DatabaseName.HistoryQuery.Value, foreignKeys);
        var readers = new ReadPool(path, options);
        try
        {
            readers.Watch();
            return new(name, writer, readers);
        }
        catch
        {
            readers.Dispose();
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file; queries that run are not waited for, and go on with what they have.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _isDisposed, true);
        Readers.Dispose();
        Writer.Dispose();
    }
}
