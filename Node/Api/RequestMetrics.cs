using System.Diagnostics;
using System.Globalization;
using DistDb.Node.Raft;
using DistDb.Node.Telemetry;

namespace DistDb.Node.Api;

/// <summary>
/// Middleware that tells the <see cref="NodeInstruments"/>, at the level <c>debug</c> the log, and who traces, of each request of a client. What it tells is bounded whatever clients send: routes by their patterns,
/// commands by their names, HTTP's codes.
/// </summary>
internal sealed partial class RequestMetrics(NodeInstruments instruments, NodeId node, ILogger<RequestMetrics> logger)
{
    /// <summary>What is said where the client went before there was an answer: no status was sent.</summary>
    private const int ClientGone = 499;

    /// <summary>What is asked again and again by machines, and what does not end.</summary>
    private static readonly HashSet<string> _untraced = ["/health/live", "/health/ready", "/metrics", "/events"];

    private static readonly string[] _codes = [.. Enumerable.Range(0, 600).Select(code => code.ToString(CultureInfo.InvariantCulture))];

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var started = Stopwatch.GetTimestamp();
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "";
        using var span = _untraced.Contains(route) ? null : StartSpan(context.Request, route);
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            var response = context.Response;
            var code = !response.HasStarted && context.RequestAborted.IsCancellationRequested ? ClientGone : response.StatusCode;
            var command = context.Features.Get<CommandForm>()?.Name ?? "";
            EndSpan(span, command, code);
            instruments.RequestAnswered(
                route,
                command,
                _codes[code],
                response.ContentType == EventsEndpoint.ContentType ? null : started);
            if (logger.IsEnabled(LogLevel.Debug))
            {
                // Escaped as it came, so that nobody forges lines.
                var (path, ms) = (context.Request.Path.ToUriComponent(), Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                LogAnswered(context.Request.Method, path, code, ms);
            }
        }
    }

    private Activity? StartSpan(HttpRequest request, string route)
    {
        var span = NodeTracing.StartRequest(request.Method, route, request.Headers.TraceParent, request.Headers.TraceState);
        return span?.SetTag("http.request.method", request.Method).SetTag("http.route", route).SetTag("distdb.node", node.Value);
    }

    private static void EndSpan(Activity? span, string command, int code)
    {
        span?.SetTag("http.response.status_code", code).SetTag("distdb.command", command.Length > 0 ? command : null)
            .SetStatus(code >= StatusCodes.Status500InternalServerError ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
    }

    [LoggerMessage(EventId = 502, Level = LogLevel.Debug, Message = "{Method} {Path} was answered {Code} in {Ms:0.0} ms.")]
    private partial void LogAnswered(string method, string path, int code, double ms);
}
