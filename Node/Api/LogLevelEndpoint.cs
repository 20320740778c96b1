using System.Text.Json.Serialization;
using DistDb.Node.Commands;
using DistDb.Node.Replication;
using DistDb.Node.Telemetry;

namespace DistDb.Node.Api;

/// <summary><c>GET /log-level</c>, <c>PUT /log-level</c>: how much this node logs, until it is changed again or the node stops.</summary>
internal static partial class LogLevelEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/log-level", (LogLevels levels, ClusterNode node) => Answer(levels, node)).Needs(TokenRole.Read);
        routes.MapPut("/log-level", ChangeAsync).Needs(TokenRole.Admin);
    }

    private static Task<IResult> ChangeAsync(HttpContext context, LogLevels levels, ClusterNode node, ILoggerFactory loggers) =>
        ClusterEndpoints.GuardAsync(context, async () =>
        {
            var request = await JsonBody.ReadAsync(context, ApiJsonContext.Default.LogLevelRequest, """{"level": "debug"}""").ConfigureAwait(false);
            var level = LogLevels.Find(request.Level)
                ?? throw new RequestRejectedException(
                    FailureCode.BadRequest, $"\"{request.Level}\" is not a level; the levels are {string.Join(", ", LogLevels.Names)}. Nothing was changed.");
            var (before, logger) = (levels.Minimum, loggers.CreateLogger(typeof(LogLevelEndpoint).FullName!));
            var (from, to, client) = (LogLevels.NameOf(before), LogLevels.NameOf(level), ClientAccess.Of(context).TokenName ?? "none");

            // Said by the more talkative of both levels: it is the last word, or the first.
            levels.Minimum = level < before ? level : before;
            LogChanged(logger, from, to, client);
            levels.Minimum = level;
            return Answer(levels, node);
        });

    private static IResult Answer(LogLevels levels, ClusterNode node) =>
        Results.Json(new LogLevelAnswer(LogLevels.NameOf(levels.Minimum), node.Id.Value), ApiJsonContext.Default.LogLevelAnswer);

    [LoggerMessage(EventId = 603, Level = LogLevel.Information, Message = "The log's level was changed from {Before} to {After}; the client's token: {By}.")]
    private static partial void LogChanged(ILogger logger, string before, string after, string by);
}

/// <summary>The body of <c>PUT /log-level</c>.</summary>
/// <param name="Level">The least important level that is to be written.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record LogLevelRequest([property: JsonRequired] string Level);

/// <summary>What <c>/log-level</c> answers.</summary>
/// <param name="Level">The least important level that is written.</param>
/// <param name="Node">The node that answers.</param>
public sealed record LogLevelAnswer(string Level, int Node);
