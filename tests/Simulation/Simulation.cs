using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>
/// A cluster in a world made from one seed. First things go wrong: messages, links, machines, clocks. Then all of them, or a majority and the
/// links among it, are healed, and the cluster must get going: every node's write must reach every node and every node's read must be
/// confirmed, in a bounded time. Last it is left alone, and must stay as it is. Safety is checked after every step (<see cref="SafetyChecker"/>).
/// </summary>
internal sealed class Simulation
{
    /// <summary>How many kinds of faults <see cref="BreakSomething"/> knows.</summary>
    public const int FaultKinds = 9;

    // What nodes ask for at the end has numbers of its own.
    private const long FinalBase = 1_000_000_000;

    private readonly int _seed;
    private readonly Random _random;
    private readonly SimulationParameters _parameters;
    private readonly VirtualClock _clock = new();
    private readonly Trace _trace;
    private readonly SafetyChecker _checker;
    private readonly SimulatedNetwork _network;
    private readonly List<SimulatedNode> _nodes = [];
    private int _crashCount;
    private int _wipeCount;
    private long _asked;
    private long _lastFinalRequest;
    private bool _hasConverged;
    private bool _hasMistake;

    private Simulation(int seed, Sabotage sabotage, TextWriter? all)
    {
        _seed = seed;
        _random = new(seed);
        _parameters = SimulationParameters.Draw(_random);
        _trace = new(_clock, all);
        all?.WriteLine(_parameters);
        var initial = Membership.OfVoters(Enumerable.Range(0, _parameters.NodeCount).Select(i => new NodeId(i)));
        _checker = new(_parameters.TotalCount, initial);
        _network = new(_parameters, _clock, _random, _trace, sabotage, (to, input) => _nodes[to.Value].Receive(input));
        for (var i = 0; i < _parameters.TotalCount; i++)
        {
            var known = i < _parameters.NodeCount ? initial : Membership.Empty;
            _nodes.Add(new(new(i), known, _parameters, _clock, _random, _trace, _checker, _network, _nodes, OnElected, OnVulnerable, sabotage));
        }
    }

    private NodeId AnyNode => new(_random.Next(_nodes.Count));

    private SimulatedNode? Leader => _nodes.Where(n => n.Core?.Role == Role.Leader).MaxBy(n => n.Core!.Term.Value);

    /// <summary>Runs one seed to its end.</summary>
    /// <param name="seed">Decides everything.</param>
    /// <param name="sabotage">What is broken on purpose.</param>
    /// <param name="trace">Gets every event, if given.</param>
    /// <exception cref="SimulationFailedException">Something that Raft promises did not hold.</exception>
    public static SimulationResult Run(int seed, Sabotage sabotage = Sabotage.None, TextWriter? trace = null)
    {
        var simulation = new Simulation(seed, sabotage, trace);
        try
        {
            return simulation.Run();
        }
        catch (Exception e)
        {
            throw new SimulationFailedException(seed, simulation._clock.Step, simulation._trace, e);
        }
    }

    private SimulationResult Run()
    {
        _nodes.ForEach(n => n.Start());
        var end = _parameters.FaultyTime;
        PlanClient(end);
        PlanFault(end);
        if (_parameters.ChangesMembers)
        {
            PlanWish(end);
        }

        RunUntil(() => _clock.Now >= end);
        var healed = Heal();
        if (healed is not null)
        {
            Converge(healed);
            StayQuiet(healed);
        }

        return new(
            _seed,
            _parameters.NodeCount,
            _clock.Step,
            _trace.Hash,
            _checker.LeaderCount,
            _checker.Committed.Value,
            _checker.ReadCount,
            _crashCount,
            _checker.ReplacedCount,
            _nodes.Sum(n => n.SnapshotCount),
            _checker.ChangeCount,
            _wipeCount,
            healed is null ? 1 : 0);
    }

    private void RunUntil(Func<bool> done)
    {
        while (!done())
        {
            _clock.RunNext();
        }
    }

    private long Around(long mean) => _random.NextInt64(1, 2 * mean);

    private void PlanClient(long end) => _clock.After(Around(_parameters.ClientInterval), () =>
    {
        if (_clock.Now < end)
        {
            AskAnything();
            PlanClient(end);
        }
    });

    private void AskAnything()
    {
        var asked = ++_asked;
        var node = _nodes[_random.Next(_nodes.Count)];
        node.Receive(_random.Next(3) == 0 ? new Input.Read(asked) : new Input.Write(asked, IsForwarded: false));
    }

    private void PlanFault(long end) => _clock.After(Around(_parameters.FaultInterval), () =>
    {
        if (_clock.Now < end)
        {
            BreakSomething();
            PlanFault(end);
        }
    });

    private void PlanWish(long end) => _clock.After(Around(_parameters.WishInterval), () =>
    {
        if (_clock.Now < end)
        {
            WishSomething();
            PlanWish(end);
        }
    });

    private void WishSomething()
    {
        if (Leader is { } leader)
        {
            var node = AnyNode;
            var what = leader.Membership.Find(node) is null
                ? MembershipWish.Kind.Add
                : _random.Next(3) == 0 ? MembershipWish.Kind.Demote : MembershipWish.Kind.Remove;
            leader.Receive(new Input.Change(new(what, node)));
        }
    }

    private void BreakSomething()
    {
        // The leader is where it hurts most.
        var victim = _random.Next(2) == 0 && Leader is { } leader ? leader : _nodes[_random.Next(_nodes.Count)];
        switch (_random.Next(3) == 0 ? _parameters.FavouriteFault : _random.Next(FaultKinds))
        {
            case 0 or 1:
                CrashForAWhile(victim);
                break;
            case 2 when _random.Next(4) == 0:
                _nodes.ForEach(n => CrashForAWhile(n));
                break;
            case 2:
                PauseForAWhile(victim);
                break;
            case 3:
                Split();
                break;
            case 4:
                Isolate(victim.Id, hears: _random.Next(3) == 0, speaks: _random.Next(3) == 0);
                break;
            case 5:
                var (from, to) = (AnyNode, AnyNode);
                _trace.Add("cuts to", from, number: to.Value);
                _network.Cut(from, to, isCut: true);
                break;
            case 6:
                _trace.Add("links healed");
                _network.CutNone();
                break;
            case 7:
                victim.Receive(new Input.Transfer(AnyNode));
                break;
            default:
                if (_parameters.ChangesMembers)
                {
                    CrashForAWhile(victim, losesDisk: true);
                }

                break;
        }
    }

    private void OnElected(SimulatedNode leader)
    {
        if (_parameters.ChangesMembers && _random.Next(4) == 0)
        {
            WishSomething();
        }

        if (_network.IsHealthy || _random.Next(100) >= _parameters.LeaderStruckPercent)
        {
            return;
        }

        Strike(leader, _parameters.LeaderLifeMax, () =>
        {
            if (_random.Next(3) == 0)
            {
                Isolate(leader.Id, hears: false, speaks: false);
            }
            else
            {
                CrashForAWhile(leader);
            }
        });
    }

    /// <summary>A node has begun what a crash must not leave half done.</summary>
    private void OnVulnerable(SimulatedNode node)
    {
        if (!_network.IsHealthy && _random.Next(100) < _parameters.VoteStruckPercent)
        {
            Strike(node, _parameters.DiskDelayMax, () => CrashForAWhile(node));
        }
    }

    /// <summary>Something happens to a node soon, unless it crashes or all is healed before.</summary>
    private void Strike(SimulatedNode node, long delayMax, Action action)
    {
        var life = node.Life;
        _clock.After(_random.NextInt64(1, delayMax), () =>
        {
            if (!_network.IsHealthy && node.Life == life)
            {
                action();
            }
        });
    }

    private void CrashForAWhile(SimulatedNode node, bool losesDisk = false)
    {
        if (node.Core is null)
        {
            return;
        }

        _crashCount++;
        node.Crash();
        if (losesDisk && CanDoWithout(node))
        {
            _wipeCount++;
            var isMistaken = !_hasMistake && MayMistakeItself(node);
            _hasMistake |= isMistaken;
            node.Wipe(isMistaken);
        }

        _clock.After(Around(_random.Next(3) == 0 ? _parameters.ElectionTimeoutMax * 2 : 2 * VirtualClock.Tick), () =>
        {
            if (node.Core is null && !_network.IsHealthy)
            {
                node.Start();
            }
        });
    }

    /// <summary>
    /// One node may believe that its cluster is new, as it does where it is misled about the others. That is harmless where they all have its lost log
    /// on record for good, because they know then whom they do not count on. Together with others, or alone in the cluster, it would begin another one.
    /// </summary>
    private bool MayMistakeItself(SimulatedNode node) =>
        _parameters.NodeCount > 1 && node.IsFounder && _checker.Membership.Find(node.Id) is { LogId: not 0 }
        && _nodes.TrueForAll(n => n == node || n.Membership.Members.Count == 0 || n.Membership.Equals(_checker.Membership));

    /// <summary>Whether what a node promised may be forgotten: the others are a majority of every membership that anybody may act on.</summary>
    private bool CanDoWithout(SimulatedNode node) => CanDecide([.. _nodes.Where(n => n != node)], _nodes);

    /// <summary>Whether some nodes are enough to go on, whichever of the memberships that others know is in force in the end.</summary>
    private bool CanDecide(List<SimulatedNode> some, IEnumerable<SimulatedNode> others) =>
        others.Select(n => n.Membership).Append(_checker.Membership).Where(m => m.Members.Count > 0).Distinct()
            .All(m => some.Count(n => SafetyChecker.IsSound(n, m)) > m.Voters.Count() / 2);

    private void PauseForAWhile(SimulatedNode node)
    {
        if (node.IsUp)
        {
            node.Pause();
            _clock.After(Around(_parameters.ElectionTimeoutMax), node.Resume);
        }
    }

    private void Split()
    {
        var sides = _nodes.Select(_ => _random.Next(2)).ToArray();
        _trace.Add("splits into " + string.Join("", sides));
        foreach (var from in _nodes)
        {
            foreach (var to in _nodes)
            {
                _network.Cut(from.Id, to.Id, isCut: sides[from.Id.Value] != sides[to.Id.Value]);
            }
        }
    }

    private void Isolate(NodeId node, bool hears, bool speaks)
    {
        _trace.Add($"isolated, hears {hears}, speaks {speaks}", node);
        foreach (var other in _nodes.Where(n => n.Id != node))
        {
            _network.Cut(other.Id, node, isCut: !hears);
            _network.Cut(node, other.Id, isCut: !speaks);
        }
    }

    /// <summary>
    /// Heals everything or a majority; the rest stays down, or cut off in one direction or both. Returns who was healed, or null where not even
    /// everybody is enough: the cluster removed a voter when another had just lost its disk and nobody knew it yet.
    /// </summary>
    private List<SimulatedNode>? Heal()
    {
        var majority = (_nodes.Count / 2) + 1;
        var count = _random.Next(2) == 0 ? _nodes.Count : _random.Next(majority, _nodes.Count + 1);
        var order = _nodes.ToArray();
        _random.Shuffle(order);

        // Whose last words may still be under way.
        var newest = _nodes.MaxBy(n => (n.Disk.TermAt(n.Disk.LastIndex).Value, n.Disk.LastIndex.Value))!;
        List<SimulatedNode> heard = [newest, .. _nodes.Where(n => n.Core?.Role == Role.Leader)];
        while (count < _nodes.Count && !CanDecide([.. order.Take(count)], [.. heard, .. order.Take(count)]))
        {
            count++;
        }

        var healed = order.Take(count).OrderBy(n => n.Id).ToList();
        if (!CanDecide(healed, [.. heard, .. healed]))
        {
            foreach (var node in _nodes)
            {
                _trace.Add($"is stuck, up to {node.Disk.LastIndex} with members {node.Membership}, sound {SafetyChecker.IsSound(node, node.Membership)}", node.Id);
            }

            return null;
        }

        _trace.Add("healed " + string.Join(' ', healed.Select(n => n.Id)));
        _network.IsHealthy = true;
        _network.CutNone();
        foreach (var node in _nodes)
        {
            node.Resume();
            if (healed.Contains(node))
            {
                if (node.Core is null)
                {
                    node.Start();
                }
            }
            else if (node.Core is not null && _random.Next(3) == 0)
            {
                node.Crash();
            }
            else
            {
                var hears = _random.Next(3) == 0;
                Isolate(node.Id, hears, speaks: !hears && _random.Next(2) == 0);
            }
        }

        return healed;
    }

    /// <summary>Every healed node asks for one write and one read until it gets them, and all must get all.</summary>
    private void Converge(List<SimulatedNode> healed)
    {
        // Nothing of the bad times is under way any more after this.
        var calm = _clock.Now + _parameters.LongDelayMax + (3 * _parameters.ElectionTimeoutMax);

        // With the narrowest window a follower gets one entry in a round trip.
        var catchUp = _nodes.Max(n => n.Disk.LastIndex.Value) * 2 * VirtualClock.Tick;
        var deadline = calm + (40 * _parameters.ElectionTimeoutMax) + catchUp;
        PlanFinalRequests(healed);
        var nextLook = _clock.Now;
        RunUntil(() =>
        {
            if (_clock.Now < nextLook)
            {
                return false;
            }

            nextLook = _clock.Now + VirtualClock.Tick;
            if (_clock.Now > deadline)
            {
                throw new SafetyViolationException("Progress", "a healed majority did not get all its writes and reads done; " + Describe(healed));
            }

            _hasConverged = _clock.Now > calm && HaveConverged(healed);
            return _hasConverged;
        });
    }

    private void PlanFinalRequests(List<SimulatedNode> healed) => _clock.After(_parameters.ElectionTimeoutMax / 2, () =>
    {
        var members = MembersOf(healed);
        foreach (var node in members.Where(n => !n.AppliedCommands.Contains(FinalWrite(n))))
        {
            node.Receive(new Input.Write(FinalWrite(node), IsForwarded: false));
            _lastFinalRequest = _clock.Now;
        }

        foreach (var node in members.Where(n => !n.ReadsDone.Any(r => r > FinalBase)))
        {
            node.Receive(new Input.Read(FinalBase + ++_asked));
        }

        if (!_hasConverged)
        {
            PlanFinalRequests(healed);
        }
    });

    private static long FinalWrite(SimulatedNode node) => FinalBase + node.Id.Value;

    private static bool IsServed(SimulatedNode node) =>
        node.AppliedCommands.Contains(FinalWrite(node)) && node.ReadsDone.Any(r => r > FinalBase);

    /// <summary>Those who belong to the cluster, as its leader says.</summary>
    private List<SimulatedNode> MembersOf(List<SimulatedNode> nodes)
    {
        var membership = nodes.Where(n => n.Core!.Role == Role.Leader).MaxBy(n => n.Core!.Term.Value)?.Membership ?? _checker.Membership;
        return [.. nodes.Where(n => membership.Find(n.Id) is not null)];
    }

    private bool HaveConverged(List<SimulatedNode> healed)
    {
        var members = MembersOf(healed);
        return members.TrueForAll(n => IsServed(n) && !n.HasPendingWrites && members.TrueForAll(o => n.AppliedCommands.Contains(FinalWrite(o))))
            // A request that was asked again before its answer came may still be under way.
            && _clock.Now > _lastFinalRequest + (3 * VirtualClock.Tick)
            && members.TrueForAll(n => n.Applied == members[0].Applied && n.Core!.LastIndex == n.Applied && n.Disk.LastIndex == n.Applied)
            && (!_parameters.ChangesMembers || members.TrueForAll(n => n.Membership.Find(n.Id) is { IsVoter: true, LogId: var logId } && logId == n.LogId));
    }

    /// <summary>Left alone, a healthy majority keeps its leader, writes nothing and says no more than heartbeats.</summary>
    private void StayQuiet(List<SimulatedNode> healed)
    {
        var members = MembersOf(healed);
        var term = members[0].Core!.Term;
        var applied = members[0].Applied;
        var sent = _network.SentCount;
        var time = 4 * _parameters.ElectionTimeoutMax;
        var end = _clock.Now + time;
        RunUntil(() => _clock.Now >= end);
        if (!members.TrueForAll(n => n.Core!.Term == term && n.Core.LastIndex == applied && n.Core.Leader is not null))
        {
            throw new SafetyViolationException("Stability", $"was in term {term} with {applied} entries, now " + Describe(healed));
        }

        // Heartbeats and their answers; whoever is cut off, or does not know that it was removed, asks for votes, and is answered.
        var rounds = (time / SimulationParameters.TickLengthMin / _parameters.Options.HeartbeatTicks) + 2;
        var pairs = _nodes.Count - 1 + (_nodes.Count - members.Count) * _nodes.Count;
        if (_network.SentCount - sent > 2 * rounds * pairs)
        {
            throw new SafetyViolationException("Stability", $"{_network.SentCount - sent} messages in {rounds} heartbeats");
        }
    }

    private static string Describe(List<SimulatedNode> nodes) => string.Join("; ", nodes.Select(n =>
        $"n{n.Id} {n.Core!.Role} of {n.Core.Leader} in term {n.Core.Term}, last {n.Core.LastIndex}, commit {n.Core.CommitIndex}, applied {n.Applied}, members {n.Membership}"));
}
