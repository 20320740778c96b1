namespace DistDb.Node.Transport;

/// <summary>What an acceptor says at the end of the handshake, when it knows who the dialer is.</summary>
/// <param name="Kind">What it comes to.</param>
/// <param name="Reason">Why, as half a sentence for the dialer's operator; empty where the dialer is welcome.</param>
public sealed record PeerVerdict(PeerVerdictKind Kind, string Reason)
{
    public static PeerVerdict Welcome { get; } = new(PeerVerdictKind.Welcome, "");

    public static PeerVerdict Refused(string reason) => new(PeerVerdictKind.Refused, reason);

    public static PeerVerdict Removed(string reason) => new(PeerVerdictKind.Removed, reason);
}

/// <summary>The kinds of <see cref="PeerVerdict"/>, as the byte on the wire.</summary>
public enum PeerVerdictKind : byte
{
    /// <summary>The link stands.</summary>
    Welcome = 0,

    /// <summary>Not as things are; the dialer may try again.</summary>
    Refused = 1,

    /// <summary>The dialer was a member and is none any more: with the log that it has it never will be again.</summary>
    Removed = 2,
}
