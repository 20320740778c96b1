using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace DistDb.Node.Tls;

/// <summary>
/// By which roots others' certificates are judged: those of a file and no others, or those of the operating system. It judges the chain, the
/// time and the name that was dialled. Thread safe.
/// </summary>
public sealed class CertificateTrust
{
    private readonly X509Certificate2Collection? _roots;
    private readonly string? _source;

    private CertificateTrust(X509Certificate2Collection? roots, string? source) => (_roots, _source) = (roots, source);

    /// <summary>The roots that the operating system trusts.</summary>
    public static CertificateTrust OfSystem { get; } = new(null, null);

    /// <summary>Where the roots are from, for people.</summary>
    public string Source => _source ?? "the operating system";

    /// <summary>The roots of a file alone.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, or holds no certificates.</exception>
    public static CertificateTrust Read(string path) => Parse(new TlsFiles(null, null, path).Read().Ca!, path);

    /// <exception cref="InvalidDataException">The text holds no certificates.</exception>
    internal static CertificateTrust Parse(string pem, string path) => new(PemCertificates.Parse(pem, "CA", path), path);

    /// <summary>How to dial: TLS 1.2 or newer, and a check that throws <see cref="CertificateRefusedException"/>.</summary>
    public SslClientAuthenticationOptions CreateClientOptions() => new()
    {
        EnabledSslProtocols = CertificatePolicy.Protocols,
        CertificateChainPolicy = CertificatePolicy.Create(_roots),
        RemoteCertificateValidationCallback = (sender, certificate, chain, errors) => errors == SslPolicyErrors.None
            ? true
            : throw new CertificateRefusedException(Explain(certificate as X509Certificate2, chain, errors, ((SslStream)sender).TargetHostName)),
    };

    /// <summary>Why a certificate is not signed as others would ask it to be, as <c>is not signed by ...</c>; or null.</summary>
    internal string? FindFault(X509Certificate2 certificate, X509Certificate2Collection intermediates)
    {
        using var chain = new X509Chain { ChainPolicy = CertificatePolicy.Create(_roots) };
        chain.ChainPolicy.ExtraStore.AddRange(intermediates);
        return chain.Build(certificate) ? null : Explain(chain);
    }

    private string Explain(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, string host)
    {
        if (certificate is null || chain is null)
        {
            return "it shows no certificate";
        }

        return errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)
            ? $"its certificate ({Describe(certificate)}) {Explain(chain)}"
            : $"its certificate is for {CertificateNames.HostsOf(certificate)}, and not for {host}";
    }

    private string Explain(X509Chain chain)
    {
        foreach (var element in chain.ChainElements)
        {
            if (CertificateNames.FindTimeFault(element.Certificate, DateTimeOffset.UtcNow) is { } fault)
            {
                return element == chain.ChainElements[0] ? fault : $"is signed by one ({element.Certificate.Subject}) that {fault}";
            }
        }

        return chain.ChainStatus.Any(s => s.Status is X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.PartialChain)
            ? $"is not signed by a CA of {Source}{(_roots is null ? "; name its CA with --ca or DISTDB_CA" : "")}"
            : $"is not good: {string.Join("; ", chain.ChainStatus.Select(s => s.StatusInformation.Trim().TrimEnd('.')))}";
    }

    private static string Describe(X509Certificate2 certificate) =>
        certificate.Subject == certificate.Issuer ? $"{certificate.Subject}, signed by itself" : $"{certificate.Subject}, signed by {certificate.Issuer}";
}
