using System.Diagnostics;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Faults;

/// <summary>Troubles on some of a node's links to and from others.</summary>
/// <param name="reach">Which links.</param>
/// <param name="name">What the trouble is called.</param>
/// <param name="draw">Draws one.</param>
internal sealed class LinkFault(LinkReach reach, string name, Func<Random, LinkTrouble> draw) : Fault
{
    public override string Kind => $"{name} {reach switch
    {
        LinkReach.PairBothWays => "between two nodes",
        LinkReach.PairOneWay => "from one node to another",
        LinkReach.AllBothWays => "to and from a node",
        LinkReach.AllIncoming => "to a node",
        LinkReach.AllOutgoing => "from a node",
        _ => throw new UnreachableException(reach.ToString()),
    }}";

    public override bool NeedsPeers => true;

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        // Half of them at the leader, where most can go wrong.
        var victim = random.Next(2) == 0 ? Victim.Leader : Victim.Any;
        if (await victim.TryClaimAsync(arena, random) is not var (node, claim))
        {
            return false;
        }

        var other = (node + random.Next(1, arena.NodeCount)) % arena.NodeCount;
        int[] others = reach is LinkReach.PairBothWays or LinkReach.PairOneWay ? [other] : [.. Enumerable.Range(0, arena.NodeCount).Where(n => n != node)];
        List<TcpProxy> links = [];
        if (reach != LinkReach.AllIncoming)
        {
            links.AddRange(others.Select(o => arena.Link(node, o)));
        }

        if (reach is not (LinkReach.AllOutgoing or LinkReach.PairOneWay))
        {
            links.AddRange(others.Select(o => arena.Link(o, node)));
        }

        var trouble = draw(random);
        using (claim)
        using (arena.Announce($"{Kind} (node {node}{(others.Length == 1 ? $", node {other}" : "")}): {trouble}"))
        {
            var endings = links.ConvertAll(l => l.Begin(trouble));
            await HoldAsync(hold, end);
            endings.ForEach(e => e.Dispose());
        }

        return true;
    }
}
