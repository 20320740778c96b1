namespace DistDb.Data;

/// <summary>What is asked of whichever node answers.</summary>
/// <param name="Path">Such as <c>/query</c>.</param>
internal sealed record Ask(string Path)
{
    /// <summary>Makes the body, with <c>timeout_ms</c> or without; null for a GET.</summary>
    public Func<int?, ReadOnlyMemory<byte>>? Body { get; init; }

    /// <summary>Whether it may change something; whether it is known to be done then counts.</summary>
    public required bool MayWrite { get; init; }

    /// <summary>What makes a write that is sent again be done once; null for what only reads.</summary>
    public string? Id { get; init; }

    /// <summary>Whether a node's <c>timeout</c> is a reason to go on: true for what merely waits for its turn.</summary>
    public bool WaitsForTurn { get; init; }

    /// <summary>How long all tries may last; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> for no limit.</summary>
    public required TimeSpan Timeout { get; init; }
}
