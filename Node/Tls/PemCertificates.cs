using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace DistDb.Node.Tls;

/// <summary>Certificates as text.</summary>
internal static class PemCertificates
{
    /// <summary>All certificates of a file, in their order; at least one.</summary>
    /// <param name="pem">The file's text.</param>
    /// <param name="what">What they are for, for the message.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="InvalidDataException">There are none, or one cannot be read.</exception>
    public static X509Certificate2Collection Parse(string pem, string what, string path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"The {what} in {path} cannot be used: one of its certificates is damaged ({e.Message.TrimEnd('.')}).", e);
        }

        return certificates.Count > 0
            ? certificates
            : throw new InvalidDataException($"The {what} in {path} cannot be used: there is no certificate in PEM (\"-----BEGIN CERTIFICATE-----\") in it.");
    }
}
