using System.Formats.Tar;
using System.Security.Cryptography;

namespace DistDb.Tools.Backup;

/// <summary>An archive of backups, read once from its beginning: a list of SHA-256 sums, then a file for each database.</summary>
internal sealed class ArchiveReader : IAsyncDisposable
{
    private const string ListName = "SHA256SUMS";
    private const string Suffix = ".db";

    private readonly TarReader _reader;
    private readonly Dictionary<string, byte[]> _sums;
    private readonly HashSet<string> _seen = [];

    private ArchiveReader(TarReader reader, Dictionary<string, byte[]> sums)
    {
        _reader = reader;
        _sums = sums;
    }

    /// <summary>The databases that it says are in it.</summary>
    public IReadOnlyCollection<string> Databases => _sums.Keys;

    /// <summary>One that it says is in it, and was not; null where all were, at the end.</summary>
    public string? Missing => _sums.Keys.FirstOrDefault(name => !_seen.Contains(name));

    /// <summary>Opens an archive.</summary>
    /// <exception cref="InvalidDataException">It is none of backups.</exception>
    public static async Task<ArchiveReader> OpenAsync(string path, CancellationToken cancellation)
    {
        var reader = new TarReader(File.OpenRead(path));
        try
        {
            if (await reader.GetNextEntryAsync(copyData: false, cancellation).ConfigureAwait(false) is not { Name: ListName, DataStream: { } list })
            {
                throw new InvalidDataException($"{path} is no archive of backups: its first entry is not {ListName}.");
            }

            using var lines = new StreamReader(list);
            Dictionary<string, byte[]> sums = [];
            while (await lines.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
            {
                sums.Add(NameOf(line[66..]) ?? throw new InvalidDataException($"{path} lists a file that is no database: {line}"), Convert.FromHexString(line[..64]));
            }

            return new(reader, sums);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            await reader.DisposeAsync().ConfigureAwait(false);
            throw new InvalidDataException($"{path} is no archive of backups: {e.Message}", e);
        }
        catch
        {
            await reader.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The next database and its file, or null at the end.</summary>
    /// <exception cref="InvalidDataException">The archive is bad.</exception>
    public async Task<(string Name, Stream Content)?> NextAsync(CancellationToken cancellation)
    {
        if (await _reader.GetNextEntryAsync(copyData: false, cancellation).ConfigureAwait(false) is not { } entry)
        {
            return null;
        }

        var name = NameOf(entry.Name);
        return name is not null && entry.DataStream is { } content && _seen.Add(name)
            ? (name, content)
            : throw new InvalidDataException($"There is something in the archive that is no database: {entry.Name}.");
    }

    /// <summary>Reads a file through, and tells whether it is the one of the list.</summary>
    /// <param name="name">The database.</param>
    /// <param name="content">Its file.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="copy">Where to write it, or null.</param>
    public async Task<bool> IsAsListedAsync(string name, Stream content, CancellationToken cancellation, Stream? copy = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 << 10];
        while (await content.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            if (copy is not null)
            {
                await copy.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
            }
        }

        return _sums.TryGetValue(name, out var sum) && hash.GetHashAndReset().AsSpan().SequenceEqual(sum);
    }

    public ValueTask DisposeAsync() => _reader.DisposeAsync();

    private static string? NameOf(string entry) =>
        entry.EndsWith(Suffix, StringComparison.Ordinal) && !entry.Contains('/', StringComparison.Ordinal) ? entry[..^Suffix.Length] : null;
}
