namespace DistDb.Tests.Overload;

/// <summary>How much is asked of a cluster at once.</summary>
internal sealed record OverloadOptions
{
    /// <summary>Connections, spread over all nodes.</summary>
    public int ConnectionCount { get; init; } = 2000;

    /// <summary>How long they send as fast as they can.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Bytes of text in each write.</summary>
    public int WriteBytes { get; init; } = 100;

    /// <summary>Further arguments for each node.</summary>
    public IReadOnlyList<string> NodeOptions { get; init; } = [];
}
