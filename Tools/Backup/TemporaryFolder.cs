namespace DistDb.Tools.Backup;

/// <summary>A folder for files on their way, which is gone with this.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-");

    /// <summary>Where a new file may be made.</summary>
    public string NewPath() => Path.Combine(_folder.FullName, Guid.NewGuid().ToString("n"));

    /// <summary>Takes a stream to its end into a file.</summary>
    public async Task<string> TakeAsync(Stream stream, CancellationToken cancellation)
    {
        var path = NewPath();
        using var file = File.Create(path);
        await stream.CopyToAsync(file, cancellation).ConfigureAwait(false);
        return path;
    }

    /// <summary>Takes a database out of an archive.</summary>
    /// <exception cref="ToolException">It is not as the archive's list has it.</exception>
    public async Task<string> TakeAsync(string name, ArchiveReader archive, Stream content, CancellationToken cancellation)
    {
        var path = NewPath();
        using var file = File.Create(path);
        return await archive.IsAsListedAsync(name, content, cancellation, file).ConfigureAwait(false)
            ? path
            : throw new ToolException($"The database \"{name}\" in the archive is damaged: it is not as the archive's list has it. It was not restored.", ExitCode.BadNews);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
