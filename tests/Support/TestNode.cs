using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using DistDb.Node.Tls;

namespace DistDb.Tests.Support;

/// <summary>One node of a <see cref="TestCluster"/>: its process, which may be killed and started again on the same files, and its API.</summary>
internal sealed class TestNode : IDisposable
{
    private static readonly JsonSerializerOptions _json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _folder;
    private readonly IReadOnlyList<string> _arguments;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Lock _logLock = new();
    private readonly StringBuilder _earlierLogs = new();
    private readonly HttpClient _http;
    private DistDbProcess? _process;

    /// <param name="id">From 0.</param>
    /// <param name="address">Where it will listen.</param>
    /// <param name="folder">The data folder of the cluster.</param>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Variables of its own.</param>
    /// <param name="trust">By which CA to judge its certificate; null for a node without.</param>
    public TestNode(
        int id, Uri address, string folder, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, CertificateTrust? trust = null)
    {
        Id = id;
        Address = address;
        _folder = folder;
        _arguments = arguments;
        _environment = environment;
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (trust is not null)
        {
            handler.SslOptions = trust.CreateClientOptions();
        }

        _http = new(new SocketFailures(handler)) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public int Id { get; }

    public Uri Address { get; }

    /// <summary>Where all its files are.</summary>
    public string Folder => Path.Combine(_folder, $"node-{Id}");

    public string DatabasePath => PathOf("main");

    /// <summary>The names of all files that belong to databases.</summary>
    public IEnumerable<string> DatabaseFiles => Directory.GetFiles(Path.Combine(Folder, "databases")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);

    /// <summary>Databases that were bad, and are kept for whoever wants to look.</summary>
    public IEnumerable<string> QuarantineFiles =>
        Path.Combine(_folder, $"node-{Id}", "quarantine") is var folder && Directory.Exists(folder) ? Directory.GetFiles(folder, "*.db", SearchOption.AllDirectories) : [];

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The most memory that this run had resident so far, in bytes.</summary>
    public long PeakMemoryBytes => _process!.PeakMemoryBytes;

    /// <inheritdoc cref="DistDbProcess.MemoryBytes"/>
    public long MemoryBytes => _process!.MemoryBytes;

    /// <summary>What all runs of this node printed.</summary>
    public string Log
    {
        get
        {
            lock (_logLock)
            {
                return _earlierLogs + Current();
            }
        }
    }

    /// <summary>What it printed since it was last started, and how it ended.</summary>
    public string Current() => _process is not { } process ? ""
        : process.Output + process.Errors + (process.HasExited ? $"(ended with exit code {process.ExitCode})\n" : "");

    /// <summary>A database's file.</summary>
    public string PathOf(string database) => Path.Combine(Folder, "databases", $"{database}.db");

    /// <param name="more">Arguments for this run alone.</param>
    public void Start(params IEnumerable<string> more)
    {
        lock (_logLock)
        {
            if (_process is { } previous)
            {
                _earlierLogs.Append(Current());
                previous.Dispose();
            }

            _process = DistDbProcess.Start(_folder, _environment, [.. _arguments, .. more]);
        }
    }

    /// <summary>Appends what it printed to a file, and forgets it.</summary>
    public void MoveLogTo(string path)
    {
        lock (_logLock)
        {
            File.AppendAllText(path, _earlierLogs.ToString() + _process?.Take());
            _earlierLogs.Clear();
        }
    }

    /// <summary><c>kill -9</c>.</summary>
    public void Kill() => _process!.Kill();

    public void Pause() => _process!.Pause();

    public void Resume() => _process!.Resume();

    /// <summary>An orderly stop.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> StopAsync()
    {
        _process!.Terminate();
        return WaitForExitAsync();
    }

    /// <summary>For a node that ends by itself.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> WaitForExitAsync() => _process!.WaitForExitAsync(TimeSpan.FromSeconds(30));

    public Task<Answer> ExecAsync(string sql, params object?[] parameters) => SendAsync("exec", sql, parameters, id: null);

    public Task<Answer> QueryAsync(string sql, params object?[] parameters) => SendAsync("query", sql, parameters, id: null);

    /// <summary>A linearizable read.</summary>
    public Task<Answer> StrongQueryAsync(string query) =>
        PostAsync(JsonSerializer.SerializeToUtf8Bytes(new { command = "query", query, consistency = "strong" }, _json));

    public Task<Answer> VerifyAsync(bool repair) =>
        SendAsync(new(HttpMethod.Post, "/cluster/verify") { Content = new StringContent(repair ? "{\"repair\":true}" : "") });

    /// <summary>A write that may be sent again.</summary>
    public Task<Answer> ExecOnceAsync(string id, string sql, params object?[] parameters) => SendAsync("exec", sql, parameters, id);

    /// <summary>A request as it stands, without a Content-Type, as <c>curl -d</c> users would not think of one.</summary>
    public Task<Answer> PostAsync(string body) => PostAsync(Encoding.UTF8.GetBytes(body));

    public Task<Answer> PostAsync(byte[] body) => SendAsync(new(HttpMethod.Post, "/query") { Content = new ByteArrayContent(body) });

    public Task<Answer> GetAsync(string path) => SendAsync(new(HttpMethod.Get, path));

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using (request)
        using (var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            // Of a stream of events, which does not end, only the head.
            var type = response.Content.Headers.ContentType?.MediaType;
            return new((int)response.StatusCode, type, type == "text/event-stream" ? "" : await response.Content.ReadAsStringAsync());
        }
    }

    /// <summary>Sends a request and returns when the head of the answer is there. Dispose it; the body waits to be read.</summary>
    public async Task<HttpResponseMessage> BeginAsync(string body, string? accept = null, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/query") { Content = new StringContent(body) };
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    public Task<Answer> PostAsync(string path, string body) => SendAsync(new(HttpMethod.Post, path) { Content = new StringContent(body) });

    public Task<Answer> DeleteAsync(string path) => SendAsync(new(HttpMethod.Delete, path));

    /// <summary>What <c>GET /status</c> answers, or null where nobody does.</summary>
    public async Task<JsonElement?> StatusAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            using var response = await _http.GetAsync("/status", patience.Token);
            return JsonElement.Parse(await response.Content.ReadAsStringAsync(patience.Token));
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            using var response = await _http.GetAsync("/health/ready", patience.Token);
            return response.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _process?.Dispose();
        _http.Dispose();
    }

    private Task<Answer> SendAsync(string command, string query, object?[] parameters, string? id) =>
        PostAsync(JsonSerializer.SerializeToUtf8Bytes(new { command, query, @params = parameters, id }, _json));
}
