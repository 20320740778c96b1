namespace DistDb.Tests.Soak;

/// <summary>What a run is to do.</summary>
internal sealed record SoakOptions
{
    /// <summary>Decides which faults befall whom, and what clients ask. (When exactly, the machine's scheduler has a say in.)</summary>
    public required int Seed { get; init; }

    /// <summary>How long faults are injected.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>It goes on beyond that, for some minutes, until there were so many: on a busy machine each takes longer.</summary>
    public int FaultCountMin { get; init; }

    /// <summary>All nodes, the master included.</summary>
    public int NodeCount { get; init; } = 3;

    /// <summary>Now and then all faults end, so that replicas can be compared: before any object's time in the archive is over.</summary>
    public TimeSpan RoundMax { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The shortest that a fault lasts.</summary>
    public TimeSpan HoldMin { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest.</summary>
    public TimeSpan HoldMax { get; init; } = TimeSpan.FromSeconds(12);

    /// <summary>The longest between two faults of one of the <see cref="FaultsAtOnce"/>.</summary>
    public TimeSpan RestMax { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>So many faults may be under way together.</summary>
    public int FaultsAtOnce { get; init; } = 2;

    /// <summary>Objects of each kind that are in use at any moment.</summary>
    public int LanesPerWorkload { get; init; } = 2;

    /// <summary>Clients that share an object.</summary>
    public int ClientsPerLane { get; init; } = 5;

    /// <summary>Objects whose history is kept after their time, to look at once more later.</summary>
    public int ArchivedPerLane { get; init; } = 40;

    /// <summary>Databases that are there all the time, with objects of every kind in each.</summary>
    public IReadOnlyList<string> Databases { get; init; } = ["main", "second", "third"];

    /// <summary>Databases that come and go with their only object: so many of each kind are there at once, besides one that is in use.</summary>
    public int DatabasesPerLane { get; init; } = 3;

    /// <summary>A mistake that clients make on purpose, to see that it is found.</summary>
    public SoakSabotage Sabotage { get; init; }
}
