using DistDb.Tests.Soak.Clients;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>Gives a lane's objects a database.</summary>
internal interface IHousing
{
    /// <summary>Objects whose history is kept after their time, to look at once more later.</summary>
    int ArchivedMax { get; }

    /// <summary>Finds a new object a database, which has the tables that it needs.</summary>
    /// <param name="client">Who asks for it.</param>
    /// <param name="key">The object's.</param>
    /// <param name="schema">Makes the tables.</param>
    /// <returns>The database's name.</returns>
    /// <exception cref="OperationCanceledException">Something was found meanwhile.</exception>
    Task<string> MoveInAsync(SoakClient client, long key, IReadOnlyList<string> schema);

    /// <summary>Removes an object.</summary>
    /// <param name="client">Who asks for it.</param>
    /// <param name="old">The object.</param>
    /// <param name="removal">Removes its rows.</param>
    /// <exception cref="OperationCanceledException">Something was found meanwhile.</exception>
    Task MoveOutAsync(SoakClient client, SoakObject old, SqlRequest removal);
}
