using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using DistDb.Tests.Linearizability;
using DistDb.Tests.Soak.Clients;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>
/// Clients that share one object for a few seconds, then the next. When an object's time is over it is read once more, and its history is
/// checked. Histories are kept for a while and checked again with a later read, so that what is lost afterwards is found too; then the
/// object is removed. So neither memory nor the database grow with the length of a run.
/// </summary>
/// <param name="workload">What kind of object.</param>
/// <param name="housing">In which databases.</param>
/// <param name="context">What all clients share.</param>
/// <param name="seed">Decides what they ask.</param>
internal sealed class Lane<TState, TCall>(Workload<TState, TCall> workload, IHousing housing, SoakContext context, int seed) : ILane
    where TState : notnull
{
    private const double StrongReadProbability = 0.3;
    private const double OwnReadProbability = 0.1;
    private const int OperationsMax = 400;
    private const int ThinkTimeMaxMs = 20;
    private const int LifetimeMinMs = 1500;
    private const int LifetimeMaxMs = 5000;

    private readonly Random _random = new(seed);

    // Every second one gives its writes ids, and every second pair of them loses replies.
    private readonly SoakClient[] _clients =
    [
        .. Enumerable.Range(0, context.Options.ClientsPerLane)
            .Select(i => new SoakClient($"{workload.Name} client {seed & 0xffff:x}-{i}", context, isLossy: i / 2 % 2 == 1, new(seed + i))),
    ];

    private readonly Queue<(SoakObject Object, List<Operation<TCall>> History)> _archive = [];

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var key = context.NextNumber();
            var used = new SoakObject(key, await housing.MoveInAsync(_clients[0], key, workload.Schema));
            var history = await UseAsync(used, stop);
            await CheckAsync(used, history);
            _archive.Enqueue((used, history));
            if (_archive.Count > housing.ArchivedMax)
            {
                var oldest = await RecheckOldestAsync();
                await housing.MoveOutAsync(_clients[0], oldest, oldest.In(workload.Remove(oldest.Key)));
            }
        }
    }

    public async Task RecheckAllAsync()
    {
        while (_archive.Count > 0)
        {
            await RecheckOldestAsync();
        }
    }

    public void Dispose()
    {
        foreach (var client in _clients)
        {
            client.Dispose();
        }
    }

    /// <summary>An object's life.</summary>
    /// <returns>All that was done with it; in the end it was read.</returns>
    private async Task<List<Operation<TCall>>> UseAsync(SoakObject used, CancellationToken stop)
    {
        if (workload.Create(used.Key) is { } create)
        {
            while ((await _clients[0].WriteAsync(_clients[0].DrawNode(), used.In(create), $"create-{used.Key}")).Fate != Fate.Done)
            {
                context.Findings.Any.ThrowIfCancellationRequested();
            }
        }

        var operations = new ConcurrentQueue<Operation<TCall>>();
        var localReads = new ConcurrentQueue<TCall>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop, context.Findings.Any);
        end.CancelAfter(_random.Next(LifetimeMinMs, LifetimeMaxMs));
        await Task.WhenAll(_clients.Select((client, i) => Task.Run(
            async () =>
            {
                while (!end.IsCancellationRequested && operations.Count < OperationsMax && operations.Count(o => o.Fate == Fate.Unknown) < workload.UnknownMax)
                {
                    await StepAsync(client, hasIds: i % 2 == 0, used, operations, localReads);
                    await Task.Delay(client.Random.Next(ThinkTimeMaxMs), CancellationToken.None);
                }
            },
            CancellationToken.None)));

        List<Operation<TCall>> history = [.. operations, await ReadAsync(used)];
        foreach (var read in localReads.Where(r => !workload.IsEarlier(r, history[^1].Call)))
        {
            context.Findings.Add(FindingKind.LocalRead, $"{workload.Name} {used}: a local read showed {read}, which is not on the way to {history[^1].Call}.");
        }

        return history;
    }

    private async Task StepAsync(SoakClient client, bool hasIds, SoakObject used, ConcurrentQueue<Operation<TCall>> operations, ConcurrentQueue<TCall> localReads)
    {
        var node = client.DrawNode();
        var invoked = Stopwatch.GetTimestamp();
        if (client.Random.NextDouble() < StrongReadProbability)
        {
            var answer = await client.ReadAsync(node, used.In(workload.Read(used.Key)));
            context.Statistics.Count("strong read", answer is null ? Fate.NotDone : Fate.Done);
            if (answer is not null)
            {
                operations.Enqueue(new($"{client.Name} at node {node}", workload.ReadResult(answer), Fate.Done, invoked, Stopwatch.GetTimestamp()));
            }

            return;
        }

        var number = context.NextNumber();
        var (request, call) = workload.DrawWrite(client.Random, used.Key, number);
        var incarnation = context.Arena.IncarnationOf(node);
        var (fate, write, answeredBy) = await client.WriteAsync(node, used.In(request), hasIds ? $"write-{number}" : null);
        var returned = Stopwatch.GetTimestamp();
        context.Statistics.Count($"{workload.Name} write{(hasIds ? " with id" : "")}", fate);
        if (fate == Fate.Done)
        {
            if (workload.WithResult(call, write!) is not { } result)
            {
                context.Findings.Add(FindingKind.Unexpected, $"{call} was answered {write!.Text}");
                return;
            }

            call = result;
        }

        operations.Enqueue(new($"{client.Name} at node {answeredBy}{(hasIds ? " with id" : "")}", call, fate, invoked, returned));
        // A refusal is the leader's word: the node that passes it on need not have anything of what it rests on.
        if (fate == Fate.Done && write!.IsOk && answeredBy == node && client.Random.NextDouble() < OwnReadProbability)
        {
            await ReadOwnWriteAsync(client, node, incarnation, used, call, localReads);
        }
    }

    /// <summary>Reads at the node that has just answered a write, without asking others: it must show the write.</summary>
    private async Task ReadOwnWriteAsync(SoakClient client, int node, int incarnation, SoakObject used, TCall write, ConcurrentQueue<TCall> localReads)
    {
        var answer = await client.ReadAsync(node, used.In(workload.Read(used.Key)), incarnation);
        context.Statistics.Count("local read", answer is null ? Fate.NotDone : Fate.Done);
        if (answer is null)
        {
            return;
        }

        var read = workload.ReadResult(answer);
        localReads.Enqueue(read);
        if (context.Arena.IncarnationOf(node) == incarnation && !workload.Shows(read, write))
        {
            context.Findings.Add(FindingKind.LocalRead, $"{workload.Name} {used}: {client.Name} does not see its own {write} at node {node}, but {read}.");
        }
    }

    private async Task<Operation<TCall>> ReadAsync(SoakObject used)
    {
        var invoked = Stopwatch.GetTimestamp();
        var answer = await _clients[0].ReadUntilDoneAsync(used.In(workload.Read(used.Key)), context.Findings.Any);
        return new("last look", workload.ReadResult(answer), Fate.Done, invoked, Stopwatch.GetTimestamp());
    }

    /// <summary>Looks once more at the oldest object that is still there.</summary>
    private async Task<SoakObject> RecheckOldestAsync()
    {
        var (oldest, history) = _archive.Dequeue();
        history.Add(await ReadAsync(oldest));
        await CheckAsync(oldest, history);
        return oldest;
    }

    private async Task CheckAsync(SoakObject used, List<Operation<TCall>> history)
    {
        if (context.Findings.Any.IsCancellationRequested)
        {
            // One is enough to look at, and an explanation of each can take a minute.
            return;
        }

        var result = await Task.Run(() => LinearizabilityChecker.Check(workload.Model, history), CancellationToken.None);
        context.Statistics.Checked(result.Steps);
        List<(FindingKind Kind, string Text)> findings = [.. workload.Judge(history)];
        if (result.Verdict != Verdict.Linearizable)
        {
            findings.Add((result.Verdict == Verdict.Violated ? FindingKind.NotLinearizable : FindingKind.Undecided, result.Report));
        }

        if (findings.Count == 0)
        {
            return;
        }

        var path = Path.Combine(context.Arena.Cluster.Folder, string.Create(CultureInfo.InvariantCulture, $"history-{workload.Name}-{used.Key}.txt"));
        await File.WriteAllLinesAsync(path, history.OrderBy(o => o.Invoked).Select(o => $"{o.Invoked,18} {o.Returned,18} {o.Fate,-8} {o.Call} by {o.Client}"), CancellationToken.None);
        foreach (var (kind, text) in findings)
        {
            context.Findings.Add(kind, $"{workload.Name} {used}: {text}\nThe whole history is in {path}.");
        }
    }
}
