using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using DistDb.Node.Tls;
using DistDb.Tests.Support;

namespace DistDb.Tests.Tls;

/// <summary>Files that are not good are refused in a sentence; what is good is accepted by whoever dials, and nothing else is.</summary>
public sealed class TlsMaterialTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public void Nothing_is_needed()
    {
        var none = TlsMaterial.Load(TlsFiles.None, "localhost");
        none.ServerOptions.Should().BeNull();
        none.Trust.Should().BeSameAs(CertificateTrust.OfSystem);
        none.Describe().Should().BeEmpty();
    }

    [Fact]
    public void A_good_certificate_is_described()
    {
        _authority.Issue();
        var material = TlsMaterial.Load(_authority.Files, "127.0.0.1");
        material.ServerOptions.Should().NotBeNull();
        material.Describe().Should().SatisfyRespectively(
            certificate => certificate.Should().Contain(_authority.CertificatePath).And.Contain("localhost, 127.0.0.1, ::1"),
            ca => ca.Should().Contain(_authority.CaPath));
    }

    [Theory]
    [InlineData("no certificate", "node.pem", "Could not find")]
    [InlineData("no key", "node.key", "Could not find")]
    [InlineData("no CA", "ca.pem", "Could not find")]
    [InlineData("a folder", "node.pem", "cannot be read")]
    [InlineData("an empty certificate", "node.pem", "no certificate in PEM")]
    [InlineData("a damaged certificate", "node.pem", "damaged")]
    [InlineData("an empty key", "node.key", "no private key in PEM")]
    [InlineData("a damaged key", "node.key", "no private key in PEM")]
    [InlineData("another's key", "node.key", "not that of the certificate (CN=node)")]
    [InlineData("a locked key", "node.key", "passphrase")]
    [InlineData("an empty CA", "ca.pem", "no certificate in PEM")]
    [InlineData("another CA", "node.pem", "not signed by a CA of")]
    [InlineData("an expired one", "node.pem", "expired on")]
    [InlineData("one for tomorrow", "node.pem", "not valid before")]
    [InlineData("another host's", "node.pem", "for db.example.org, and not for 127.0.0.1")]
    public void What_is_wrong_is_said(string what, string file, string reason)
    {
        using var other = new TestAuthority("Other CA");
        other.Issue();
        _authority.Issue();
        switch (what)
        {
            case "no certificate" or "no key" or "no CA":
                File.Delete(Path.Combine(_authority.Folder, file));
                break;
            case "a folder":
                File.Delete(_authority.CertificatePath);
                Directory.CreateDirectory(_authority.CertificatePath);
                break;
            case "an empty certificate" or "an empty key" or "an empty CA":
                File.WriteAllText(Path.Combine(_authority.Folder, file), "");
                break;
            case "a damaged certificate" or "a damaged key":
                var path = Path.Combine(_authority.Folder, file);
                var text = File.ReadAllText(path);
                File.WriteAllText(path, text[..60] + text[80..]);
                break;
            case "another's key":
                File.Copy(other.KeyPath, _authority.KeyPath, overwrite: true);
                break;
            case "a locked key":
                File.WriteAllText(_authority.KeyPath, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
                break;
            case "another CA":
                File.Copy(other.CaPath, _authority.CaPath, overwrite: true);
                break;
            case "an expired one":
                Write(_authority.Create([], from: -20, to: -10));
                break;
            case "one for tomorrow":
                Write(_authority.Create([], from: 1));
                break;
            case "another host's":
                Write(_authority.Create(["db.example.org"]));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }

        var load = () => TlsMaterial.Load(_authority.Files, "127.0.0.1");
        load.Should().Throw<InvalidDataException>().Which.Message.Should().Contain(file).And.Contain(reason).And.NotContain("\n");
    }

    [Theory]
    [InlineData("127.0.0.1", null)]
    [InlineData("localhost", null)]
    [InlineData("127.0.0.2", "its certificate is for localhost, 127.0.0.1, ::1, and not for 127.0.0.2")]
    public async Task The_name_that_is_dialled_counts(string host, string? refusal)
    {
        _authority.Issue();
        (await RefusalAsync(TlsMaterial.Load(_authority.Files, "127.0.0.1"), _authority.Trust, host)).Should().Be(refusal);
    }

    [Fact]
    public async Task The_CA_that_was_given_counts_and_no_other()
    {
        _authority.Issue();
        using var other = new TestAuthority("Other CA");
        var material = TlsMaterial.Load(_authority.Files, "127.0.0.1");
        (await RefusalAsync(material, other.Trust)).Should().Be($"its certificate (CN=node, signed by CN=Test CA) is not signed by a CA of {other.CaPath}");
        (await RefusalAsync(material, CertificateTrust.OfSystem)).Should().Contain("not signed by a CA of the operating system").And.Contain("--ca");
        File.WriteAllText(other.CaPath, other.Pem + "\n" + _authority.Pem);
        (await RefusalAsync(material, other.Trust)).Should().BeNull("a file may have several, so that they can be changed one after the other");
    }

    [Fact]
    public async Task What_stands_between_a_certificate_and_its_CA_is_sent_along()
    {
        Write(_authority.Create([], through: true));
        (await RefusalAsync(TlsMaterial.Load(_authority.Files, "127.0.0.1"), _authority.Trust)).Should().BeNull();
    }

    [Fact]
    public async Task A_certificate_that_has_expired_since_it_was_loaded_is_refused()
    {
        Write(_authority.Create([], to: 2.0 / 86_400));
        var material = TlsMaterial.Load(_authority.Files, "127.0.0.1");
        while (DateTime.Now <= material.Certificate!.NotAfter)
        {
            await Task.Delay(20);
        }

        (await RefusalAsync(material, _authority.Trust)).Should().Contain("(CN=node, signed by CN=Test CA) expired on");
    }

    /// <summary>Dials a server with that certificate; null where it is accepted, else why not.</summary>
    private static async Task<string?> RefusalAsync(TlsMaterial server, CertificateTrust trust, string host = "127.0.0.1")
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var dialled = new TcpClient();
        await dialled.ConnectAsync(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndpoint).Port);
        using var accepted = await listener.AcceptTcpClientAsync();
        await using var client = new SslStream(dialled.GetStream());
        await using var acceptor = new SslStream(accepted.GetStream());
        var accepting = acceptor.AuthenticateAsServerAsync(server.ServerOptions!);
        var options = trust.CreateClientOptions();
        options.TargetHost = host;
        try
        {
            await client.AuthenticateAsClientAsync(options);
            await accepting;
            return null;
        }
        catch (CertificateRefusedException e)
        {
            dialled.Close();
            await accepting.ContinueWith(_ => { }, TaskScheduler.Default);
            return e.Message;
        }
    }

    private void Write((string Certificate, string Key) pair)
    {
        File.WriteAllText(_authority.CertificatePath, pair.Certificate);
        File.WriteAllText(_authority.KeyPath, pair.Key);
    }
}
