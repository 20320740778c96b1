namespace DistDb.Tools;

/// <summary>What the replicas answered to one query.</summary>
/// <param name="Answers">The answers; replicas that failed meanwhile are left out.</param>
/// <param name="Refusals">Replicas that would not run the query, and why.</param>
/// <param name="Agree">Whether all answers have the same content.</param>
/// <param name="AtOnePoint">Whether answers that disagree surely show the same point of the log, so that the disagreement is real.</param>
internal sealed record Reading(
    IReadOnlyList<(Replica Replica, RowsAnswer Answer)> Answers,
    IReadOnlyList<(Replica Replica, NodeProblemException Problem)> Refusals,
    bool Agree,
    bool AtOnePoint);

/// <summary>
/// Reads the same thing from several replicas, at one point of the log. Replicas are a moment apart while writes arrive, so a first
/// disagreement means nothing. Each reading waits until every replica has applied the highest index seen so far; answers that still
/// disagree are believed only when the next reading finds every replica at that same index, for an answer may show more than its index
/// promises, but not more than the index of a later answer.
/// </summary>
internal sealed class ReplicaReader(ClusterClient client)
{
    /// <summary>How often a reading is repeated while writes keep coming; with the pauses between, about two seconds.</summary>
    private const int AttemptsMax = 12;

    private static readonly TimeSpan _pauseMax = TimeSpan.FromMilliseconds(250);

    /// <summary>The lowest and the highest index of the answers that were used; zero and zero before the first.</summary>
    public (long Min, long Max) IndexRange { get; private set; }

    /// <summary>The highest index seen anywhere; every reading waits for it.</summary>
    public long HighestIndex { get; private set; }

    /// <summary>Makes readings wait for an index that some node is known to have applied.</summary>
    public void WaitFor(long index) => HighestIndex = Math.Max(HighestIndex, index);

    /// <summary>Reads from all; a replica that cannot be read at all gets a <see cref="Replica.Failure"/>.</summary>
    public async Task<Reading> ReadAsync(
        IReadOnlyList<Replica> replicas, Func<Replica, NodeRequest> request, CancellationToken cancellation)
    {
        Reading? previous = null;
        for (var attempt = 0; ; attempt++)
        {
            var reading = await ReadOnceAsync(replicas, request, cancellation).ConfigureAwait(false);
            if (reading.Agree || reading.Refusals.Count > 0)
            {
                return Use(reading);
            }

            if (previous is not null && OneIndex(previous) is { } index && index == OneIndex(reading))
            {
                return Use(previous with { AtOnePoint = true });
            }

            if (attempt == AttemptsMax - 1)
            {
                return Use(reading);
            }

            previous = reading;
            await Task.Delay(Pause(attempt), cancellation).ConfigureAwait(false);
        }
    }

    private async Task<Reading> ReadOnceAsync(
        IReadOnlyList<Replica> replicas, Func<Replica, NodeRequest> request, CancellationToken cancellation)
    {
        var outcomes = await Task.WhenAll(replicas
            .Where(replica => replica.Failure is null)
            .Select(replica => AskAsync(replica, request(replica) with { MinIndex = HighestIndex }, cancellation))).ConfigureAwait(false);
        var answers = outcomes.Where(outcome => outcome.Answer is not null).Select(outcome => (outcome.Replica, outcome.Answer!)).ToArray();
        var refusals = outcomes.Where(outcome => outcome.Problem is not null).Select(outcome => (outcome.Replica, outcome.Problem!)).ToArray();
        foreach (var (_, answer) in answers)
        {
            WaitFor(answer.Index);
        }

        return new(answers, refusals, refusals.Length == 0 && answers.All(other => other.Item2.HasSameContent(answers[0].Item2)), false);
    }

    private async Task<(Replica Replica, RowsAnswer? Answer, NodeProblemException? Problem)> AskAsync(
        Replica replica, NodeRequest request, CancellationToken cancellation)
    {
        try
        {
            return (replica, await client.QueryAsync(replica.Address, request, cancellation).ConfigureAwait(false), null);
        }
        catch (NodeProblemException e) when (e.Code is "sql_error" or "too_large" or "no_such_database")
        {
            // These speak of the query; any other problem speaks of the node.
            return (replica, null, e);
        }
        catch (NodeProblemException e)
        {
            replica.Failure = $"cannot be read: {e.Message.TrimEnd('.')}";
            return (replica, null, null);
        }
        catch (NodeUnreachableException e)
        {
            replica.Failure = $"cannot be reached: {e.Reason}";
            return (replica, null, null);
        }
    }

    private Reading Use(Reading reading)
    {
        foreach (var (_, answer) in reading.Answers)
        {
            IndexRange = IndexRange == default
                ? (answer.Index, answer.Index)
                : (Math.Min(IndexRange.Min, answer.Index), Math.Max(IndexRange.Max, answer.Index));
        }

        return reading;
    }

    private static long? OneIndex(Reading reading)
    {
        var indexes = reading.Answers.Select(answer => answer.Answer.Index).Distinct().ToArray();
        return indexes.Length == 1 ? indexes[0] : null;
    }

    private static TimeSpan Pause(int attempt) =>
        TimeSpan.FromMilliseconds(Math.Min(_pauseMax.TotalMilliseconds, 10 * Math.Pow(2, attempt)));
}
