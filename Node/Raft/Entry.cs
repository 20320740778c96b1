namespace DistDb.Node.Raft;

/// <summary>What an entry is to Raft itself.</summary>
public enum EntryKind : byte
{
    /// <summary>The owner's command, opaque to the core.</summary>
    Command = 0,

    /// <summary>Empty; a leader puts one at the start of its term so that earlier entries can be committed (Raft §5.4.2, §8).</summary>
    NoOp = 1,

    /// <summary>Who belongs to the cluster from here on: <see cref="MembershipCodec"/>'s bytes (thesis §4.1).</summary>
    Configuration = 2,
}

/// <summary>One entry of the log. (Term, Index) identifies it for ever once it is committed.</summary>
/// <param name="Index">Its position.</param>
/// <param name="Term">The term of the leader that created it.</param>
/// <param name="Kind">What <paramref name="Data"/> is.</param>
/// <param name="Data">The bytes; must not be changed by anybody.</param>
public sealed record Entry(LogIndex Index, Term Term, EntryKind Kind, ReadOnlyMemory<byte> Data);
