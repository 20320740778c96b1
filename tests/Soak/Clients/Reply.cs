using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Clients;

/// <summary>What became of a request.</summary>
/// <param name="WasSent">False where it is certain that no node has seen it.</param>
/// <param name="Answer">The answer; null where none came.</param>
internal sealed record Reply(bool WasSent, Answer? Answer);
