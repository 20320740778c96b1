namespace DistDb.Tests.Soak.Faults;

/// <summary>
/// A node's clock jumps, forward or back, by minutes to hours, and back again. Never by so much that ids of writes are forgotten (after 24
/// hours), which clients that send a write again rely on.
/// </summary>
internal sealed class ClockFault : Fault
{
    private const double HoursMax = 6;
    private const double HoursMin = 1.0 / 60;

    public override string Kind => "clock jump";

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        var node = random.Next(arena.NodeCount);
        var hours = HoursMin * Math.Pow(HoursMax / HoursMin, random.NextDouble()) * (random.Next(2) == 0 ? 1 : -1);
        var offset = TimeSpan.FromHours(hours);
        using (arena.Announce($"{Kind} of node {node} by {offset}"))
        {
            arena.SetClock(node, offset);
            await HoldAsync(hold, end);
            arena.SetClock(node, TimeSpan.Zero);
        }

        return true;
    }
}
