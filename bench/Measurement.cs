using DistDb.Tools.Bench;

namespace DistDb.Bench;

/// <summary>One line of the result.</summary>
/// <param name="Operation">What was done.</param>
/// <param name="Through">Which nodes the clients spoke to: <c>leader</c>, <c>follower</c> or <c>all</c>; <c>disk</c> for the sync rate.</param>
/// <param name="Clients">How many at once.</param>
/// <param name="Result">How it went.</param>
/// <param name="WritesPerSync">How many writes shared one wait of the leader's log for its disk; null for what does not write.</param>
/// <param name="WritesPerEntry">How many writes shared one log entry; null for what does not write.</param>
internal sealed record Measurement(
    string Operation, string Through, int Clients, LoadResult Result, double? WritesPerSync = null, double? WritesPerEntry = null);
