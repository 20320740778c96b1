using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;

namespace DistDb.Data;

/// <summary>
/// What all of the process's connections to the same servers share: which of them serves, and how far the process has seen the log, so that whoever goes on at another node finds there what
/// it has written and read before. The one place that sends requests and repeats them. Thread safe.
/// </summary>
internal sealed class Cluster
{
    /// <summary>When a node has not answered for so long, it is asked whether it is still there.</summary>
    private static readonly TimeSpan _signOfLife = TimeSpan.FromSeconds(2);

    /// <summary>A node answers when a request's time is over; for so long the answer may be on its way.</summary>
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _pauseMin = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan _pauseMax = TimeSpan.FromSeconds(1);

    private static readonly ConcurrentDictionary<(string Servers, string? Token, string? Ca), Cluster> _known = [];

    private readonly Uri[] _servers;
    private readonly HttpClient _http;
    private readonly AuthenticationHeaderValue? _authorization;
    private int _current;
    private long _index;

    private Cluster(Uri[] servers, string? token, string? ca)
    {
        _servers = servers;
        _http = HttpClients.Of(ca);
        _authorization = token is null ? null : new("Bearer", token);
    }

    /// <summary>The node that served last.</summary>
    public Uri Current => _servers[Volatile.Read(ref _current)];

    /// <summary>What the node that was asked first runs; null before.</summary>
    public string? ServerVersion { get; set; }

    /// <summary>The furthest index of the log that any answer reflected.</summary>
    public long Index => Volatile.Read(ref _index);

    /// <exception cref="ArgumentException">The file of CAs cannot be read.</exception>
    public static Cluster Of(DistDbConnectionStringBuilder settings)
    {
        var servers = settings.ServerAddresses;
        return _known.GetOrAdd((string.Join(',', servers.Select(server => server.Authority)) + servers[0].Scheme, settings.Token, settings.Ca), key => new(servers, key.Token, key.Ca));
    }

    /// <summary>Takes note of an answer's index.</summary>
    /// <param name="index">The index.</param>
    /// <param name="isWrite">Whether it is where a write stands in the log. If that is behind what was seen before, this is another log, as of a cluster that was made anew at the same addresses.</param>
    public void Saw(long index, bool isWrite)
    {
        for (var seen = Index; index > seen || (isWrite && index < seen);)
        {
            var was = Interlocked.CompareExchange(ref _index, index, seen);
            if (was == seen)
            {
                return;
            }

            // Another's newer answer came between; an older write of this log is no sign of another log.
            (seen, isWrite) = (was, false);
        }
    }

    /// <summary>Forgets the index, where a node waited for it in vain.</summary>
    public void Forget(long index) => Interlocked.CompareExchange(ref _index, 0, index);

    /// <summary>Asks the serving node, and the others in turn while it makes sense, for as long as the time lasts.</summary>
    /// <param name="ask">What; only what may be asked twice.</param>
    /// <param name="read">Takes the answer; what it throws as <see cref="NodeFailure"/> or of the stream counts as the node's failure. It owns the response.</param>
    /// <param name="cancellation">Ends it; whether something was done is not known then.</param>
    /// <exception cref="DistDbException">It was refused, or nobody answered.</exception>
    public async Task<T> AskAsync<T>(Ask ask, Func<Uri, HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (ask.Timeout != Timeout.InfiniteTimeSpan)
        {
            limit.CancelAfter(ask.Timeout + _grace);
        }

        var start = TimeProvider.System.GetTimestamp();
        var sendsTimeout = true;
        var mayBeDone = false;
        var wasDoubted = false;
        NodeFailure? telling = null;
        Uri? next = null;
        var turn = Volatile.Read(ref _current);
        for (var tries = 0; ;)
        {
            var place = turn % _servers.Length;
            var server = next ?? _servers[place];
            NodeFailure failure;
            try
            {
                var answer = await TryAsync(server, ask, sendsTimeout ? Left() : null, read, limit.Token).ConfigureAwait(false);
                if (next is null)
                {
                    Volatile.Write(ref _current, place);
                }

                return answer;
            }
            catch (NodeFailure e)
            {
                failure = e;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                throw Explain(ask, TimedOut(server, ask, telling), mayBeDone: true);
            }

            mayBeDone |= failure.MayBeDone;
            if (sendsTimeout && failure.Code == "bad_request" && failure.Message.Contains("timeout_ms", StringComparison.Ordinal))
            {
                // The node gives less time than the command has: its own limit holds then. Nothing was done.
                sendsTimeout = false;
                continue;
            }

            if (failure.Code is "constraint" or "sql_error" && mayBeDone && !wasDoubted && ask.Id is not null)
            {
                // It may be what the copy did of which we heard nothing: then the id is known by now.
                wasDoubted = true;
                continue;
            }

            if (!failure.IsWorthAnother && !(ask.WaitsForTurn && failure.Code == "timeout"))
            {
                throw Explain(ask, failure, mayBeDone: failure.MayBeDone);
            }

            // What a node says is worth more than that one is silent, and a refusal more than trouble.
            telling = next is not null && failure.Code == DistDbException.Unreachable
                ? new(server, "not_master", $"Only the master may change the schema, and {failure.Message} Wait until it is back, or make another node the master with 'distdb promote <id>'.", failure)
                : telling is null || failure.Code is not (DistDbException.Unreachable or "not_master") ? failure : telling;
            if (failure is { Code: "not_master", Master: { } master } && next is null && master.Scheme == server.Scheme)
            {
                next = master;
                continue;
            }

            next = null;
            turn = place + 1;
            if (++tries < _servers.Length)
            {
                continue;
            }

            var pause = Pause(tries / _servers.Length, failure);
            if (Left() is { } left && left <= pause)
            {
                throw Explain(ask, telling, mayBeDone);
            }

            await Task.Delay(pause, cancellation).ConfigureAwait(false);
        }

        TimeSpan? Left() => ask.Timeout == Timeout.InfiniteTimeSpan ? null : ask.Timeout - TimeProvider.System.GetElapsedTime(start);
    }

    /// <summary>Asks one node, once. Where there are others, one that is silent is asked for a sign of life now and then, and given up if it gives none.</summary>
    /// <param name="server">The node.</param>
    /// <param name="ask">What.</param>
    /// <param name="left">How much time to ask the node to take at most; null for as much as it gives.</param>
    /// <param name="read">Takes the answer, and owns the response.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="NodeFailure">It did not answer, or with a problem.</exception>
    public async Task<T> TryAsync<T>(Uri server, Ask ask, TimeSpan? left, Func<Uri, HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var exchange = ExchangeAsync(server, ask, left, read, patience.Token);
        while (_servers.Length > 1)
        {
            try
            {
                return await exchange.WaitAsync(_signOfLife, CancellationToken.None).ConfigureAwait(false);
            }
            catch (TimeoutException) when (!exchange.IsCompleted)
            {
                if (!await IsAliveAsync(server, cancellation).ConfigureAwait(false) && !exchange.IsCompleted && !cancellation.IsCancellationRequested)
                {
                    await patience.CancelAsync().ConfigureAwait(false);
                    try
                    {
                        // If the answer came at the last moment, it counts.
                        return await exchange.ConfigureAwait(false);
                    }
                    catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                    {
                        throw NodeFailure.Unreachable(server, "it neither answers nor gives another sign of life", ask.MayWrite);
                    }
                }
            }
        }

        return await exchange.ConfigureAwait(false);
    }

    /// <summary>What the caller is told.</summary>
    public static DistDbException Explain(Ask ask, NodeFailure failure, bool mayBeDone)
    {
        var outcome = ask.MayWrite && mayBeDone ? DistDbOutcome.Unknown : DistDbOutcome.NotDone;
        var isTransient = outcome == DistDbOutcome.NotDone
            && (failure.IsWorthAnother || failure.Code is "timeout" or "busy" or "transaction_lost" or "transaction_timeout");
        var message = outcome == DistDbOutcome.Unknown && failure.Code != "outcome_unknown"
            ? failure.Message + " It is not known whether the write was done: it was done as a whole or not at all, and may still be. Look before you repeat it."
            : failure.Message;
        return new(message, failure.Code, isTransient, outcome, failure.InnerException)
        {
            SqliteExtendedErrorCode = failure.SqliteCode,
            Statement = failure.Statement,
            Server = failure.Server,
            WriteId = ask.MayWrite ? ask.Id : null,
            HttpStatus = failure.Status,
        };
    }

    private static NodeFailure TimedOut(Uri server, Ask ask, NodeFailure? telling) => telling ?? new(
        server, "timeout", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{server.GetLeftPart(UriPartial.Authority)} gave no answer within the command's {ask.Timeout.TotalSeconds:0.###} s."));

    /// <summary>A request and its answer.</summary>
    private async Task<T> ExchangeAsync<T>(Uri server, Ask ask, TimeSpan? left, Func<Uri, HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        HttpResponseMessage? response = null;
        var isTaken = false;
        try
        {
            response = await SendAsync(server, ask, left, cancellation).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                throw NodeFailure.Problem(server, response, await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false));
            }

            var answer = await read(server, response, cancellation).ConfigureAwait(false);
            isTaken = true;
            return answer;
        }
        catch (HttpRequestException e)
        {
            var wasSent = e.HttpRequestError is not (HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError);
            throw NodeFailure.Unreachable(server, Reason(e), ask.MayWrite && wasSent, e);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // A bare SocketException is what HttpClient throws where the other end goes in the moment after it is connected.
            throw NodeFailure.Unreachable(server, e.Message, ask.MayWrite, e);
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or FormatException or InvalidOperationException)
        {
            throw NodeFailure.NotOurs(server, (int)(response?.StatusCode ?? 0), e);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            // The library's own patience for a connection has ended.
            throw NodeFailure.Unreachable(server, "no connection within 3 s", mayBeDone: false, e);
        }
        finally
        {
            if (!isTaken)
            {
                response?.Dispose();
            }
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Uri server, Ask ask, TimeSpan? left, CancellationToken cancellation)
    {
        int? timeoutMs = left is { } time ? (int)Math.Clamp(time.TotalMilliseconds, 1, int.MaxValue) : null;
        using var request = new HttpRequestMessage(ask.Body is null ? HttpMethod.Get : HttpMethod.Post, new Uri(server, ask.Path))
        {
            Content = ask.Body is null ? null : new ReadOnlyMemoryContent(ask.Body(timeoutMs)) { Headers = { ContentType = new("application/json") } },
            Headers = { Authorization = _authorization },
        };
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
    }

    /// <summary>Whether a node that keeps us waiting is there, as opposed to stopped or cut off.</summary>
    private async Task<bool> IsAliveAsync(Uri server, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_signOfLife);
        try
        {
            using var response = await _http.GetAsync(new Uri(server, "/health/live"), HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or OperationCanceledException)
        {
            return false;
        }
    }

    private static string Reason(HttpRequestException e) => e.InnerException switch
    {
        AuthenticationException { InnerException: { } inner } => $"TLS: {inner.Message}",
        { } inner => inner.Message,
        null => e.Message,
    };

    /// <summary>Doubles with each round through the nodes, with chance in it, so that many clients do not return all at once.</summary>
    private static TimeSpan Pause(int round, NodeFailure failure)
    {
        var doubled = _pauseMin * Math.Pow(2, Math.Min(round - 1, 10));
        var chosen = doubled < _pauseMax ? doubled : _pauseMax;
        return (failure.RetryAfter > chosen ? failure.RetryAfter : chosen) * (0.75 + (Random.Shared.NextDouble() / 2));
    }
}
