using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>What the sender of a write is allowed to do.</summary>
/// <param name="MaySchema">True where the write carries the master's authority, so that it may change the schema.</param>
/// <param name="Role">What the client may do.</param>
/// <param name="ResultBytesMax">For how many bytes of result rows it has memory set apart.</param>
public readonly record struct WriteRights(bool MaySchema, TokenRole Role = TokenRole.Admin, long ResultBytesMax = long.MaxValue)
{
    /// <summary>What it did when its client was answered, where it is an interactive transaction: should it do anything else now, it is not done.</summary>
    public WriteObservation? Expected { get; init; }
}
