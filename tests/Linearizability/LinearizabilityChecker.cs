using System.Numerics;

namespace DistDb.Tests.Linearizability;

/// <summary>
/// Decides whether a history is linearizable: whether each operation can have taken effect at one moment between its invocation and its
/// return, such that one after the other gives all the results that were seen (Herlihy and Wing).
/// <para>
/// The algorithm is Wing and Gong's with Lowe's improvements ("Testing for linearizability", 2017). The history is read in the order of
/// time, with the set of all configurations that can explain it so far: a state, and which of the open operations have taken effect.
/// Operations are linearized just in time: only when one returns must it have taken effect, alone or after others that are open. What has
/// returned in all configurations is forgotten, so that the cost depends on how many operations overlap, not on how many there are.
/// Histories of different keys are checked one by one, which is equivalent (P-compositionality) and far cheaper.
/// </para>
/// An operation of unknown fate stays open for ever. When a return leaves no configuration, there is no explanation.
/// </summary>
internal static class LinearizabilityChecker
{
    /// <summary>Transitions tried before the search is given up.</summary>
    public const long DefaultBudget = 5_000_000;

    private const int SlotCount = 64;

    public static CheckResult Check<TState, TCall>(
        Model<TState, TCall> model, IEnumerable<Operation<TCall>> history, long budget = DefaultBudget)
        where TState : notnull
    {
        // What was not done, and reads that saw nothing, constrain nothing.
        List<Operation<TCall>> operations = [.. history.Where(o => o.Fate == Fate.Done || (o.Fate == Fate.Unknown && !model.IsRead(o.Call)))];
        var (prepared, narrowed) = model.Prepare(operations);
        var search = new Search<TState, TCall>(prepared, narrowed, budget);
        var verdict = search.Run();
        return new(verdict, search.Steps, verdict switch
        {
            Verdict.Violated => ViolationReport.Write(model, operations, search.Culprit!, search.StatesBefore, budget),
            Verdict.Undecided => search.WhyUndecided,
            _ => "",
        });
    }

    /// <summary>The verdict alone.</summary>
    public static Verdict Judge<TState, TCall>(Model<TState, TCall> model, IReadOnlyList<Operation<TCall>> operations, long budget)
        where TState : notnull
    {
        var (prepared, narrowed) = model.Prepare(operations);
        return new Search<TState, TCall>(prepared, narrowed, budget).Run();
    }

    private sealed class Search<TState, TCall>(Model<TState, TCall> model, IReadOnlyList<Operation<TCall>> operations, long budget)
        where TState : notnull
    {
        private readonly Operation<TCall>?[] _open = new Operation<TCall>?[SlotCount];
        private readonly Dictionary<Operation<TCall>, int> _slots = new(ReferenceEqualityComparer.Instance);
        private ulong _occupied;
        private ulong _optional;

        public long Steps { get; private set; }

        /// <summary>The operation whose return cannot be explained.</summary>
        public Operation<TCall>? Culprit { get; private set; }

        /// <summary>The states that were possible just before.</summary>
        public IReadOnlyList<TState> StatesBefore { get; private set; } = [];

        public string WhyUndecided { get; private set; } = "";

        public Verdict Run()
        {
            // At the same moment invocations come first: what may overlap is taken to overlap.
            var events = operations
                .Select(o => (Time: o.Invoked, IsReturn: false, Operation: o))
                .Concat(operations.Where(o => o.Fate == Fate.Done).Select(o => (Time: o.Returned, IsReturn: true, Operation: o)))
                .OrderBy(e => e.Time)
                .ThenBy(e => e.IsReturn);
            List<Configuration<TState>> configurations = [new(model.Initial, 0)];
            foreach (var (_, isReturn, operation) in events)
            {
                if (!isReturn)
                {
                    if (!TryOpen(operation))
                    {
                        WhyUndecided = $"More than {SlotCount} operations were open at once.";
                        return Verdict.Undecided;
                    }

                    continue;
                }

                var slot = _slots[operation];
                if (Linearize(configurations, slot) is not { } explained)
                {
                    WhyUndecided = $"{budget} transitions were tried.";
                    return Verdict.Undecided;
                }

                if (explained.Count == 0)
                {
                    Culprit = operation;
                    StatesBefore = [.. configurations.Select(c => c.State).Distinct()];
                    return Verdict.Violated;
                }

                configurations = explained;
                Close(operation, slot);
            }

            return Verdict.Linearizable;
        }

        private bool TryOpen(Operation<TCall> operation)
        {
            var slot = BitOperations.TrailingZeroCount(~_occupied);
            if (slot == SlotCount)
            {
                return false;
            }

            _open[slot] = operation;
            _slots[operation] = slot;
            _occupied |= 1UL << slot;
            _optional |= operation.Fate == Fate.Unknown ? 1UL << slot : 0;
            return true;
        }

        private void Close(Operation<TCall> operation, int slot)
        {
            _open[slot] = null;
            _slots.Remove(operation);
            _occupied &= ~(1UL << slot);
        }

        /// <summary>
        /// All configurations in which the operation of a slot has taken effect, after any of the other open ones; without its slot, which
        /// is free again. Null where the budget is used up.
        /// </summary>
        private List<Configuration<TState>>? Linearize(List<Configuration<TState>> configurations, int slot)
        {
            var wanted = 1UL << slot;
            var explained = new ConfigurationSet<TState>(_optional);
            var seen = new ConfigurationSet<TState>(_optional);
            var waiting = new Queue<Configuration<TState>>();
            foreach (var configuration in configurations)
            {
                Reach(configuration);
            }

            while (waiting.TryDequeue(out var configuration))
            {
                if (!seen.Contains(configuration))
                {
                    continue;
                }

                for (var free = _occupied & ~configuration.Linearized; free != 0; free &= free - 1)
                {
                    if (++Steps > budget)
                    {
                        return null;
                    }

                    var next = BitOperations.TrailingZeroCount(free);
                    if (model.TryApply(configuration.State, _open[next]!.Call, out var state))
                    {
                        Reach(new(state, configuration.Linearized | (1UL << next)));
                    }
                }
            }

            return [.. explained.All];

            void Reach(Configuration<TState> configuration)
            {
                if ((configuration.Linearized & wanted) != 0)
                {
                    explained.Add(configuration with { Linearized = configuration.Linearized & ~wanted });
                }
                else if (seen.Add(configuration))
                {
                    waiting.Enqueue(configuration);
                }
            }
        }
    }
}
