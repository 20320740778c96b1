using System.Globalization;
using System.Security.Cryptography.X509Certificates;

namespace DistDb.Node.Tls;

/// <summary>What people are told about a certificate.</summary>
internal static class CertificateNames
{
    /// <summary>The host names and addresses that it is for, such as <c>localhost, 127.0.0.1</c>.</summary>
    public static string HostsOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString())))
            .ToList();
        return names.Count > 0 ? string.Join(", ", names) : certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false);
    }

    /// <summary>Why it is not good at a time, as <c>expired on ...</c>; or null.</summary>
    public static string? FindTimeFault(X509Certificate2 certificate, DateTimeOffset now) =>
        now > certificate.NotAfter ? $"expired on {Show(certificate.NotAfter)}"
        : now < certificate.NotBefore ? $"is not valid before {Show(certificate.NotBefore)}"
        : null;

    public static string Show(DateTime time) => time.ToUniversalTime().ToString("u", CultureInfo.InvariantCulture);
}
