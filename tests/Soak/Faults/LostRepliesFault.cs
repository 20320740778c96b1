using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Faults;

/// <summary>Clients' connections break after their requests have arrived. (Those that reach the nodes directly notice nothing.)</summary>
internal sealed class LostRepliesFault : Fault
{
    public override string Kind => "lost replies";

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        using (arena.Announce(Kind))
        {
            var endings = Enumerable.Range(0, arena.NodeCount).Select(n => arena.ClientLink(n).Begin(new LinkTrouble.LosesReplies())).ToList();
            await HoldAsync(hold, end);
            endings.ForEach(e => e.Dispose());
        }

        return true;
    }
}
