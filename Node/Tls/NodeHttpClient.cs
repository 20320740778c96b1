namespace DistDb.Node.Tls;

/// <summary>HTTP requests to other nodes, whose certificates are judged by what is trusted now: the files of TLS may change while a node runs. Thread safe.</summary>
/// <param name="tls">What is trusted.</param>
internal sealed class NodeHttpClient(TlsStore tls) : IDisposable
{
    private readonly Lock _lock = new();
    private CertificateTrust? _trust;
    private HttpClient? _http;

    /// <summary>For one request. Those that are under way by an earlier one end in peace.</summary>
    public HttpClient Current
    {
        get
        {
            var trust = tls.Current.Trust;
            lock (_lock)
            {
                if (_http is null || _trust != trust)
                {
                    (_trust, _http) = (trust, Create(trust));
                }

                return _http;
            }
        }
    }

    public void Dispose() => _http?.Dispose();

    private static HttpClient Create(CertificateTrust trust) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(3),
        ActivityHeadersPropagator = null,
        SslOptions = trust.CreateClientOptions(),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };
}
