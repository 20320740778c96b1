using DistDb.Node.Database;

namespace DistDb.Node.Api.Hrana;

/// <summary>What a client's request to a stream runs under.</summary>
/// <param name="Access">What it may do.</param>
/// <param name="Client">Its IP address.</param>
/// <param name="ShownToken">The token that it showed, or null.</param>
/// <param name="Memory">What its rows are counted on.</param>
/// <param name="Cancellation">Fires when it has gone.</param>
internal sealed record HranaRequest(ClientAccess Access, string Client, string? ShownToken, MemoryShare Memory, CancellationToken Cancellation);
