using System.Diagnostics;
using DistDb.Tests.Soak.Clients;
using DistDb.Tests.Soak.Workloads;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak;

/// <summary>
/// One run: clients use a cluster of real processes through all of its nodes while faults befall it; then everything heals, and it is
/// compared what clients were told with what the replicas hold. It ends early when something is found.
/// </summary>
internal sealed class SoakRun : IAsyncDisposable
{
    private static readonly TimeSpan _watchInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _logInterval = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _overtimeMax = TimeSpan.FromMinutes(4);
    private static readonly TimeSpan _overtimeRound = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _convergencePatience = TimeSpan.FromMinutes(2);

    private readonly SoakOptions _options;
    private readonly Arena _arena;
    private readonly Findings _findings = new();
    private readonly Statistics _statistics;
    private readonly Nemesis _nemesis;
    private readonly List<ILane> _lanes = [];
    private readonly SoakContext _context;

    private SoakRun(SoakOptions options, Arena arena)
    {
        _options = options;
        _arena = arena;
        _statistics = new(arena);
        _nemesis = new(arena, options, _findings);
        _context = new(options, arena, _findings, _statistics, new(arena));
        var random = new Random(options.Seed);
        var shared = new SharedDatabases(options);
        for (var i = 0; i < options.LanesPerWorkload; i++)
        {
            _lanes.Add(Lane(new RegisterWorkload(), shared));
            _lanes.Add(Lane(new ListWorkload(), shared));
            _lanes.Add(Lane(new BankWorkload(), shared));
            _lanes.Add(Lane(new SetWorkload(), shared));
        }

        _lanes.Add(Lane(new BankWorkload(), new OwnDatabases("Bank", _context)));
        _lanes.Add(Lane(new SetWorkload(), new OwnDatabases("Set", _context)));

        Lane<TState, TCall> Lane<TState, TCall>(Workload<TState, TCall> workload, IHousing housing)
            where TState : notnull => new(workload, housing, _context, random.Next());
    }

    /// <summary>Runs it.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="progress">Told now and then how it goes.</param>
    public static async Task<SoakReport> RunAsync(SoakOptions options, Action<string> progress)
    {
        var arena = await Arena.StartAsync(options.NodeCount);
        await using var run = new SoakRun(options, arena);
        return await run.RunAsync(progress);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var lane in _lanes)
        {
            lane.Dispose();
        }

        await _arena.DisposeAsync();
        _findings.Dispose();
    }

    private async Task<SoakReport> RunAsync(Action<string> progress)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            await RunToTheEndAsync(progress, started);
        }
        catch (OperationCanceledException) when (!_findings.IsEmpty)
        {
            // Cut short by what was found.
        }
        catch (Exception e)
        {
            _findings.Add(FindingKind.Unexpected, e.ToString());
        }

        _arena.MoveLogs();
        _arena.Cluster.KeepsFiles = !_findings.IsEmpty;
        return new(
            _options,
            Stopwatch.GetElapsedTime(started),
            _nemesis.Counts,
            _statistics,
            [.. _findings.All],
            _findings.IsEmpty ? null : _arena.Cluster.Folder);
    }

    private async Task RunToTheEndAsync(Action<string> progress, long started)
    {
        _arena.Log($"seed {_options.Seed}, {_options.NodeCount} nodes, {_options.Duration}");
        await CreateSharedAsync();

        using var watchEnd = new CancellationTokenSource();
        var watching = WatchAsync(progress, started, watchEnd.Token);
        try
        {
            for (var left = _options.Duration; left > TimeSpan.Zero && _findings.IsEmpty; left -= _options.RoundMax)
            {
                await RunRoundAsync(left < _options.RoundMax ? left : _options.RoundMax);
                await CompareAsync();
            }

            while (_findings.IsEmpty && _nemesis.Counts.Values.Sum() < _options.FaultCountMin && Stopwatch.GetElapsedTime(started) < _options.Duration + _overtimeMax)
            {
                await RunRoundAsync(_overtimeRound);
                await CompareAsync();
            }

            foreach (var lane in _lanes)
            {
                await lane.RecheckAllAsync();
            }
        }
        finally
        {
            await watchEnd.CancelAsync();
            await watching;
        }
    }

    /// <summary>Makes the databases that are there all the time, with their tables.</summary>
    private async Task CreateSharedAsync()
    {
        long index = 0;
        foreach (var database in _options.Databases)
        {
            if (database != "main")
            {
                await ChangeAsync(new(false, ($"CREATE DATABASE \"{database}\"", [])));
            }

            foreach (var sql in (IEnumerable<string>)[.. new RegisterWorkload().Schema, .. new ListWorkload().Schema, .. new BankWorkload().Schema, .. new SetWorkload().Schema])
            {
                await ChangeAsync(new(false, (sql, [])) { Database = database });
            }
        }

        // Local reads begin at once, at any node.
        await _arena.Cluster.WaitUntilAsync("every node has the tables", async () =>
        {
            var nodes = await Task.WhenAll(_arena.Cluster.Nodes.Select(n => n.StatusAsync()));
            return nodes.All(status => status?.GetProperty("applied_index").GetInt64() >= index);
        });

        async Task ChangeAsync(SqlRequest request)
        {
            var answer = await _arena.Cluster.Master.PostAsync(request.Body(id: null, isStrong: false));
            answer.IsOk.Should().BeTrue(answer.Text);
            index = answer.Index;
        }
    }

    /// <summary>Faults and clients for a while, then no faults, then no clients.</summary>
    private async Task RunRoundAsync(TimeSpan duration)
    {
        using var faultsEnd = CancellationTokenSource.CreateLinkedTokenSource(_findings.Any);
        using var clientsEnd = CancellationTokenSource.CreateLinkedTokenSource(_findings.Any);
        _statistics.Resume();
        var clients = Task.WhenAll(_lanes.Select(l => Task.Run(() => l.RunAsync(clientsEnd.Token))));
        faultsEnd.CancelAfter(duration);
        var faults = _nemesis.RunAsync(faultsEnd.Token);

        // Whichever fails first ends the other, and is heard.
        await Task.WhenAny(faults, clients);
        await faultsEnd.CancelAsync();
        try
        {
            await faults;
            if (_findings.IsEmpty)
            {
                await HealAsync();
            }
        }
        finally
        {
            await clientsEnd.CancelAsync();
            await clients;
        }
    }

    /// <summary>No fault is left; the cluster must serve again by itself.</summary>
    private async Task HealAsync()
    {
        _arena.Log("all faults are over");
        await _arena.Cluster.WaitUntilReadyAsync();
        var done = DoneCount();
        await _arena.Cluster.WaitUntilAsync("clients write again", () => DoneCount() > done + 100 || !_findings.IsEmpty);

        int DoneCount() => _statistics.Counts.Where(c => c.Key.Fate == Linearizability.Fate.Done).Sum(c => c.Value);
    }

    private async Task CompareAsync()
    {
        if (!_findings.IsEmpty)
        {
            return;
        }

        try
        {
            // A file that was changed by hand just before the end may not be healed yet: the cluster itself says when.
            _arena.Log("comparing replicas");
            await _arena.Cluster.WaitUntilAsync("the cluster finds its replicas equal", _arena.IsEqualAsync, _convergencePatience);
            await _arena.Cluster.ConvergeAsync().WaitAsync(_convergencePatience);
            CompareFiles();
        }
        catch (Exception e) when (e is TimeoutException or Xunit.Sdk.XunitException)
        {
            _findings.Add(FindingKind.Divergent, e.Message);
        }
    }

    /// <summary>All nodes must have the same in the same databases, and nothing of databases that were dropped.</summary>
    private void CompareFiles()
    {
        string[] expected = [.. _context.Databases.Append("history_query").Select(name => name.ToLowerInvariant()).Order(StringComparer.Ordinal)];
        foreach (var node in _arena.Cluster.Nodes)
        {
            var there = node.DatabaseFiles.Select(f => f.Split(".db")[0]).Distinct().Order(StringComparer.Ordinal);
            if (!there.SequenceEqual(expected))
            {
                _findings.Add(
                    FindingKind.WrongDatabases, $"There should be {string.Join(' ', expected)}; node {node.Id} has the files {string.Join(' ', node.DatabaseFiles)}.");
                return;
            }
        }

        foreach (var name in expected)
        {
            var hashes = _arena.Cluster.Nodes.Select(n => ContentHash.Of(n.PathOf(name)));
            hashes.Distinct().Should().ContainSingle($"all replicas have the same content in {name}");
        }
    }

    /// <summary>Notices nodes that end by themselves; saves their output; tells how it goes.</summary>
    private async Task WatchAsync(Action<string> progress, long started, CancellationToken end)
    {
        var lastLog = Stopwatch.GetTimestamp();
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(_watchInterval, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var node in _arena.EndedByThemselves())
            {
                _findings.Add(FindingKind.Unexpected, $"Node {node.Id} ended by itself, as node-{node.Id}.log tells. It printed last:\n{node.Current()}");
                return;
            }

            await _arena.NoteRecoveriesAsync();
            if (Stopwatch.GetElapsedTime(lastLog) > _logInterval)
            {
                lastLog = Stopwatch.GetTimestamp();
                _arena.MoveLogs();
                progress($"{Stopwatch.GetElapsedTime(started):hh\\:mm\\:ss}  {_nemesis.Counts.Values.Sum()} faults, {_statistics.Counts.Values.Sum()} operations, "
                    + $"{_statistics.CheckedCount} histories checked; now: {_arena.ActiveFaults}");
            }
        }
    }
}
