namespace DistDb.Node.Database;

/// <summary>
/// A write from the log had another effect here than its leader recorded. Either this file is not what it must be or the leader's was not;
/// which of the two, a single node cannot tell.
/// </summary>
/// <param name="message">What differed, for an operator.</param>
/// <param name="entry">The log entry; nothing of it is committed here.</param>
/// <param name="ordinal">The write's place in the entry, from 0.</param>
/// <param name="observation">What this node observed there, as <see cref="ObservationDigest"/> sums it up; never 0.</param>
public sealed class ObservationDifferedException(string message, long entry, int ordinal, ulong observation) : Exception(message)
{
    public long Entry { get; } = entry;

    public int Ordinal { get; } = ordinal;

    public ulong Observation { get; } = observation;
}
