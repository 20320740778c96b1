namespace DistDb.Tests.Simulation;

/// <summary>What went on in a simulation that found nothing.</summary>
internal sealed record SimulationResult(
    int Seed,
    int NodeCount,
    long StepCount,
    ulong TraceHash,
    int LeaderCount,
    long CommittedCount,
    int ReadCount,
    int CrashCount,
    int ReplacedCount,
    int SnapshotCount,
    int ChangeCount,
    int WipeCount,
    int StuckCount)
{
    /// <summary>The sum of what two runs did; a sum has neither seed nor trace.</summary>
    public static SimulationResult operator +(SimulationResult left, SimulationResult right) => new(
        0,
        left.NodeCount + right.NodeCount,
        left.StepCount + right.StepCount,
        0,
        left.LeaderCount + right.LeaderCount,
        left.CommittedCount + right.CommittedCount,
        left.ReadCount + right.ReadCount,
        left.CrashCount + right.CrashCount,
        left.ReplacedCount + right.ReplacedCount,
        left.SnapshotCount + right.SnapshotCount,
        left.ChangeCount + right.ChangeCount,
        left.WipeCount + right.WipeCount,
        left.StuckCount + right.StuckCount);
}
