using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistDb.Node.Tls;

namespace DistDb.Tests.Support;

/// <summary>A CA that signs whatever a test needs, and a folder for the files; disposing removes it.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-tls-");
    private readonly X509Certificate2 _root;
    private int _serial;

    public TestAuthority(string name = "Test CA")
    {
        Name = name;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _root = CreateAuthority(name, key).CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2));
        File.WriteAllText(CaPath, Pem);
    }

    public string Name { get; }

    public string Folder => _folder.FullName;

    public string CaPath => Path.Combine(Folder, "ca.pem");

    public string CertificatePath => Path.Combine(Folder, "node.pem");

    public string KeyPath => Path.Combine(Folder, "node.key");

    public TlsFiles Files => new(CertificatePath, KeyPath, CaPath);

    public string Pem => _root.ExportCertificatePem();

    public CertificateTrust Trust => CertificateTrust.Read(CaPath);

    /// <summary>The arguments of a node that uses the files.</summary>
    public string[] Options => ["--cert", CertificatePath, "--key", KeyPath, "--ca", CaPath];

    /// <summary>Writes a certificate for this machine, valid for a year, and its key.</summary>
    /// <returns>The certificate's serial number.</returns>
    public string Issue(params string[] hosts)
    {
        var (certificate, key) = Create(hosts);
        File.WriteAllText(CertificatePath, certificate);
        File.WriteAllText(KeyPath, key);
        return SerialOf(certificate);
    }

    public static string SerialOf(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return certificate.SerialNumber;
    }

    /// <summary>A certificate and its key, as text.</summary>
    /// <param name="hosts">What it is for; this machine, if empty.</param>
    /// <param name="from">From when on, in days from now.</param>
    /// <param name="to">Until when.</param>
    /// <param name="through">Whether another CA stands between, whose certificate comes second.</param>
    public (string Certificate, string Key) Create(IReadOnlyCollection<string> hosts, double from = -1, double to = 365, bool through = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts.Count > 0 ? hosts : ["localhost", "127.0.0.1", "::1"])
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], critical: false));
        using var middle = through ? CreateMiddle() : null;
        using var certificate = request.Create(middle ?? _root, DateTimeOffset.UtcNow.AddDays(from), DateTimeOffset.UtcNow.AddDays(to), NextSerial());
        return ($"{certificate.ExportCertificatePem()}\n{middle?.ExportCertificatePem()}", key.ExportPkcs8PrivateKeyPem());
    }

    public void Dispose()
    {
        _root.Dispose();
        _folder.Delete(recursive: true);
    }

    private X509Certificate2 CreateMiddle()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = CreateAuthority("between", key).Create(_root, DateTimeOffset.UtcNow.AddYears(-1), _root.NotAfter, NextSerial());
        return certificate.CopyWithPrivateKey(key);
    }

    private static CertificateRequest CreateAuthority(string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request;
    }

    private byte[] NextSerial() => [1, (byte)++_serial];
}
