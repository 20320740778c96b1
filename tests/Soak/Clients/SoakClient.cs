using DistDb.Tests.Linearizability;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Clients;

/// <summary>
/// One client, with one request under way at a time. It prefers one node and sometimes asks another. It knows what each answer means for a
/// write: done, certainly not done, or unknown; and where the write has an id, it sends it again, to any node, until that is known.
/// </summary>
/// <param name="name">For reports.</param>
/// <param name="context">What all clients share.</param>
/// <param name="isLossy">It reaches nodes through links that lose replies.</param>
/// <param name="random">Decides whom it asks what.</param>
internal sealed class SoakClient(string name, SoakContext context, bool isLossy, Random random) : IDisposable
{
    private const double OtherNodeProbability = 0.3;

    // A little more than a node takes to give up by itself.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _retryPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _pauseAfterFailure = TimeSpan.FromMilliseconds(50);

    private readonly Dictionary<int, NodeConnection> _connections = [];
    private readonly int _home = random.Next(context.Arena.NodeCount);

    public string Name => name;

    public Random Random => random;

    /// <summary>Where to send the next request.</summary>
    public int DrawNode() => random.NextDouble() < OtherNodeProbability ? random.Next(context.Arena.NodeCount) : _home;

    /// <summary>Asks a node for rows of a table that is there.</summary>
    /// <param name="node">The node.</param>
    /// <param name="request">What for.</param>
    /// <param name="knowingLife">
    /// Of a local read: the life of the node's process in which it had the table; in another it may not have it yet. Null for a strong read.
    /// </param>
    /// <returns>Its answer, or null where it had none.</returns>
    public async Task<Answer?> ReadAsync(int node, SqlRequest request, int? knowingLife = null)
    {
        var isStrong = knowingLife is null;
        var reply = await SendAsync(node, request, id: null, isStrong);
        if (reply.Answer is { IsOk: true } answer)
        {
            return answer;
        }

        if (reply.Answer is { Code: "no_such_database" or "sql_error" } missing)
        {
            context.Statistics.Refused(missing.Code!);
            if (isStrong || context.Arena.IncarnationOf(node) == knowingLife)
            {
                context.Findings.Add(
                    isStrong ? FindingKind.NotLinearizable : FindingKind.LocalRead,
                    $"Node {node} does not find what is in the database {request.Database} for {request.Statements[0].Query}: {missing.Text}");
            }
        }
        else
        {
            Classify(reply, request);
        }

        await Task.Delay(_pauseAfterFailure);
        return null;
    }

    /// <summary>Asks any node, for as long as it takes, whether there is a database.</summary>
    public async Task<bool> FindDatabaseAsync(string database, CancellationToken giveUp)
    {
        var request = new SqlRequest(true, ("SELECT 1", [])) { Database = database };
        while (true)
        {
            giveUp.ThrowIfCancellationRequested();
            var reply = await SendAsync(random.Next(context.Arena.NodeCount), request, id: null, isStrong: true);
            if (reply.Answer is { IsOk: true })
            {
                return true;
            }

            if (reply.Answer is { Code: "no_such_database" })
            {
                return false;
            }

            Classify(reply, request);
            await Task.Delay(_pauseAfterFailure, CancellationToken.None);
        }
    }

    /// <summary>Asks any node, for as long as it takes, until it is known what a table holds.</summary>
    public async Task<Answer> ReadUntilDoneAsync(SqlRequest request, CancellationToken giveUp)
    {
        while (true)
        {
            giveUp.ThrowIfCancellationRequested();
            if (await ReadAsync(random.Next(context.Arena.NodeCount), request) is { } answer)
            {
                return answer;
            }
        }
    }

    /// <summary>Writes.</summary>
    /// <param name="node">Where it is sent first.</param>
    /// <param name="request">The write.</param>
    /// <param name="id">With one, it is sent again until its fate is known.</param>
    /// <returns>What is known of it, the last answer if one came, and the node that gave it. A constraint's refusal counts as done: it tells something.</returns>
    public async Task<(Fate Fate, Answer? Answer, int Node)> WriteAsync(int node, SqlRequest request, string? id)
    {
        if (context.Options.Sabotage == SoakSabotage.InventedWrites && !request.IsSchema && random.Next(100) == 0)
        {
            return (Fate.Done, new(200, "application/json", """{"rows_affected":1}"""), node);
        }

        var deadline = Environment.TickCount64 + (long)_retryPatience.TotalMilliseconds;
        for (var mayBeDone = false; ; node = random.Next(context.Arena.NodeCount))
        {
            var reply = await SendAsync(node, request, id, isStrong: false);
            if (reply.Answer is { IsOk: true } done)
            {
                context.Statistics.WriteDone();
                return (Fate.Done, done, node);
            }

            if (reply.Answer is { Code: "constraint" } refused)
            {
                // With an earlier copy on its way, what is said of a later one is not said of the write.
                return (mayBeDone ? Fate.Unknown : Fate.Done, refused, node);
            }

            mayBeDone |= Classify(reply, request) == Fate.Unknown;
            await Task.Delay(_pauseAfterFailure);
            if (!mayBeDone)
            {
                return (Fate.NotDone, reply.Answer, node);
            }

            if (id is null || Environment.TickCount64 > deadline || context.Findings.Any.IsCancellationRequested)
            {
                return (Fate.Unknown, reply.Answer, node);
            }
        }
    }

    public void Dispose()
    {
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }
    }

    private async Task<Reply> SendAsync(int node, SqlRequest request, string? id, bool isStrong)
    {
        if (!_connections.TryGetValue(node, out var connection))
        {
            _connections[node] = connection = new(context.Arena.PortOf(node, isLossy));
        }

        var begin = context.Watch.Begin(node);
        var body = request.Body(
            context.Options.Sabotage == SoakSabotage.RetriesWithoutId && !request.IsSchema ? null : id,
            isStrong && context.Options.Sabotage != SoakSabotage.LocalReads);
        var reply = await connection.PostAsync(body, _patience);
        if (reply.Answer is { IsOk: true } answer && !context.Watch.End(node, begin, answer.Index, request.IsRead))
        {
            context.Findings.Add(
                FindingKind.LocalRead, $"Node {node} read at index {answer.Index}, after it had answered at index {begin.Index}: {request.Statements[0].Query}");
        }

        return reply;
    }

    /// <summary>What an answer other than 200 says of the request that it answers.</summary>
    private Fate Classify(Reply reply, SqlRequest request)
    {
        var code = reply.Answer is { } answer ? answer.Code ?? $"status {answer.Status}" : reply.WasSent ? "no answer" : "no connection";
        context.Statistics.Refused(code);
        switch (code)
        {
            case "no_quorum" or "overloaded" or "timeout" or "repairing" or "not_ready" or "no connection":
            case "not_master" when request.IsSchema:
                return Fate.NotDone;
            case "outcome_unknown" or "no answer":
                return Fate.Unknown;
            default:
                context.Findings.Add(FindingKind.Unexpected, $"{code} for {request.Statements[0].Query} in the database {request.Database}: {reply.Answer?.Text}");
                return Fate.Unknown;
        }
    }
}
