namespace DistDb.Node.Commands;

/// <summary>
/// What makes a write an interactive transaction (docs/adr/0018). Its statements ran one by one, and their client has seen what they did, before the entry that holds them was
/// made; so time and chance are those of then. Each of its statements has a savepoint of its own, savepoints of the client's are statements too, and an empty text stands for a
/// statement that failed, which changes nothing but <c>changes()</c>. Statements that only read are left out.
/// </summary>
/// <param name="Transaction">Which it was. On its way to the leader it is all that a commit says; the leader has the rest.</param>
/// <param name="TimeMs">What <c>'now'</c> meant, in milliseconds since 1970 UTC.</param>
/// <param name="Seed">Source of <c>random()</c> and <c>randomblob()</c>, together with a statement's place.</param>
public sealed record InteractiveTerms(Guid Transaction, long TimeMs = 0, ulong Seed = 0)
{
    /// <summary>What stands for a statement that failed.</summary>
    public static Statement Failed { get; } = new("", StatementParameters.None);
}
