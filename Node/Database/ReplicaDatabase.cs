using System.Diagnostics.CodeAnalysis;

namespace DistDb.Node.Database;

/// <summary>
/// One database of this node: its file, the connection that writes it and those that read it. <see cref="Writer"/>, <see cref="Replace"/> and
/// <see cref="MoveAside"/> belong to one thread; <see cref="Readers"/> to any.
/// </summary>
public sealed class ReplicaDatabase : IDisposable
{
    private readonly DatabaseOptions _options;
    private DatabaseWriter? _writer;

    /// <summary>Opens nothing yet.</summary>
    public ReplicaDatabase(string path, DatabaseOptions options)
    {
        Path = path;
        _options = options;
        Readers = new(path, options);
    }

    public string Path { get; }

    /// <summary>Whether there is a file that is written.</summary>
    [MemberNotNullWhen(true, nameof(_writer))]
    public bool IsOpen => _writer is not null;

    /// <exception cref="InvalidOperationException">Nothing is open.</exception>
    public DatabaseWriter Writer => _writer ?? throw new InvalidOperationException($"The database {Path} is not open.");

    public ReadPool Readers { get; }

    /// <summary>Opens the file, or creates it.</summary>
    /// <exception cref="StorageFailedException">It cannot be opened.</exception>
    public void Open()
    {
        _writer = DatabaseWriter.Open(Path, _options);
        Readers.Watch();
    }

    /// <summary>
    /// Puts another file in this one's place. Queries that run are waited for, later ones wait until it is done. Should the process
    /// die in between, <see cref="DatabaseFile.Replace"/> finishes it.
    /// </summary>
    /// <exception cref="StorageFailedException">The new file cannot be opened.</exception>
    /// <exception cref="IOException">The file cannot be moved.</exception>
    public void Replace(string newFile) => Readers.RunWhileClosed(() =>
    {
        Close();
        DatabaseFile.Replace(Path, newFile);
        Open();
    });

    /// <summary>
    /// Moves the file, whatever is wrong with it, to another name; there is no database from then on, until <see cref="Replace"/>.
    /// Queries that run are waited for.
    /// </summary>
    /// <exception cref="IOException">The file cannot be moved.</exception>
    public void MoveAside(string target) => Readers.RunWhileClosed(() =>
    {
        Close();
        DatabaseFile.MoveAside(Path, target);
    });

    public void Dispose()
    {
        Readers.Dispose();
        Close();
    }

    private void Close()
    {
        _writer?.Dispose();
        _writer = null;
    }
}
