namespace DistDb.Tests.Linearizability;

/// <summary>One operation of a history.</summary>
/// <param name="Client">Who did it, for reports.</param>
/// <param name="Call">What was asked and, where it is known, what was answered.</param>
/// <param name="Fate">What the client knows.</param>
/// <param name="Invoked">When it was sent, by a clock that all clients share.</param>
/// <param name="Returned">When it was answered or given up; does not matter where its fate is unknown.</param>
internal sealed record Operation<TCall>(string Client, TCall Call, Fate Fate, long Invoked, long Returned);
