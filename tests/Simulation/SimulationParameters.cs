using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>What sort of world a seed makes. All times are in units of <see cref="VirtualClock"/>.</summary>
internal sealed record SimulationParameters
{
    /// <summary>How many voters the cluster begins with.</summary>
    public required int NodeCount { get; init; }

    /// <summary>How many nodes wait to be taken in.</summary>
    public required int SpareCount { get; init; }

    /// <summary>Who belongs to the cluster changes, and logs get lost.</summary>
    public required bool ChangesMembers { get; init; }

    /// <summary>Nodes begin with a log that nobody has released.</summary>
    public required bool BeginsHeldBack { get; init; }

    /// <summary>Mean time between two wishes of the operator.</summary>
    public required long WishInterval { get; init; }

    public required RaftOptions Options { get; init; }

    /// <summary>Proposals do not wait for the ones before them, unlike those of the real owner.</summary>
    public required bool IsPipelined { get; init; }

    /// <summary>The network may deliver a later message first.</summary>
    public required bool Reorders { get; init; }

    /// <summary>Of a thousand messages, so many are lost.</summary>
    public required int LossPermille { get; init; }

    /// <summary>Of a thousand messages, so many arrive twice.</summary>
    public required int DuplicationPermille { get; init; }

    /// <summary>Of a thousand messages, so many take up to <see cref="LongDelayMax"/>.</summary>
    public required int LongDelayPermille { get; init; }

    public required long DelayMax { get; init; }

    public required long LongDelayMax { get; init; }

    public required long DiskDelayMax { get; init; }

    /// <summary>Mean time between two actions of clients.</summary>
    public required long ClientInterval { get; init; }

    /// <summary>Mean time between two faults.</summary>
    public required long FaultInterval { get; init; }

    /// <summary>Of a hundred elected leaders, so many are struck before <see cref="LeaderLifeMax"/>: the first moments of a term are the hardest.</summary>
    public required int LeaderStruckPercent { get; init; }

    public required long LeaderLifeMax { get; init; }

    /// <summary>Of a hundred writes of term or vote and installations of snapshots, so many are followed by a crash before they are done, or soon after.</summary>
    public required int VoteStruckPercent { get; init; }

    /// <summary>Of a thousand moments in which a node could cut its log, so many are used.</summary>
    public required int CutPermille { get; init; }

    /// <summary>The longest that a snapshot takes to be fetched.</summary>
    public required long SnapshotDelayMax { get; init; }

    /// <summary>The fault that this world prefers.</summary>
    public required int FavouriteFault { get; init; }

    /// <summary>How long things go wrong before they are healed.</summary>
    public required long FaultyTime { get; init; }

    public int TotalCount => NodeCount + SpareCount;

    /// <summary>The longest election timeout on the slowest clock.</summary>
    public long ElectionTimeoutMax => Options.ElectionTimeoutTicksMax * TickLengthMax;

    /// <summary>Clocks run up to a quarter too slowly or too fast.</summary>
    public static long TickLengthMin => VirtualClock.Tick * 4 / 5;

    /// <inheritdoc cref="TickLengthMin"/>
    public static long TickLengthMax => VirtualClock.Tick * 5 / 4;

    public static SimulationParameters Draw(Random random)
    {
        var heartbeat = random.Next(1, 5);
        var electionMin = heartbeat * random.Next(5, 9);
        var options = new RaftOptions
        {
            HeartbeatTicks = heartbeat,
            ElectionTimeoutTicksMin = electionMin,
            ElectionTimeoutTicksMax = electionMin * 2,
            AppendBytesMax = Pick(random, 1, 64, 400, 1 << 20),
            InflightMessagesMax = Pick(random, 1, 2, 8, 64),
        };
        var electionTime = options.ElectionTimeoutTicksMax * VirtualClock.Tick;
        var changes = random.Next(4) > 0;
        return new()
        {
            NodeCount = Pick(random, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 5, 5, 5, 5, 5, 5, 6, 7),
            SpareCount = changes ? random.Next(3) : 0,
            ChangesMembers = changes,
            BeginsHeldBack = changes && random.Next(2) == 0,
            WishInterval = electionTime * Pick(random, 1, 2, 8) / 2,
            Options = options,
            IsPipelined = random.Next(2) == 0,
            Reorders = random.Next(3) > 0,
            LossPermille = Pick(random, 0, 0, 10, 50, 200),
            DuplicationPermille = Pick(random, 0, 0, 20, 200),
            LongDelayPermille = Pick(random, 0, 10, 50),
            DelayMax = Pick(random, 300, 1000, 2000),
            LongDelayMax = Pick(random, 1, 2, 4) * electionTime,
            DiskDelayMax = Pick(random, 50, 500, 3000),
            ClientInterval = Pick(random, 300, 1000, 4000),
            FaultInterval = electionTime * Pick(random, 1, 3, 6) / 2,
            LeaderStruckPercent = Pick(random, 0, 0, 50, 90),
            LeaderLifeMax = Pick(random, 1, 3, 10) * VirtualClock.Tick,
            VoteStruckPercent = Pick(random, 0, 0, 10, 40),
            CutPermille = Pick(random, 0, 5, 50, 500),
            SnapshotDelayMax = Pick(random, 1000, electionTime, 4 * electionTime),
            FavouriteFault = random.Next(Simulation.FaultKinds),
            FaultyTime = electionTime * random.Next(10, 30),
        };
    }

    private static T Pick<T>(Random random, params ReadOnlySpan<T> choices) => choices[random.Next(choices.Length)];
}
