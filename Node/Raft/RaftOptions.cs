namespace DistDb.Node.Raft;

/// <summary>The core's limits. Times are in ticks, whose length is the owner's business.</summary>
public sealed record RaftOptions
{
    /// <summary>A leader speaks to every follower at least this often. Default 5 (50 ms with ticks of 10 ms).</summary>
    public int HeartbeatTicks { get; init; } = 5;

    /// <summary>
    /// Least silence of a leader after which a follower calls an election; also how long a vote is refused after a leader was heard,
    /// and how long a leader without a majority goes on. Default 30: six heartbeats, so that two lost ones mean nothing.
    /// Pre-votes, which depose nobody, are asked for after a random time between a heartbeat and this where no leader is known.
    /// </summary>
    public int ElectionTimeoutTicksMin { get; init; } = 30;

    /// <summary>Elections are called after a random time below this (exclusive), so that votes are seldom split (Raft §9.3). Default 60.</summary>
    public int ElectionTimeoutTicksMax { get; init; } = 60;

    /// <summary>Most bytes of entry data in one message, except that one entry always fits. Default 256 KiB: with the window, at most 16 MiB under way to one follower.</summary>
    public int AppendBytesMax { get; init; } = 256 << 10;

    /// <summary>Most messages with entries under way to one follower. Default 64: measured, the window at which a loopback link is full.</summary>
    public int InflightMessagesMax { get; init; } = 64;
}
