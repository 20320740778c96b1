using System.Diagnostics.CodeAnalysis;

namespace DistDb.Node.Database;

/// <summary>
/// One database of this node: its file, the connection that writes it and those that read it. <see cref="Writer"/> and <see cref="Replace"/> belong to
/// one thread; <see cref="Readers"/> to any.
/// </summary>
public sealed class ReplicaDatabase : IDisposable
{
    private readonly DatabaseOptions _options;

    /// <exception cref="StorageFailedException">The file cannot be opened.</exception>
    public ReplicaDatabase(string path, DatabaseOptions options)
    {
        Path = path;
        _options = options;
        OpenWriter();
        Readers = new(path, options);
    }

    public string Path { get; }

    public DatabaseWriter Writer { get; private set; }

    public ReadPool Readers { get; }

    /// <summary>
    /// Puts another file in this one's place. Queries that run are waited for, later ones wait until it is done. Should the process
    /// die in between, <see cref="DatabaseFile.Replace"/> finishes it.
    /// </summary>
    /// <exception cref="StorageFailedException">The new file cannot be opened.</exception>
    /// <exception cref="IOException">The file cannot be moved.</exception>
    public void Replace(string newFile) => Readers.RunWhileClosed(() =>
    {
        Writer.Dispose();
        DatabaseFile.Replace(Path, newFile);
        OpenWriter();
    });

    public void Dispose()
    {
        Readers.Dispose();
        Writer.Dispose();
    }

    [MemberNotNull(nameof(Writer))]
    private void OpenWriter() => Writer = DatabaseWriter.Open(Path, _options);
}
