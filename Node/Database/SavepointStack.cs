using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>The open savepoints of a transaction by their names, as SQLite keeps them: a name means the latest of that name, in either case.</summary>
internal sealed class SavepointStack
{
    private readonly List<string> _names = [];

    /// <summary>How many are open.</summary>
    public int Count => _names.Count;

    /// <summary>Does what a statement says.</summary>
    /// <param name="control">About a savepoint.</param>
    /// <param name="depth">The position of the savepoint, from 0.</param>
    /// <returns>Why it cannot be done, or null.</returns>
    public Failure? Apply(TransactionControl control, out int depth)
    {
        depth = control.Verb == TransactionVerb.Savepoint
            ? _names.Count
            : _names.FindLastIndex(n => n.Equals(control.Name, StringComparison.OrdinalIgnoreCase));
        if (depth < 0)
        {
            return new(FailureCode.SqlError, $"no such savepoint: {control.Name}", SqliteErrors.Error);
        }

        // Rolling back to a savepoint leaves it open.
        var kept = control.Verb == TransactionVerb.RollbackTo ? depth + 1 : depth;
        _names.RemoveRange(kept, _names.Count - kept);
        if (control.Verb == TransactionVerb.Savepoint)
        {
            _names.Add(control.Name);
        }

        return null;
    }

    public void Clear() => _names.Clear();
}
