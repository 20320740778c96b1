using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DistDb.Tests.Linearizability;

/// <summary>Says why a history has no explanation, with no more of it than is needed.</summary>
internal static class ViolationReport
{
    private const int OperationsMax = 80;
    private const int StatesMax = 8;

    /// <param name="model">How the object should behave.</param>
    /// <param name="history">The whole history.</param>
    /// <param name="culprit">The operation whose return cannot be explained.</param>
    /// <param name="statesBefore">The states that were possible until then.</param>
    /// <param name="budget">For each trial to leave something out.</param>
    public static string Write<TState, TCall>(
        Model<TState, TCall> model,
        IReadOnlyList<Operation<TCall>> history,
        Operation<TCall> culprit,
        IReadOnlyList<TState> statesBefore,
        long budget)
        where TState : notnull
    {
        var operations = Shrink(model, history, culprit, budget);
        var text = new StringBuilder("Not linearizable. The operation that cannot be explained:\n  ");
        text.Append(culprit.Call).Append(" by ").AppendLine(culprit.Client);
        if (statesBefore.Count > 0)
        {
            text.Append("States that were possible just before it returned, of ").Append(statesBefore.Count).AppendLine(":");
            foreach (var state in statesBefore.Take(StatesMax))
            {
                text.Append("  ").AppendLine(model.Describe(state));
            }
        }

        text.Append("What it takes to see that, of ").Append(history.Count).AppendLine(" operations (milliseconds from the first to the last moment):");
        if (operations.Count > OperationsMax)
        {
            text.Append("  ... ").Append(operations.Count - OperationsMax).AppendLine(" earlier ones ...");
        }

        var start = history.Min(o => o.Invoked);
        foreach (var operation in operations.TakeLast(OperationsMax))
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Milliseconds(operation.Invoked - start),12} ..")
                .Append(CultureInfo.InvariantCulture, $"{(operation.Fate == Fate.Done ? Milliseconds(operation.Returned - start) : "open"),12}  ")
                .Append(operation.Call).Append(" by ").AppendLine(operation.Client);
        }

        return text.ToString();
    }

    /// <summary>What led to the violation: nothing that came later, and no read that is not needed. (Writes stay: reads may rest on them.)</summary>
    private static List<Operation<TCall>> Shrink<TState, TCall>(
        Model<TState, TCall> model, IReadOnlyList<Operation<TCall>> history, Operation<TCall> culprit, long budget)
        where TState : notnull
    {
        List<Operation<TCall>> prefix =
            [.. history.Where(o => o.Invoked <= culprit.Returned && (o.Returned <= culprit.Returned || !model.IsRead(o.Call)))
                .Select(o => o.Returned > culprit.Returned ? o with { Fate = Fate.Unknown } : o)];

        // What came later may be part of it: reads that show in which order elements stand.
        List<Operation<TCall>> operations = IsViolated(prefix) ? prefix : [.. history];
        List<Operation<TCall>> withoutReads = [.. operations.Where(o => !model.IsRead(o.Call) || (o.Client == culprit.Client && o.Invoked == culprit.Invoked))];
        if (IsViolated(withoutReads))
        {
            operations = withoutReads;
        }
        else
        {
            foreach (var read in operations.Where(o => model.IsRead(o.Call)).ToList())
            {
                List<Operation<TCall>> without = [.. operations.Where(o => !ReferenceEquals(o, read))];
                if (IsViolated(without))
                {
                    operations = without;
                }
            }
        }

        return [.. operations.OrderBy(o => o.Invoked)];

        bool IsViolated(IReadOnlyList<Operation<TCall>> some) => LinearizabilityChecker.Judge(model, some, budget) == Verdict.Violated;
    }

    private static string Milliseconds(long ticks) => (ticks * 1000.0 / Stopwatch.Frequency).ToString("F3", CultureInfo.InvariantCulture);
}
