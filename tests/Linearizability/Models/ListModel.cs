using System.Diagnostics;

namespace DistDb.Tests.Linearizability.Models;

/// <summary>A list that is appended to and read as a whole.</summary>
/// <param name="longestRead">What some read has seen: whatever is appended before that read must come in this order. Empty where nothing is known.</param>
internal sealed class ListModel(IReadOnlyList<long> longestRead) : Model<ListState, ListCall>
{
    public ListModel()
        : this([])
    {
    }

    public override ListState Initial => ListState.Empty;

    public override bool TryApply(ListState state, ListCall call, out ListState next)
    {
        switch (call)
        {
            case ListCall.Append append:
                next = state.Append(append.Element);
                return state.Count >= longestRead.Count || longestRead[state.Count] == append.Element;
            case ListCall.Read read:
                next = state;
                return state.Holds(read.Elements);
            default:
                throw new UnreachableException(call.ToString());
        }
    }

    public override bool IsRead(ListCall call) => call is ListCall.Read;

    /// <summary>The longest read gives the order of all that it holds, since nothing ever leaves the list; appends of unknown fate were done before the first read that shows them.</summary>
    public override (Model<ListState, ListCall> Model, IReadOnlyList<Operation<ListCall>> History) Prepare(IReadOnlyList<Operation<ListCall>> history)
    {
        IReadOnlyList<long> longest = [];
        foreach (var operation in history)
        {
            if (operation is { Fate: Fate.Done, Call: ListCall.Read { Elements: var elements } } && elements.Count > longest.Count)
            {
                longest = elements;
            }
        }

        return (
            new ListModel(longest),
            Observation.Settle(history, call => call is ListCall.Append append ? append.Element : null, call => (call as ListCall.Read)?.Elements));
    }
}
