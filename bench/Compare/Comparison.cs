using DistDb.Tools.Bench;

namespace DistDb.Bench.Compare;

/// <summary>What a comparison is to measure.</summary>
internal sealed record ComparisonPlan
{
    /// <summary>By how many clients at once.</summary>
    public required IReadOnlyList<int> Clients { get; init; }

    /// <summary>How long each load runs.</summary>
    public required LoadTime Load { get; init; }

    /// <summary>How long each system does each kind of work before anything is measured: code that is compiled while it runs gets better for a while.</summary>
    public required TimeSpan Practice { get; init; }

    /// <summary>How often everything is measured; the results are medians.</summary>
    public required int Rounds { get; init; }

    /// <summary>How often the leader is killed.</summary>
    public required int FailOvers { get; init; }
}

/// <summary>A line of the result.</summary>
/// <param name="What">What was done: <c>write</c>, <c>write through a follower</c>, <c>read</c>, <c>strong read</c>, <c>rows, 100 a request</c>, or a limit of the machine.</param>
/// <param name="Clients">How many at once.</param>
/// <param name="System">Who did it.</param>
/// <param name="Median">Medians of the rounds, each for itself.</param>
internal sealed record ComparisonLine(string What, int Clients, string System, Sample Median);

/// <summary>Everything that was measured.</summary>
/// <param name="Lines">Loads.</param>
/// <param name="MemoryBytes">What each system's nodes had in memory after all loads.</param>
/// <param name="FailOvers">How long each took to take a write again after its leader was killed, in order of length.</param>
internal sealed record ComparisonOutcome(
    IReadOnlyList<ComparisonLine> Lines, IReadOnlyDictionary<string, long> MemoryBytes, IReadOnlyDictionary<string, IReadOnlyList<TimeSpan>> FailOvers);

/// <summary>
/// Measures systems in turns: every load is run on each of them, one after the other, before the next load comes, and all of it several times. So whatever else
/// the machine does meanwhile falls on all of them, and ratios mean something where rates do not.
/// </summary>
/// <param name="distDb">The one that others are compared with.</param>
/// <param name="others">They.</param>
/// <param name="folder">On the disk whose limits are taken.</param>
/// <param name="plan">What to measure.</param>
/// <param name="progress">Told what is being measured.</param>
internal sealed class Comparison(DistDbPeer distDb, IReadOnlyList<Peer> others, string folder, ComparisonPlan plan, TextWriter progress)
{
    /// <summary>The name of a limit of the machine.</summary>
    public const string DiskSynced = "disk: 4 KiB, synced";

    /// <summary>The name of a limit of the machine.</summary>
    public const string RoundTrip = "loopback: there and back";

    private const int PracticeClients = 64;

    private readonly List<(string What, int Clients, string System, Sample Sample)> _samples = [];

    /// <summary>Runs everything. The systems have been started.</summary>
    public async Task<ComparisonOutcome> RunAsync(CancellationToken cancellation)
    {
        await PractiseAsync(cancellation).ConfigureAwait(false);
        for (var round = 1; round <= plan.Rounds; round++)
        {
            await progress.WriteLineAsync($"round {round} of {plan.Rounds}").ConfigureAwait(false);
            await RunRoundAsync(cancellation).ConfigureAwait(false);
        }

        Peer[] all = [distDb, .. others];
        var memory = all.ToDictionary(peer => peer.Name, peer => peer.MemoryBytes);
        var failOvers = new Dictionary<string, IReadOnlyList<TimeSpan>>();
        foreach (var peer in all)
        {
            failOvers[peer.Name] = await FailOverAsync(peer, cancellation).ConfigureAwait(false);
        }

        return new([.. _samples.GroupBy(sample => (sample.What, sample.Clients, sample.System)).Select(Median)], memory, failOvers);
    }

    private static ComparisonLine Median(IGrouping<(string What, int Clients, string System), (string What, int Clients, string System, Sample Sample)> samples)
    {
        return new(
            samples.Key.What, samples.Key.Clients, samples.Key.System,
            new(Of(sample => sample.PerSecond), Of(sample => sample.P50Ms), Of(sample => sample.P99Ms), samples.Sum(sample => sample.Sample.Failed)));

        double Of(Func<Sample, double> value)
        {
            double[] values = [.. samples.Select(sample => value(sample.Sample)).Order()];
            return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
        }
    }

    private async Task PractiseAsync(CancellationToken cancellation)
    {
        if (plan.Practice <= TimeSpan.Zero)
        {
            return;
        }

        var load = new LoadTime(TimeSpan.Zero, plan.Practice);
        foreach (var peer in others.Prepend(distDb))
        {
            await progress.WriteLineAsync($"practice: {peer.Name}").ConfigureAwait(false);
            foreach (var job in Enum.GetValues<Job>().Where(job => peer.Describe(job) is not null))
            {
                await peer.RunAsync(job, false, PracticeClients, load, cancellation).ConfigureAwait(false);
                if (job == Job.Write && peer.HasFollowers)
                {
                    await peer.RunAsync(job, true, PracticeClients, load, cancellation).ConfigureAwait(false);
                }
            }
        }
    }

    private static Sample SampleOf(LoadResult result) =>
        new(result.PerSecond, result.All.Percentile(0.50).TotalMilliseconds, result.All.Percentile(0.99).TotalMilliseconds, 0);

    private Sample InsertAlone(int perCommit)
    {
        using var alone = new SqliteAlone(folder, "CREATE TABLE rows (id INTEGER PRIMARY KEY, client INTEGER, value TEXT)");
        object[] row = [1, new string('v', 100)];
        return alone.Run("INSERT INTO rows (client, value) VALUES (?1, ?2)", () => row, perCommit, plan.Load);
    }

    private async Task RunRoundAsync(CancellationToken cancellation)
    {
        Add(DiskSynced, 1, "machine", SampleOf(DiskProbe.Run(folder, plan.Load.Measured)));
        Add(RoundTrip, 1, "machine", SampleOf(LoopbackProbe.Run(plan.Load.Measured)));
        Add("SQLite alone: rows, one a commit", 1, "machine", InsertAlone(1));
        Add("SQLite alone: rows, 64 a commit", 1, "machine", InsertAlone(64));
        foreach (var clients in plan.Clients)
        {
            Add("web server: empty answer", clients, "machine", await distDb.RunAsync(Operation.Live, clients, plan.Load, cancellation).ConfigureAwait(false));
        }

        foreach (var job in Enum.GetValues<Job>())
        {
            foreach (var clients in plan.Clients)
            {
                foreach (var peer in others.Prepend(distDb).Where(peer => peer.Describe(job) is not null))
                {
                    await TellAsync(job, clients, peer).ConfigureAwait(false);
                    Add(NameOf(job), clients, peer.Name, await peer.RunAsync(job, false, clients, plan.Load, cancellation).ConfigureAwait(false));
                    if (job == Job.Write && peer.HasFollowers)
                    {
                        Add("write through a follower", clients, peer.Name, await peer.RunAsync(job, true, clients, plan.Load, cancellation).ConfigureAwait(false));
                    }
                }
            }
        }

        foreach (var clients in plan.Clients)
        {
            var rows = await distDb.RunAsync(Operation.Rows, clients, plan.Load, cancellation).ConfigureAwait(false);
            Add($"rows, {Workload.RowsPerRequest} a request", clients, distDb.Name, rows with { PerSecond = rows.PerSecond * Workload.RowsPerRequest });
        }
    }

    private async Task<IReadOnlyList<TimeSpan>> FailOverAsync(Peer peer, CancellationToken cancellation)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < plan.FailOvers; i++)
        {
            await progress.WriteLineAsync($"{peer.Name}: the leader is killed, {i + 1} of {plan.FailOvers}").ConfigureAwait(false);
            if (await peer.FailOverAsync(cancellation).ConfigureAwait(false) is not { } time)
            {
                break;
            }

            times.Add(time);
        }

        return [.. times.Order()];
    }

    private static string NameOf(Job job) => job == Job.StrongRead ? "strong read" : Workload.NameOf(Enum.Parse<Operation>(job.ToString()));

    private Task TellAsync(Job job, int clients, Peer peer) => progress.WriteLineAsync($"  {NameOf(job)}, {clients} clients: {peer.Name}, {peer.Describe(job)}");

    private void Add(string what, int clients, string system, Sample sample) => _samples.Add((what, clients, system, sample));
}
