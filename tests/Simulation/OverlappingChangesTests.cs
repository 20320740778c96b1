using DistDb.Node.Raft;
using DistDb.Tests.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>
/// The fault of single-server membership changes that was found in 2015 (raft-dev, "bug in single-server membership changes"), step by step, since it
/// needs more luck than a thousand random worlds have: two leaders, one after the other, change the same membership, and the majorities of what comes
/// out share no voter.
/// </summary>
public sealed class OverlappingChangesTests
{
    private static readonly NodeId[] _all = [new(0), new(1), new(2), new(3)];

    private readonly Dictionary<NodeId, (RaftNode Core, MemoryLogStore Disk)> _nodes = [];

    public OverlappingChangesTests()
    {
        foreach (var id in _all)
        {
            var disk = new MemoryLogStore();
            disk.Write(new HardState(new(1), null), [TestNode.Configuration(1, 1, TestNode.Voters(4))]);
            var core = new RaftNode(
                id, TestNode.MyLog + (ulong)id.Value, Membership.Empty, false, disk.HardState, disk, new(1), TestNode.DefaultOptions, new(id.Value));
            _nodes.Add(id, (core, disk));
        }
    }

    [Fact]
    public void Without_the_rule_two_leaders_commit_different_entries()
    {
        LetTwoLeadersChange(Sabotage.LeaderSkipsOwnTermBeforeChange).Should().Equal(true, true);

        Elect(_all[0], [0, 1], _ => true);

        var (first, second) = (_nodes[_all[2]], _nodes[_all[0]]);
        first.Core.CommitIndex.Should().BeGreaterThanOrEqualTo(new LogIndex(3));
        second.Core.CommitIndex.Should().BeGreaterThanOrEqualTo(new LogIndex(3));
        first.Disk.TermAt(new(3)).Should().NotBe(second.Disk.TermAt(new(3)), "this is what must never be");
    }

    // Thesis §4.1, as corrected: with it the first leader, which reached nobody, has changed nothing, so nobody elects it any more.
    [Fact]
    public void With_the_rule_only_what_is_committed_goes_on()
    {
        LetTwoLeadersChange(Sabotage.None).Should().Equal(false, true);

        FluentActions.Invoking(() => Elect(_all[0], [0, 1], _ => true)).Should().Throw<InvalidOperationException>();
    }

    /// <summary>Node 0 wants 3 removed and reaches nobody; then node 2 wants 0 removed and reaches 3. Returns whose changes were begun.</summary>
    private bool[] LetTwoLeadersChange(Sabotage sabotage)
    {
        Elect(_all[0], [0, 1, 3], m => m is not AppendEntries);
        var isFirst = CoreTampering.TryProposeMembership(_nodes[_all[0]].Core, TestNode.Voters(4).Without(_all[3]), sabotage);
        Carry([], _ => false);

        Elect(_all[2], [1, 2, 3], m => m is not AppendEntries || sabotage == Sabotage.None);
        var isSecond = CoreTampering.TryProposeMembership(_nodes[_all[2]].Core, TestNode.Voters(4).Without(_all[0]), sabotage);
        for (var i = 0; i < 2 * TestNode.DefaultOptions.HeartbeatTicks; i++)
        {
            _nodes[_all[2]].Core.Tick();
            Carry([2, 3], _ => true);
        }

        return [isFirst, isSecond];
    }

    /// <summary>Lets one node's time pass until it leads a new term.</summary>
    private void Elect(NodeId id, int[] connected, Func<Message, bool> arrives)
    {
        var core = _nodes[id].Core;
        var before = core.Term;
        for (var i = 0; core.Role != Role.Leader || core.Term == before; i++)
        {
            if (i == 20 * TestNode.DefaultOptions.ElectionTimeoutTicksMax)
            {
                throw new InvalidOperationException("It is not elected.");
            }

            core.Tick();
            Carry(connected, arrives);
        }
    }

    /// <summary>Everybody does what its core asks for; of what they say only some arrives.</summary>
    private void Carry(int[] connected, Func<Message, bool> arrives)
    {
        while (_nodes.Values.FirstOrDefault(n => n.Core.HasReady) is { Core: { } core, Disk: var disk })
        {
            var ready = core.TakeReady();
            disk.Write(ready.HardState, ready.Entries);
            core.Advance();
            foreach (var message in ready.EarlyMessages.Concat(ready.Messages))
            {
                if (connected.Contains(message.From.Value) && connected.Contains(message.To.Value) && arrives(message))
                {
                    _nodes[message.To].Core.Step(message);
                }
            }
        }
    }
}
