namespace DistDb.Tests.Support;

/// <summary>What is wrong with a link for a while.</summary>
internal abstract record LinkTrouble
{
    /// <summary>Connections break, and no new ones come about.</summary>
    public sealed record Cut : LinkTrouble;

    /// <summary>Connections stay, but nothing passes, until the end of the trouble; as when packets are lost without a word.</summary>
    public sealed record Stalled : LinkTrouble;

    /// <summary>Everything arrives late.</summary>
    /// <param name="Delay">So much later.</param>
    /// <param name="BytesPerSecond">And no faster than this, in each direction.</param>
    public sealed record Slow(TimeSpan Delay, int BytesPerSecond) : LinkTrouble;

    /// <summary>Requests pass, but a connection breaks as soon as anything is answered on it.</summary>
    public sealed record LosesReplies : LinkTrouble;

    /// <summary>The same for the next reply alone: then it is over.</summary>
    public sealed record LosesNextReply : LinkTrouble;
}
