using System.Diagnostics;

namespace DistDb.Node.Telemetry;

/// <summary>
/// The spans of requests: <c>request</c> where a client came in; <c>query</c>, or <c>forward</c> while another node leads; at the leader <c>execute</c> and <c>replicate</c>
/// (until a majority has the entry); and <c>apply</c> at the leader and where the client came in. Nothing is made while nobody listens to the <see cref="Source"/>.
/// </summary>
internal static class NodeTracing
{
    /// <summary>The one source's name.</summary>
    public const string SourceName = "DistDb";

    /// <summary>Of all nodes in the process.</summary>
    public static ActivitySource Source { get; } = new(SourceName);

    /// <summary>Whether spans are made at all.</summary>
    public static bool IsOn => Source.HasListeners();

    /// <summary>What is under way here belongs to this; default for none. The web server's own activities do not count: nobody exports them.</summary>
    public static ActivityContext Current => Activity.Current is { } activity && activity.Source == Source ? activity.Context : default;

    /// <summary>Begins the span of a request.</summary>
    /// <param name="method">Its method.</param>
    /// <param name="route">Its route's pattern.</param>
    /// <param name="traceParent">The client's W3C <c>traceparent</c>, if any; one that makes no sense is none.</param>
    /// <param name="traceState">Its <c>tracestate</c>.</param>
    public static Activity? StartRequest(string method, string route, string? traceParent, string? traceState)
    {
        if (!IsOn)
        {
            return null;
        }

        // The web server's activity would be its parent otherwise.
        Activity.Current = null;
        var name = $"{method} {route}";
        return ActivityContext.TryParse(traceParent, traceState, isRemote: true, out var parent)
            ? Source.StartActivity(name, ActivityKind.Server, parent)
            : Source.StartActivity(name, ActivityKind.Server);
    }

    /// <summary>Begins a span within what is under way here; nothing where that is not traced.</summary>
    public static Activity? Start(string name, ActivityKind kind = ActivityKind.Internal) =>
        Current is { } parent && parent != default ? Source.StartActivity(name, kind, parent) : null;

    /// <summary>A span that has just ended, of a trace that came from elsewhere; nothing for no trace.</summary>
    /// <param name="name">What was done.</param>
    /// <param name="parent">What it belongs to.</param>
    /// <param name="started">When it began, by the stopwatch.</param>
    /// <param name="index">The log entry that it is about, or null.</param>
    public static void Ended(string name, ActivityContext parent, long started, long? index = null)
    {
        if (IsOn && parent != default)
        {
            using var span = Source.StartActivity(name, ActivityKind.Internal, parent, startTime: DateTimeOffset.UtcNow - Stopwatch.GetElapsedTime(started));
            span?.SetTag("distdb.index", index);
        }
    }
}
