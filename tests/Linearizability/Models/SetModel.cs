using System.Diagnostics;

namespace DistDb.Tests.Linearizability.Models;

/// <summary>A set that unique items are inserted into, and that is read as a whole.</summary>
internal sealed class SetModel : Model<SetState, SetCall>
{
    private readonly Dictionary<long, int> _numbers;
    private readonly Dictionary<SetCall.Read, SetState?> _reads = new(ReferenceEqualityComparer.Instance);

    public SetModel()
        : this([])
    {
    }

    private SetModel(IReadOnlyList<Operation<SetCall>> history)
    {
        _numbers = history.Select(o => o.Call).OfType<SetCall.Insert>().Select(i => i.Item).Distinct().Index().ToDictionary(i => i.Item, i => i.Index);
        foreach (var read in history.Select(o => o.Call).OfType<SetCall.Read>())
        {
            // An item that nobody inserted, or that is there twice, is in no state.
            var isPossible = read.Items.All(_numbers.ContainsKey) && read.Items.Distinct().Count() == read.Items.Count;
            _reads[read] = isPossible ? SetState.Of(_numbers.Count, read.Items.Select(i => _numbers[i])) : null;
        }
    }

    public override SetState Initial => SetState.Empty(_numbers.Count);

    public override bool TryApply(SetState state, SetCall call, out SetState next)
    {
        switch (call)
        {
            case SetCall.Insert insert:
                var number = _numbers[insert.Item];
                next = state.With(number);
                return !state.Contains(number);
            case SetCall.Read read:
                next = state;
                return state.Equals(_reads[read]);
            default:
                throw new UnreachableException(call.ToString());
        }
    }

    public override bool IsRead(SetCall call) => call is SetCall.Read;

    public override string Describe(SetState state) => $"{{{string.Join(' ', _numbers.Where(n => state.Contains(n.Value)).Select(n => n.Key))}}}";

    /// <summary>Numbers the items, and decides by the reads which inserts of unknown fate were done.</summary>
    public override (Model<SetState, SetCall> Model, IReadOnlyList<Operation<SetCall>> History) Prepare(IReadOnlyList<Operation<SetCall>> history) =>
        (new SetModel(history), Observation.Settle(history, call => (call as SetCall.Insert)?.Item, call => (call as SetCall.Read)?.Items));
}
