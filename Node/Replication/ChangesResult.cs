using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;

namespace DistDb.Node.Replication;

/// <summary>What became of asking for a database's changes.</summary>
public abstract record ChangesResult
{
    private ChangesResult()
    {
    }

    /// <summary>What comes next; nothing as long as nothing has changed.</summary>
    public sealed record Read(IReadOnlyList<ChangePiece> Pieces) : ChangesResult;

    /// <summary>Some of what comes next is not kept any more.</summary>
    /// <param name="Oldest">The entry from which it can be followed.</param>
    /// <param name="Failure">The same in words.</param>
    public sealed record Gone(long Oldest, Failure Failure) : ChangesResult;

    /// <summary>There is no such database, or not any more.</summary>
    public sealed record NoDatabase(Failure Failure) : ChangesResult;

    /// <summary>This node cannot tell.</summary>
    public sealed record NotDone(Failure Failure) : ChangesResult;
}
