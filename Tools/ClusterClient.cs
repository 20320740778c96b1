using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DistDb.Node.Api;
using DistDb.Node.Tls;

namespace DistDb.Tools;

/// <summary>
/// Speaks to the nodes of a cluster over HTTP, as any client would. Owns the connections, which are kept open and shared; one instance
/// serves a whole run and any number of tasks at once. It repeats nothing by itself: what may be repeated, the caller knows.
/// </summary>
public sealed class ClusterClient : IDisposable
{
    /// <summary>A node of one's own network that does not accept a connection in this time is down.</summary>
    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(3);

    private readonly TimeSpan _timeout;
    private readonly HttpClient _http;

    /// <param name="timeout">How long one request may take in all.</param>
    /// <param name="token">What to show to the nodes, or null.</param>
    /// <param name="trust">By which CAs to judge the nodes' certificates; null for those that the operating system trusts.</param>
    public ClusterClient(TimeSpan timeout, string? token = null, CertificateTrust? trust = null)
    {
        _timeout = timeout;
        _http = new(new SocketsHttpHandler
        {
            // Nodes are reached directly: a proxy named in the environment is meant for the world outside.
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectTimeout = _connectTimeout,
            SslOptions = (trust ?? CertificateTrust.OfSystem).CreateClientOptions(),
            // So that a name whose address changed is looked up again.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestHeaders = { Authorization = token is null ? null : new("Bearer", token) },
        };
    }

    /// <summary>Asks a node for its own state.</summary>
    /// <exception cref="NodeException">It gave no answer, or not this one.</exception>
    public Task<NodeStatus> GetStatusAsync(Uri node, CancellationToken cancellation) =>
        GetAsync(node, "/status", ApiJsonContext.Default.NodeStatus, cancellation);

    /// <summary>Asks a node for every node's state.</summary>
    /// <exception cref="NodeException">It gave no answer, or not this one.</exception>
    public Task<ClusterStatus> GetClusterAsync(Uri node, CancellationToken cancellation) =>
        GetAsync(node, "/cluster", ApiJsonContext.Default.ClusterStatus, cancellation);

    /// <summary>Asks a node whether it is there, which it tells everybody.</summary>
    /// <exception cref="NodeException">It gave no answer, or not this one.</exception>
    public Task<HealthStatus> GetHealthAsync(Uri node, CancellationToken cancellation) =>
        GetAsync(node, "/health/live", ApiJsonContext.Default.HealthStatus, cancellation);

    /// <summary>Asks a node who belongs to the cluster.</summary>
    /// <exception cref="NodeException">It gave no answer, or not this one.</exception>
    public Task<MembersAnswer> GetMembersAsync(Uri node, CancellationToken cancellation) =>
        GetAsync(node, "/cluster/members", ApiJsonContext.Default.MembersAnswer, cancellation);

    /// <summary>Has a member removed; asking again does no harm.</summary>
    /// <exception cref="NodeException">It is not known to be done.</exception>
    public Task<MembersAnswer> RemoveMemberAsync(Uri node, int id, CancellationToken cancellation) => SendAsync(
        node,
        new(HttpMethod.Delete, new Uri(node, string.Create(CultureInfo.InvariantCulture, $"/cluster/members/{id}"))),
        answer => answer.Deserialize(ApiJsonContext.Default.MembersAnswer)!,
        cancellation);

    /// <summary>Has a member's address recorded; asking again does no harm.</summary>
    /// <exception cref="NodeException">It is not known to be done.</exception>
    public Task<MembersAnswer> MoveMemberAsync(Uri node, MemberRequest request, CancellationToken cancellation) => PostAsync(
        node,
        "/cluster/members",
        JsonSerializer.SerializeToUtf8Bytes(request, ApiJsonContext.Default.MemberRequest),
        answer => answer.Deserialize(ApiJsonContext.Default.MembersAnswer)!,
        cancellation);

    /// <summary>Has all nodes compare their content.</summary>
    /// <exception cref="NodeException">There is no result.</exception>
    public Task<VerificationStatus> VerifyAsync(Uri node, VerifyRequest request, CancellationToken cancellation) => PostAsync(
        node,
        "/cluster/verify",
        JsonSerializer.SerializeToUtf8Bytes(request, ApiJsonContext.Default.VerifyRequest),
        answer => answer.Deserialize(ApiJsonContext.Default.VerificationStatus)!,
        cancellation);

    /// <summary>Has another node made the master; asking again does no harm.</summary>
    /// <exception cref="NodeException">It is not known to be done.</exception>
    public Task<PromoteAnswer> PromoteAsync(Uri node, int id, CancellationToken cancellation) => PostAsync(
        node,
        "/cluster/promote",
        JsonSerializer.SerializeToUtf8Bytes(new(id), ApiJsonContext.Default.PromoteRequest),
        answer => answer.Deserialize(ApiJsonContext.Default.PromoteAnswer)!,
        cancellation);

    /// <summary>Has a token made.</summary>
    /// <exception cref="NodeException">It is not known to be made.</exception>
    public Task<NewTokenAnswer> CreateTokenAsync(Uri node, TokenRequest request, CancellationToken cancellation) => PostAsync(
        node,
        "/tokens",
        JsonSerializer.SerializeToUtf8Bytes(request, ApiJsonContext.Default.TokenRequest),
        answer => answer.Deserialize(ApiJsonContext.Default.NewTokenAnswer)!,
        cancellation);

    /// <summary>Has the first token made, in a cluster without any, or another admin's where the client has <see cref="BearerToken.OfSecret"/>.</summary>
    /// <exception cref="NodeException">It is not known to be made.</exception>
    public Task<NewTokenAnswer> CreateFirstTokenAsync(Uri node, CancellationToken cancellation) => PostAsync(
        node, "/tokens/init", ReadOnlyMemory<byte>.Empty, answer => answer.Deserialize(ApiJsonContext.Default.NewTokenAnswer)!, cancellation);

    /// <summary>Asks a node which tokens there are.</summary>
    /// <exception cref="NodeException">It gave no answer, or not this one.</exception>
    public Task<TokensAnswer> GetTokensAsync(Uri node, CancellationToken cancellation) =>
        GetAsync(node, "/tokens", ApiJsonContext.Default.TokensAnswer, cancellation);

    /// <summary>Has a token revoked; asking again does no harm.</summary>
    /// <exception cref="NodeException">It is not known to be done.</exception>
    public Task<RevokedTokenAnswer> RevokeTokenAsync(Uri node, string name, CancellationToken cancellation) => SendAsync(
        node,
        new(HttpMethod.Delete, new Uri(node, "/tokens/" + Uri.EscapeDataString(name))),
        answer => answer.Deserialize(ApiJsonContext.Default.RevokedTokenAnswer)!,
        cancellation);

    /// <summary>Has a node run a query.</summary>
    /// <exception cref="NodeException">It gave no rows.</exception>
    public Task<RowsAnswer> QueryAsync(Uri node, NodeRequest request, CancellationToken cancellation) =>
        PostAsync(node, "/query", request.ToJson(), RowsAnswer.Read, cancellation);

    /// <summary>Has a node run a write; when this returns, the write is done.</summary>
    /// <returns>The log index of the write.</returns>
    /// <exception cref="NodeException">It is not known to be done: <see cref="NodeException.IsTransient"/> tells whether to repeat it.</exception>
    public Task<long> ExecAsync(Uri node, NodeRequest request, CancellationToken cancellation) =>
        PostAsync(node, "/query", request.ToJson(), answer => answer.GetProperty("index").GetInt64(), cancellation);

    /// <summary>Has a node run one statement, and takes its rows as they come, whatever their number.</summary>
    /// <returns>What else the node says about it.</returns>
    /// <exception cref="NodeException">It is not known to be done, or its rows broke off, of which some may have been taken.</exception>
    internal Task<StatementAnswer> RunAsync(Uri node, NodeRequest request, IRowsSink rows, CancellationToken cancellation) =>
        SendAsync(node, Post(node, "/query", request.ToJson()), (_, stream, patience) => RowStream.ReadAsync(stream, rows, () => patience.CancelAfter(_timeout), patience.Token), cancellation);

    /// <summary>Has a node run a transaction.</summary>
    /// <returns>The results, one for each statement.</returns>
    /// <exception cref="NodeException">It is not known to be done.</exception>
    internal Task<IReadOnlyList<TransactionResult>> RunTransactionAsync(Uri node, NodeRequest request, CancellationToken cancellation) =>
        PostAsync(node, "/query", request.ToJson(), TransactionResult.ReadAll, cancellation);

    /// <summary>Asks a node for all databases and what is defined in them.</summary>
    /// <exception cref="NodeException">It gave no answer, or not this one.</exception>
    public Task<DatabasesAnswer> GetDatabasesAsync(Uri node, CancellationToken cancellation) =>
        GetAsync(node, "/databases", ApiJsonContext.Default.DatabasesAnswer, cancellation);

    /// <summary>Takes a backup of one database, or of all, as it comes. A node may take its time until the first byte, and then for each.</summary>
    /// <param name="node">The node.</param>
    /// <param name="database">Its name, or null for an archive of all.</param>
    /// <param name="take">Takes the body; called once. What it calls lets the node have its time once more.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="NodeException">It did not come, or broke off.</exception>
    internal Task<T> GetBackupAsync<T>(Uri node, string? database, Func<HttpResponseMessage, Stream, Action, CancellationToken, Task<T>> take, CancellationToken cancellation) =>
        SendAsync(
            node,
            new(HttpMethod.Get, new Uri(node, database is null ? "/backup" : "/backup/" + Uri.EscapeDataString(database))),
            (response, stream, patience) => take(response, stream, () => patience.CancelAfter(_timeout), patience.Token),
            cancellation);

    /// <summary>Takes server-sent events from where they were taken up to.</summary>
    /// <param name="node">Any node.</param>
    /// <param name="path">The address, with a query.</param>
    /// <param name="lastId">The id of the last event that was taken; null for none.</param>
    /// <param name="take">Takes the body. What it calls lets the node have its time once more.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="NodeException">They were refused, or broke off.</exception>
    internal Task<T> FollowAsync<T>(Uri node, string path, string? lastId, Func<Stream, Action, Task<T>> take, CancellationToken cancellation)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, path));
        if (lastId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        }

        return SendAsync(
            node,
            request,
            async (_, stream, patience) =>
            {
                // Whatever else waits for it: a stream that is closed ends it.
                using var end = patience.Token.Register(stream.Dispose);
                try
                {
                    return await take(stream, () => patience.CancelAfter(_timeout)).ConfigureAwait(false);
                }
                catch (Exception e) when (e is IOException or ObjectDisposedException && patience.IsCancellationRequested)
                {
                    throw new OperationCanceledException(null, e, patience.Token);
                }
            },
            cancellation);
    }

    /// <summary>Has a file become a database's content. Not to be repeated by itself: others may write to the database as soon as it is there.</summary>
    /// <param name="node">The master.</param>
    /// <param name="database">Its name.</param>
    /// <param name="file">The file.</param>
    /// <param name="replaces">Whether what is in the database may go.</param>
    /// <param name="onProgress">Told how many bytes were sent.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="NodeException">It is not known to be done.</exception>
    internal Task<RestoreAnswer> RestoreAsync(Uri node, string database, Stream file, bool replaces, Action<long> onProgress, CancellationToken cancellation)
    {
        var path = $"/restore/{Uri.EscapeDataString(database)}?replace={(replaces ? "true" : "false")}";
        return SendAsync(
            node,
            new(HttpMethod.Post, new Uri(node, path))
            {
                Content = new UploadContent(file, onProgress),

                // A node that refuses says so before all of it was sent.
                Headers = { ExpectContinue = true },
            },
            answer => answer.Deserialize(ApiJsonContext.Default.RestoreAnswer)!,
            cancellation);
    }

    public void Dispose() => _http.Dispose();

    private Task<T> GetAsync<T>(Uri node, string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        SendAsync(node, new(HttpMethod.Get, new Uri(node, path)), answer => answer.Deserialize(type)!, cancellation);

    private Task<T> PostAsync<T>(
        Uri node, string path, ReadOnlyMemory<byte> body, Func<JsonElement, T> read, CancellationToken cancellation) =>
        SendAsync(node, Post(node, path, body), read, cancellation);

    private static HttpRequestMessage Post(Uri node, string path, ReadOnlyMemory<byte> body) => new(HttpMethod.Post, new Uri(node, path))
    {
        Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new("application/json") } },
    };

    private Task<T> SendAsync<T>(Uri node, HttpRequestMessage request, Func<JsonElement, T> read, CancellationToken cancellation) => SendAsync(
        node,
        request,
        async (_, stream, patience) =>
        {
            using var answer = await ParseAsync(stream, patience.Token).ConfigureAwait(false);
            return answer is not null ? read(answer.RootElement) : throw NotOurs(node, HttpStatusCode.OK);
        },
        cancellation);

    private async Task<T> SendAsync<T>(
        Uri node, HttpRequestMessage request, Func<HttpResponseMessage, Stream, CancellationTokenSource, Task<T>> read, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_timeout);
        using var _ = request;
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            var stream = await response.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
            {
                if (response.IsSuccessStatusCode)
                {
                    return await read(response, stream, limit).ConfigureAwait(false);
                }

                using var answer = await ParseAsync(stream, limit.Token).ConfigureAwait(false);
                throw Problem(node, response, answer?.RootElement);
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw NotOurs(node, HttpStatusCode.OK, e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            // The library's own patience, for the connection, ends with a TimeoutException within.
            var (what, patience) = limit.IsCancellationRequested || e.InnerException is not TimeoutException ? ("answer", _timeout) : ("connection", _connectTimeout);
            throw new NodeUnreachableException(node, string.Create(CultureInfo.InvariantCulture, $"no {what} within {patience.TotalSeconds:0.###} s"), e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
        {
            // A bare SocketException is what HttpClient throws where the other end goes in the moment after it is connected.
            throw new NodeUnreachableException(node, Reason(e), e);
        }
    }

    /// <summary>Null when the body is not JSON, as with a problem that some other server on that port reports.</summary>
    private static async Task<JsonDocument?> ParseAsync(Stream stream, CancellationToken cancellation)
    {
        try
        {
            return await JsonDocument.ParseAsync(stream, default, cancellation).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static NodeProblemException Problem(Uri node, HttpResponseMessage response, JsonElement? answer)
    {
        if (answer is not { ValueKind: JsonValueKind.Object } problem || Text(problem, "code") is not { } code)
        {
            return NotOurs(node, response.StatusCode);
        }

        var detail = Text(problem, "detail") ?? Text(problem, "title") ?? code;
        return new(node, response.StatusCode, code, detail, RetryAfter(response.Headers.RetryAfter))
        {
            Master = Uri.TryCreate(Text(problem, "master"), UriKind.Absolute, out var master) ? master : null,
            Statement = problem.TryGetProperty("statement", out var statement) && statement.TryGetInt32(out var position) ? position : null,
        };
    }

    private static NodeProblemException NotOurs(Uri node, HttpStatusCode status, Exception? cause = null) => new(
        node, status, "not_understood",
        $"The answer of {node.GetLeftPart(UriPartial.Authority)} (HTTP {(int)status}) is not one of DistDb; check that a node of this version listens there." +
        (cause is null ? "" : $" {cause.Message}"), null);

    private static string? Text(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? header) => header?.Delta;

    /// <summary>The innermost cause speaks plainest, e.g. "Connection refused".</summary>
    private static string Reason(Exception e) => e switch
    {
        _ when e.GetBaseException() is SocketException socket => Plain(socket.SocketErrorCode, socket.Message),
        _ when TlsFailure.Describe(e) is { } tls => tls,
        _ => e.GetBaseException().Message.TrimEnd('.'),
    };

    private static string Plain(SocketError error, string message) => error switch
    {
        SocketError.ConnectionRefused => "connection refused, nothing listens there",
        SocketError.ConnectionReset => "it closed the connection",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => "its name is not known",
        _ => message.TrimEnd('.'),
    };
}
