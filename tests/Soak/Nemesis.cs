using System.Collections.Concurrent;
using DistDb.Tests.Soak.Faults;

namespace DistDb.Tests.Soak;

/// <summary>Injects faults, each kind as often as the others, some at a time.</summary>
internal sealed class Nemesis(Arena arena, SoakOptions options, Findings findings)
{
    private readonly Fault[] _faults = [.. FaultCatalogue.All.Where(f => arena.NodeCount > 1 || !f.NeedsPeers)];
    private readonly ConcurrentDictionary<string, int> _counts = new(FaultCatalogue.All.Select(f => KeyValuePair.Create(f.Kind, 0)));

    private readonly Lock _lock = new();
    private readonly Random _random = new(options.Seed);
    private readonly Queue<Fault> _deck = [];

    /// <summary>How often each kind was injected.</summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Goes on until cancelled; returns when everything is healed.</summary>
    public Task RunAsync(CancellationToken end) => Task.WhenAll(Enumerable.Range(0, options.FaultsAtOnce).Select(_ => Task.Run(() => InjectAsync(end), CancellationToken.None)));

    private async Task InjectAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var (fault, hold, pause, seed) = Draw();
            await Task.Delay(pause, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (end.IsCancellationRequested)
            {
                return;
            }

            if (await fault.RunAsync(arena, new(seed), hold, findings, end))
            {
                _counts.AddOrUpdate(fault.Kind, 1, (_, count) => count + 1);
            }
            else
            {
                lock (_lock)
                {
                    // Its turn comes again.
                    _deck.Enqueue(fault);
                }
            }
        }
    }

    private (Fault Fault, TimeSpan Hold, TimeSpan Pause, int Seed) Draw()
    {
        lock (_lock)
        {
            if (_deck.Count == 0)
            {
                _random.Shuffle(_faults);
                foreach (var fault in _faults)
                {
                    _deck.Enqueue(fault);
                }
            }

            // As many short ones as long ones, by their order of magnitude.
            var hold = options.HoldMin * Math.Pow(options.HoldMax / options.HoldMin, _random.NextDouble());
            return (_deck.Dequeue(), hold, options.RestMax * _random.NextDouble(), _random.Next());
        }
    }
}
