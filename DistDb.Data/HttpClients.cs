using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DistDb.Node.Tls;

namespace DistDb.Data;

/// <summary>The process's HTTP clients, one for each file of CAs, which keep their connections to the nodes for whoever comes next. They live as long as the process.</summary>
internal static class HttpClients
{
    /// <summary>A node of one's own network that does not accept a connection in this time is down.</summary>
    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(3);

    private static readonly ConcurrentDictionary<string, Lazy<HttpClient>> _clients = new(StringComparer.Ordinal);

    /// <param name="ca">A PEM file; null for the CAs that the operating system trusts.</param>
    /// <exception cref="ArgumentException">The file cannot be read, or has no certificates.</exception>
    public static HttpClient Of(string? ca)
    {
        var key = ca is null ? "" : Path.GetFullPath(ca);
        var client = _clients.GetOrAdd(key, _ => new(() => Create(ca)));
        try
        {
            return client.Value;
        }
        catch (ArgumentException)
        {
            // So that the file can be mended while the process runs.
            _clients.TryRemove(new(key, client));
            throw;
        }
    }

    private static HttpClient Create(string? ca) => new(new SocketsHttpHandler
    {
        // Nodes are reached directly: a proxy named in the environment is meant for the world outside.
        UseProxy = false,
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = _connectTimeout,
        // So that a name whose address changed is looked up again.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        SslOptions = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = CertificatePolicy.Protocols,
            CertificateChainPolicy = CertificatePolicy.Create(ReadRoots(ca)),
        },
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private static X509Certificate2Collection? ReadRoots(string? ca)
    {
        if (ca is null)
        {
            return null;
        }

        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPemFile(ca);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ArgumentException($"The connection string's Ca \"{ca}\" cannot be read: {e.Message}", e);
        }

        return roots.Count > 0 ? roots : throw new ArgumentException($"The connection string's Ca \"{ca}\" has no certificates in PEM.");
    }
}
