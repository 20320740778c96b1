using System.Diagnostics;
using System.Globalization;
using DistDb.Node.Telemetry;

namespace DistDb.Node.Api;

/// <summary>
/// Middleware that tells the <see cref="NodeInstruments"/>, and at the level <c>debug</c> the log, of each request of a client. What it tells is bounded whatever clients send: routes by their patterns,
/// commands by their names, HTTP's codes.
/// </summary>
internal sealed partial class RequestMetrics(NodeInstruments instruments, ILogger<RequestMetrics> logger)
{
    /// <summary>What is said where the client went before there was an answer: no status was sent.</summary>
    private const int ClientGone = 499;

    private static readonly string[] _codes = [.. Enumerable.Range(0, 600).Select(code => code.ToString(CultureInfo.InvariantCulture))];

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            var response = context.Response;
            var code = !response.HasStarted && context.RequestAborted.IsCancellationRequested ? ClientGone : response.StatusCode;
            instruments.RequestAnswered(
                (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "",
                context.Features.Get<CommandForm>()?.Name ?? "",
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

    [LoggerMessage(EventId = 502, Level = LogLevel.Debug, Message = "{Method} {Path} was answered {Code} in {Ms:0.0} ms.")]
    private partial void LogAnswered(string method, string path, int code, double ms);
}
