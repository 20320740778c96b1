namespace DistDb.Tests.Soak.Faults;

/// <summary>Which links a fault is on.</summary>
internal enum LinkReach
{
    PairBothWays,
    PairOneWay,
    AllBothWays,
    AllIncoming,
    AllOutgoing,
}
