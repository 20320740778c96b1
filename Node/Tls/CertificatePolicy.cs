using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace DistDb.Node.Tls;

/// <summary>How nodes, tools and clients judge a server's certificate, and how they speak with it.</summary>
internal static class CertificatePolicy
{
    /// <summary>Older versions are broken.</summary>
    public const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <param name="roots">The only ones to trust; null for those of the operating system.</param>
    public static X509ChainPolicy Create(X509Certificate2Collection? roots)
    {
        var policy = new X509ChainPolicy
        {
            // What is missing is for the other end to send, not to be fetched from wherever its certificate says.
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        policy.ApplicationPolicy.Add(new("1.3.6.1.5.5.7.3.1", "server authentication"));
        if (roots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }

        return policy;
    }
}
