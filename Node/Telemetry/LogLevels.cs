namespace DistDb.Node.Telemetry;

/// <summary>How much a node logs, which may change while it runs. Thread safe.</summary>
/// <param name="minimum">The least important level that is written.</param>
internal sealed class LogLevels(LogLevel minimum)
{
    private const string Framework = "Microsoft.";

    private static readonly LogLevel[] _levels = [LogLevel.Trace, LogLevel.Debug, LogLevel.Information, LogLevel.Warning, LogLevel.Error, LogLevel.Critical];

    private int _minimum = (int)minimum;

    /// <summary>The names of all levels, least important first.</summary>
    public static IEnumerable<string> Names => _levels.Select(NameOf);

    /// <summary>The least important level that is written.</summary>
    public LogLevel Minimum
    {
        get => (LogLevel)Volatile.Read(ref _minimum);
        set => Volatile.Write(ref _minimum, (int)value);
    }

    /// <summary>As users write it: <c>information</c>.</summary>
    public static string NameOf(LogLevel level) => level.ToString().ToLowerInvariant();

    /// <param name="name">In either case.</param>
    /// <returns>Null where there is no such level.</returns>
    public static LogLevel? Find(string? name) => _levels.Where(l => string.Equals(NameOf(l), name, StringComparison.OrdinalIgnoreCase)).Select(l => (LogLevel?)l).FirstOrDefault();

    /// <summary>Whether something is written.</summary>
    /// <param name="category">Who says it.</param>
    /// <param name="level">How important it is.</param>
    public bool Allow(string? category, LogLevel level) => level >= Minimum && level >= category switch
    {
        // Its words about a failed start, which are errors, would repeat ours; that a service has failed is critical, and only said there.
        "Microsoft.Extensions.Hosting.Internal.Host" => LogLevel.Critical,

        // Every question whether a node is ready would be an error while it is not; the node says itself when that changes.
        "Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService" => LogLevel.None,
        _ when category?.StartsWith(Framework, StringComparison.Ordinal) == true => LogLevel.Warning,
        _ => LogLevel.Trace,
    };
}
