namespace DistDb.Node.Database.Changes;

/// <summary>What a database has for somebody who follows its changes.</summary>
/// <param name="Pieces">What comes next, in order; as much as was asked for.</param>
/// <param name="GoneUpTo">Null, or, where some of what comes next is not there any more: the entry from which it can be followed.</param>
/// <param name="IsOff">Whether no changes are kept, as of the last write.</param>
public sealed record ChangeReading(IReadOnlyList<ChangePiece> Pieces, long? GoneUpTo, bool IsOff);
