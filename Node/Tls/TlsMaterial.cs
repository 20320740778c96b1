using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DistDb.Node.Tls;

/// <summary>
/// A node's certificate with its key, and the roots that it judges others by, as they stood in the files at one moment. Made by loading alone,
/// so that whatever is in use fits together. Immutable.
/// </summary>
public sealed class TlsMaterial
{
    private TlsMaterial(TlsFiles files, PemTexts texts, string host, CertificateTrust trust, X509Certificate2? certificate, SslServerAuthenticationOptions? server) =>
        (Files, Texts, Host, Trust, Certificate, ServerOptions) = (files, texts, host, trust, certificate, server);

    /// <summary>Of a node without any of the files: it speaks http, and trusts whom the operating system trusts.</summary>
    public static TlsMaterial None { get; } = new(TlsFiles.None, new(null, null, null), "", CertificateTrust.OfSystem, null, null);

    /// <summary>Where it is from.</summary>
    public TlsFiles Files { get; }

    /// <summary>How the node's certificate must call it.</summary>
    public string Host { get; }

    /// <summary>How others' certificates are judged.</summary>
    public CertificateTrust Trust { get; }

    /// <summary>The node's own; null where it speaks http.</summary>
    public X509Certificate2? Certificate { get; }

    /// <summary>How to be dialled; null where the node speaks http.</summary>
    public SslServerAuthenticationOptions? ServerOptions { get; }

    /// <summary>What stood in the files.</summary>
    internal PemTexts Texts { get; }

    /// <summary>A line for each of the two, its name first, for people.</summary>
    public IEnumerable<string> Describe()
    {
        if (Certificate is { } certificate)
        {
            yield return $"certificate {Files.Certificate}, for {CertificateNames.HostsOf(certificate)}, until {CertificateNames.Show(certificate.NotAfter)}";
        }

        if (Files.Ca is { } ca)
        {
            yield return $"ca          {ca}";
        }
    }

    /// <summary>Loads what the files hold now, and checks that peers would accept it.</summary>
    /// <param name="files">A certificate and its key, or neither; and a CA, or none.</param>
    /// <param name="host">The name or address by which the other nodes dial this one.</param>
    /// <exception cref="InvalidDataException">The message says in a sentence which file is wrong, and how.</exception>
    public static TlsMaterial Load(TlsFiles files, string host) => Load(files, files.Read(), host);

    internal static TlsMaterial Load(TlsFiles files, PemTexts texts, string host)
    {
        var trust = texts.Ca is { } ca ? CertificateTrust.Parse(ca, files.Ca!) : CertificateTrust.OfSystem;
        if (texts is not { Certificate: { } pem, Key: { } key })
        {
            return new(files, texts, host, trust, null, null);
        }

        var chain = PemCertificates.Parse(pem, "certificate", files.Certificate!);
        var certificate = WithKey(chain[0], pem, key, files);
        var intermediates = new X509Certificate2Collection(chain.Skip(1).ToArray());
        var fault = CertificateNames.FindTimeFault(certificate, DateTimeOffset.UtcNow)
            ?? (files.Ca is null ? null : trust.FindFault(certificate, intermediates))
            ?? (certificate.MatchesHostname(host) ? null : $"is for {CertificateNames.HostsOf(certificate)}, and not for {host}, by which the other nodes dial this one (see --peers)");
        return fault is null
            ? new(files, texts, host, trust, certificate, CreateServerOptions(certificate, intermediates))
            : throw new InvalidDataException($"The certificate in {files.Certificate} cannot be used: it {fault}.");
    }

    private static X509Certificate2 WithKey(X509Certificate2 certificate, string pem, string key, TlsFiles files)
    {
        if (key.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            throw new InvalidDataException($"The key in {files.Key} cannot be used: it takes a passphrase, which nobody is there to type. Remove it with: openssl pkey -in <file> -out <new file>");
        }

        try
        {
            return X509Certificate2.CreateFromPem(pem, key);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException { InnerException: ArgumentException })
        {
            throw new InvalidDataException($"The key in {files.Key} cannot be used: it is not that of the certificate ({certificate.Subject}) in {files.Certificate}.", e);
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException(
                $"The key in {files.Key} cannot be used: it is no private key in PEM of the kind that the certificate in {files.Certificate} has.", e);
        }
    }

    private static SslServerAuthenticationOptions CreateServerOptions(X509Certificate2 certificate, X509Certificate2Collection intermediates) => new()
    {
        EnabledSslProtocols = CertificatePolicy.Protocols,
        ServerCertificateContext = SslStreamCertificateContext.Create(certificate, intermediates, offline: true),

        // The same as without TLS, so that a connection means the same to every limit.
        ApplicationProtocols = [SslApplicationProtocol.Http11],
    };
}
