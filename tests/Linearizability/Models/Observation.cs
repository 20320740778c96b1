namespace DistDb.Tests.Linearizability.Models;

/// <summary>What reads tell of additions whose fate their clients do not know, in objects that nothing ever leaves.</summary>
internal static class Observation
{
    /// <summary>
    /// An addition of unknown fate that some read shows was done, at the latest when the first such read returned. One that no read shows was
    /// done after all of them or never, so that it explains nothing and is left out.
    /// </summary>
    /// <param name="history">All operations.</param>
    /// <param name="added">What a call adds, once in the whole history; null where it does not.</param>
    /// <param name="seen">What a call has read; null where it does not.</param>
    public static IReadOnlyList<Operation<TCall>> Settle<TCall>(
        IReadOnlyList<Operation<TCall>> history, Func<TCall, long?> added, Func<TCall, IReadOnlyList<long>?> seen)
    {
        if (!history.Any(o => o.Fate == Fate.Unknown))
        {
            return history;
        }

        var firstSeen = new Dictionary<long, long>();
        foreach (var operation in history.Where(o => o.Fate == Fate.Done))
        {
            foreach (var value in seen(operation.Call) ?? [])
            {
                firstSeen[value] = Math.Min(operation.Returned, firstSeen.GetValueOrDefault(value, long.MaxValue));
            }
        }

        var settled = new List<Operation<TCall>>(history.Count);
        foreach (var operation in history)
        {
            if (operation.Fate != Fate.Unknown || added(operation.Call) is not { } value)
            {
                settled.Add(operation);
            }
            else if (firstSeen.TryGetValue(value, out var returned))
            {
                // Seen before it was sent is a violation, which the search finds by itself.
                settled.Add(operation with { Fate = Fate.Done, Returned = Math.Max(returned, operation.Invoked) });
            }
        }

        return settled;
    }
}
