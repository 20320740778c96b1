using System.Globalization;
using System.Security.Cryptography;
using DistDb.Node.Api;
using Microsoft.Data.Sqlite;

namespace DistDb.Tools.Backup;

/// <summary>Takes a backup into a file, which gets its name only once it is whole, checked and on disk.</summary>
/// <param name="target">The file, or a folder, in which it gets the name that the node proposes.</param>
/// <param name="mayOverwrite">Whether a file that is there may go.</param>
/// <param name="isArchive">Whether it is one of several databases.</param>
internal sealed class Download(string target, bool mayOverwrite, bool isArchive)
{
    private const int BufferBytes = 128 << 10;

    /// <summary>Takes it. May be called again where it broke off.</summary>
    /// <param name="response">The head of what the node answers.</param>
    /// <param name="body">And its body.</param>
    /// <param name="onProgress">Told how many bytes have come, of how many if that is known.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ToolException">The file cannot be written, or the backup is bad.</exception>
    /// <exception cref="IOException">The node broke off.</exception>
    public async Task<BackupResult> TakeAsync(HttpResponseMessage response, Stream body, Action<long, long?> onProgress, CancellationToken cancellation)
    {
        var path = Path.GetFullPath(Directory.Exists(target) ? Path.Combine(target, Path.GetFileName(response.Content.Headers.ContentDisposition!.FileName!.Trim('"'))) : target);
        if (File.Exists(path) && !mayOverwrite)
        {
            throw new ToolException($"There is a file {path} already. Nothing was written; give another name, or --force.", ExitCode.WrongUsage);
        }

        var part = path + ".part";
        long bytes;
        var file = Create(part);
        try
        {
            await using (file.ConfigureAwait(false))
            {
                bytes = await CopyAsync(response, body, file, onProgress, cancellation).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            if ((isArchive ? await CheckArchiveAsync(part, cancellation).ConfigureAwait(false) : CheckDatabase(part)) is { } problem)
            {
                throw new ToolException($"The backup is bad: {problem}. Nothing was kept; take it from another node (--url), and look at this one with 'distdb verify'.", ExitCode.BadNews);
            }

            File.Move(part, path, mayOverwrite);
        }
        finally
        {
            File.Delete(part);
        }

        return new(path, bytes, long.Parse(response.Headers.GetValues(AnswerHeaders.Index).Single(), CultureInfo.InvariantCulture));
    }

    /// <summary>Copies a backup, and sees by its digest, where there is one, that it came whole.</summary>
    /// <exception cref="ToolException">It cannot be written.</exception>
    /// <exception cref="IOException">The node broke off.</exception>
    public static async Task<long> CopyAsync(HttpResponseMessage response, Stream body, Stream output, Action<long, long?> onProgress, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[BufferBytes];
        var bytes = 0L;
        while (await body.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and var count)
        {
            hash.AppendData(buffer, 0, count);
            try
            {
                await output.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                // Not the node's doing.
                throw new ToolException($"The backup cannot be written: {e.Message}", ExitCode.BadNews);
            }

            bytes += count;
            onProgress(bytes, response.Content.Headers.ContentLength);
        }

        return DigestOf(response) is { } wanted && !hash.GetHashAndReset().AsSpan().SequenceEqual(wanted)
            ? throw new IOException("what came is not what was sent: its digest differs")
            : bytes;
    }

    /// <summary>SHA-256 of the body, as RFC 9530 has it; null where the node does not say.</summary>
    private static byte[]? DigestOf(HttpResponseMessage response)
    {
        const string Prefix = "sha-256=:";
        return response.Headers.TryGetValues(AnswerHeaders.Digest, out var values) && values.FirstOrDefault(v => v.StartsWith(Prefix, StringComparison.Ordinal)) is { } value
            ? Convert.FromBase64String(value[Prefix.Length..].TrimEnd(':'))
            : null;
    }

    private static FileStream Create(string path)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
            if (!OperatingSystem.IsWindows())
            {
                // All of the users' data.
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            return new(path, options);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"The backup cannot be written: {e.Message}", ExitCode.WrongUsage);
        }
    }

    /// <summary>What SQLite finds wrong with a file, or null.</summary>
    private static string? CheckDatabase(string path)
    {
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA integrity_check(1)";
            command.CommandTimeout = 0;
            return command.ExecuteScalar() is "ok" ? null : "SQLite finds it damaged";
        }
        catch (SqliteException e)
        {
            return e.Message;
        }
    }

    /// <summary>What in an archive is not as its list has it, or null.</summary>
    private static async Task<string?> CheckArchiveAsync(string path, CancellationToken cancellation)
    {
        try
        {
            var archive = await ArchiveReader.OpenAsync(path, cancellation).ConfigureAwait(false);
            await using var _ = archive.ConfigureAwait(false);
            while (await archive.NextAsync(cancellation).ConfigureAwait(false) is var (name, content))
            {
                if (!await archive.IsAsListedAsync(name, content, cancellation).ConfigureAwait(false))
                {
                    return $"{name} in it is not as its list has it";
                }
            }

            return archive.Missing is { } missing ? $"{missing} is missing in it" : null;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return e.Message;
        }
    }
}
