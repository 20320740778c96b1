using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Faults;

/// <summary>All that can go wrong. The place to add what else can.</summary>
internal static class FaultCatalogue
{
    public static IReadOnlyList<Fault> All { get; } =
    [
        new KillFault(Victim.Leader),
        new KillFault(Victim.Follower),
        new KillFault(Victim.Master),
        new KillAllFault(),
        new PauseFault(Victim.Leader),
        new PauseFault(Victim.Any),
        new LinkFault(LinkReach.PairBothWays, "cut", Cut),
        new LinkFault(LinkReach.PairOneWay, "cut", Cut),
        new LinkFault(LinkReach.AllBothWays, "cut", Cut),
        new LinkFault(LinkReach.AllIncoming, "cut", Cut),
        new LinkFault(LinkReach.AllOutgoing, "cut", Cut),
        new LinkFault(LinkReach.AllBothWays, "slow links", Slow),
        new LinkFault(LinkReach.AllOutgoing, "slow links", Slow),
        new ClockFault(),
        new LostRepliesFault(),
        new RestartFault(isRolling: false),
        new RestartFault(isRolling: true),
        new LostFilesFault(),
        new ForeignChangeFault(),
        new RemovalFault(),
        new PromotionFault(),
    ];

    private static LinkTrouble Cut(Random random) => random.Next(2) == 0 ? new LinkTrouble.Cut() : new LinkTrouble.Stalled();

    private static LinkTrouble.Slow Slow(Random random) =>
        new(TimeSpan.FromMilliseconds(random.Next(5, 300)), random.Next(20_000, 1_000_000));
}
