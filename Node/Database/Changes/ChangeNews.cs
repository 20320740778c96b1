using System.Collections.Concurrent;

namespace DistDb.Node.Database.Changes;

/// <summary>Wakes those who follow a database's changes when there may be some. Thread safe.</summary>
internal sealed class ChangeNews
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new(StringComparer.Ordinal);

    /// <summary>Completes with the next news of a database. Asked for before its changes are read, it misses none.</summary>
    public Task Next(string database) => _waiting.GetOrAdd(database, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Tell(string database)
    {
        if (_waiting.TryRemove(database, out var waiting))
        {
            waiting.SetResult();
        }
    }

    /// <summary>Something happened to all of them.</summary>
    public void TellAll()
    {
        foreach (var database in _waiting.Keys)
        {
            Tell(database);
        }
    }
}
