using DistDb.Node.Replication;

namespace DistDb.Node.Api.Hrana;

/// <summary>A transaction of the native API, kept for a while after its end so that a client whose answer was lost can ask again.</summary>
/// <param name="transaction">The transaction.</param>
/// <param name="token">The name of the client's token, or null.</param>
internal sealed class NativeTransaction(ClientTransaction transaction, string? token)
{
    public Guid Id { get; } = Guid.NewGuid();

    public ClientTransaction Transaction { get; } = transaction;

    public string? Token { get; } = token;

    /// <summary>Held by the request that uses it.</summary>
    public SemaphoreSlim Gate { get; } = new(1);

    /// <summary>The entry of its commit; null where it was not committed.</summary>
    public long? CommittedIndex { get; set; }

    public bool IsRolledBack { get; set; }

    public long UsedAtMs { get; set; } = Environment.TickCount64;
}
