namespace DistDb.Node.Tls;

/// <summary>The files that TLS is made of, all PEM; null where none was given.</summary>
/// <param name="Certificate">What this process shows: its certificate, and after it those between it and the root.</param>
/// <param name="Key">The certificate's private key, without a passphrase.</param>
/// <param name="Ca">The only roots by which other nodes' certificates are judged; null for those that the operating system trusts.</param>
public sealed record TlsFiles(string? Certificate, string? Key, string? Ca)
{
    public static TlsFiles None { get; } = new(null, null, null);

    /// <summary>What stands in the files now.</summary>
    /// <exception cref="InvalidDataException">One of them cannot be read; the message says which.</exception>
    internal PemTexts Read() => new(Read("certificate", Certificate), Read("key", Key), Read("CA", Ca));

    private static string? Read(string what, string? path)
    {
        try
        {
            return path is null ? null : File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"The {what} cannot be read: {e.Message}", e);
        }
    }
}

/// <summary>The files' content, which tells whether they have changed: times and names do not, where a folder is swapped by a link or a file is restored.</summary>
internal sealed record PemTexts(string? Certificate, string? Key, string? Ca);
