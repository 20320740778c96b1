using System.Buffers.Binary;
using DistDb.Node.Raft;
using DistDb.Tests.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>
/// A machine with a core, a disk and a state machine: it drives the core as the real owner does, in the order that <see cref="Ready"/> asks for,
/// but every step takes its time, and between any two of them it can crash or be paused.
/// </summary>
internal sealed class SimulatedNode(
    NodeId id,
    Membership initial,
    SimulationParameters parameters,
    VirtualClock clock,
    Random random,
    Trace trace,
    SafetyChecker checker,
    SimulatedNetwork network,
    IReadOnlyList<SimulatedNode> cluster,
    Action<SimulatedNode> elected,
    Action<SimulatedNode> vulnerable,
    Sabotage sabotage)
{
    private const int PendingMax = 64;
    private const long HealthyDiskDelayMax = 200;

    private readonly Queue<Input> _inbox = new();
    private readonly Queue<long> _pending = new();
    private readonly Dictionary<long, LogIndex> _reads = [];

    // What its operator starts it with.
    private Membership _initial = initial;
    private SimulatedManager? _manager;
    private Phase _phase;
    private Ready? _ready;
    private bool _isAwake;
    private bool _isPaused;

    private LogIndex _commitHandedOut;
    private LogIndex _appliedDurably;

    // The state machine's states from the durable one to the newest: a crash goes back to any of them.
    private readonly List<ulong> _states = [0];

    private Snapshot? _kept;
    private Snapshot? _arrived;

    // Stands durably from the first to the last step of an installation; a restart finishes what it names.
    private Snapshot? _installing;
    private bool _isStateReplaced;

    private enum Phase
    {
        Idle,

        /// <summary>Early messages are out, the write is under way.</summary>
        Writing,

        /// <summary>The write is done, the promises are not out yet.</summary>
        Written,
    }

    public NodeId Id => id;

    public IReadOnlyList<SimulatedNode> Cluster => cluster;

    public MemoryLogStore Disk { get; private set; } = new();

    /// <summary>The identity of what is on <see cref="Disk"/>.</summary>
    public ulong LogId { get; private set; } = NewLogId(random);

    /// <summary>The identity that it says it has.</summary>
    public ulong ShownLogId { get; private set; }

    /// <summary>Stands on the disk.</summary>
    public bool IsHeldBack { get; private set; } = parameters.BeginsHeldBack || !initial.IsVoter(id);

    /// <summary>Whether it was started as one of those that begin the cluster.</summary>
    public bool IsFounder => _initial.IsVoter(id);

    public bool HasHistory => Disk.HardState.Term > Term.Zero || Disk.LastIndex > LogIndex.Zero;

    /// <summary>Who belongs to the cluster as far as this node knows, or would if it were up.</summary>
    public Membership Membership => Core?.Membership ?? Disk.LatestMembership ?? _initial;

    /// <summary>Null while the node is down.</summary>
    public RaftNode? Core { get; private set; }

    /// <summary>How often it has crashed; that makes everything void that was planned before.</summary>
    public int Life { get; private set; }

    public LogIndex Applied { get; private set; }

    /// <summary>The state machine's state: the chain hash over everything that was applied.</summary>
    private ulong State => _states[^1];

    /// <summary>How often its state was replaced by a snapshot.</summary>
    public int SnapshotCount { get; private set; }

    /// <summary>The commands that the state machine has seen, for those who wait for one.</summary>
    public HashSet<long> AppliedCommands { get; } = [];

    /// <summary>Reads that were confirmed, for those who wait for one.</summary>
    public HashSet<long> ReadsDone { get; } = [];

    public bool IsUp => Core is not null && !_isPaused;

    /// <summary>Whether clients' writes wait here to be proposed.</summary>
    public bool HasPendingWrites => _pending.Count > 0;

    public void Start()
    {
        if (sabotage == Sabotage.InstallationForgottenAtCrash)
        {
            (_installing, _isStateReplaced) = (null, false);
        }

        if (_installing is { } unfinished)
        {
            ReplaceState(unfinished);
            BeginLogBehind(unfinished);
        }

        ShownLogId = ShownLogId == 0 || sabotage != Sabotage.VoterForgetsAndVotes ? LogId : ShownLogId;
        var isHeldBack = IsHeldBack && ShownLogId == LogId;
        _manager = parameters.ChangesMembers ? new(this, _initial, random, trace, checker, network, sabotage) : null;
        trace.Add("start", id, number: Applied.Value);
        var commit = sabotage == Sabotage.RestartCommitsAll ? Disk.LastIndex : Applied;
        Core = new(id, ShownLogId, _initial, isHeldBack, Disk.HardState, Disk, commit, parameters.Options, new(random.Next()));
        _commitHandedOut = commit;
        checker.OnStart(this);
        PlanTick(random.NextInt64(SimulationParameters.TickLengthMin, SimulationParameters.TickLengthMax + 1), Life);
    }

    /// <summary>Everything is lost that is not on disk; of a write under way either all is there or nothing.</summary>
    public void Crash()
    {
        trace.Add(_phase == Phase.Idle ? "crash" : $"crash while {_phase}", id);
        Life++;
        if (_phase == Phase.Writing && random.Next(2) == 0)
        {
            Write(_ready!);
        }

        Core = null;
        _phase = Phase.Idle;
        _ready = null;
        _isAwake = false;
        _isPaused = false;
        _inbox.Clear();
        _pending.Clear();
        _reads.Clear();
        _kept = null;
        _arrived = null;
        AppliedCommands.Clear();

        // The database's own file may be behind what was applied.
        var kept = new LogIndex(random.NextInt64(_appliedDurably.Value, Applied.Value + 1));
        _states.RemoveRange((int)(kept - _appliedDurably) + 1, (int)(Applied - kept));
        Applied = kept;
        MarkAppliedDurable();
        BreakDisk();
        checker.OnCrash(this);
    }

    /// <summary>
    /// After a crash: the machine comes back with a new disk. It may be started as a founder again as long as another founder remembers that the
    /// cluster exists; otherwise its operator has it join, or it would begin another cluster.
    /// </summary>
    /// <param name="isReleased">Whether it takes its new log for that of a new cluster, by mistake.</param>
    public void Wipe(bool isReleased)
    {
        trace.Add("loses its disk", id);
        var lost = LogId;
        Disk = new();
        LogId = NewLogId(random);
        IsHeldBack = !isReleased;
        _initial = cluster.Any(n => n.IsFounder && n.HasHistory) ? _initial : Membership.Empty;
        Applied = LogIndex.Zero;
        _states.Clear();
        _states.Add(0);
        MarkAppliedDurable();
        (_installing, _isStateReplaced) = (null, false);
        checker.OnWiped(this, lost);
        network.DeliverLastWords(id);
    }

    /// <summary>Its log was found to be new in a new cluster.</summary>
    public void Release()
    {
        IsHeldBack = false;
        Core!.Release();
    }

    /// <summary>As SIGSTOP does: nothing happens here until <see cref="Resume"/>, then everything at once.</summary>
    public void Pause()
    {
        trace.Add("pause", id);
        _isPaused = true;
    }

    public void Resume()
    {
        if (!_isPaused)
        {
            return;
        }

        trace.Add("resume", id);
        _isPaused = false;
        if (_phase == Phase.Written)
        {
            Finish();
        }

        WakeUp();
    }

    /// <summary>Puts an input into the inbox; lost while the node is down.</summary>
    public void Receive(Input input)
    {
        if (Core is not null)
        {
            _inbox.Enqueue(input);
            WakeUp();
        }
    }

    private void PlanTick(long length, int life) => clock.After(length, () =>
    {
        if (life == Life)
        {
            Receive(Input.TimePassed.Instance);
            PlanTick(length, life);
        }
    });

    /// <summary>Plans something for this life and not for the next.</summary>
    private void Plan(long delayMax, Action action)
    {
        var life = Life;
        clock.After(random.NextInt64(1, delayMax), () =>
        {
            if (life == Life)
            {
                action();
            }
        });
    }

    private void WakeUp()
    {
        if (!_isAwake && !_isPaused && _phase == Phase.Idle)
        {
            _isAwake = true;
            Plan(100, Work);
        }
    }

    private void Work()
    {
        _isAwake = false;
        if (_isPaused || _phase != Phase.Idle)
        {
            return;
        }

        if (_isStateReplaced)
        {
            if (Core!.HasReady)
            {
                CarryOut(Core.TakeReady());
                return;
            }

            FinishInstallation(_installing!);
        }

        BeginInstallation();

        // Mostly all that waits, as the real owner does.
        for (var count = random.Next(3) == 0 ? random.Next(1, 4) : _inbox.Count; count > 0 && _inbox.TryDequeue(out var input); count--)
        {
            var role = Core!.Role;
            Take(input);
            checker.OnStep(this);
            if (Core.Role == Role.Leader && role != Role.Leader)
            {
                elected(this);
            }
        }

        Apply();
        Propose();
        if (Core!.HasReady)
        {
            CarryOut(Core.TakeReady());
        }
        else
        {
            CutLog();
            if (HasWork)
            {
                WakeUp();
            }
        }
    }

    private bool HasWork => Core!.HasReady || _inbox.Count > 0 || _isStateReplaced || (_arrived is not null && _installing is null);

    private void Take(Input input)
    {
        switch (input)
        {
            case Input.TimePassed:
                var mayAct = Core!.TicksUntilDue == 1 || Core.HasReady;
                Core.Tick();
                checker.OnTick(this, mayAct);
                _manager?.Tick();
                break;
            case Input.Peer m:
                trace.Add("takes", id, m.Message);
                Core!.Step(Hear(m.Message));
                break;
            case Input.Write m when Core!.Role == Role.Leader:
                if (_pending.Count < PendingMax)
                {
                    _pending.Enqueue(m.Command);
                }

                break;
            case Input.Write m:
                if (!m.IsForwarded && Core!.Leader is { } leader)
                {
                    network.Send(id, leader, m with { IsForwarded = true });
                }

                break;
            case Input.Read m:
                BeginRead(m.Context);
                break;
            case Input.Transfer m:
                trace.Add("transfers to", id, number: m.Target.Value);
                Core!.TransferLeadership(m.Target);
                break;
            case Input.Change m:
                _manager!.Wish(m.Wish);
                break;
            case Input.SnapshotRequest m when _installing is null:
                network.Send(id, m.From, new Input.SnapshotOffer(SnapshotFor(m.MinIndex)));
                break;
            case Input.SnapshotRequest:
                break;
            case Input.SnapshotOffer m:
                Fetch(m.Snapshot);
                break;
            default:
                throw new InvalidOperationException($"{input} has no rule");
        }
    }

    private void BeginRead(long context)
    {
        if (sabotage == Sabotage.ReadsUnconfirmed && Core!.Role == Role.Leader)
        {
            checker.OnRead(this, Core.CommitIndex, checker.Committed);
            ReadsDone.Add(context);
        }
        else if (Core!.RequestRead(context))
        {
            _reads.Add(context, checker.Committed);
        }
    }

    private void Propose()
    {
        if (Core!.Role != Role.Leader)
        {
            _pending.Clear();
        }

        // The real owner has executed a command before it proposes it, so there it is one at a time.
        while (_pending.Count > 0 && _installing is null && (parameters.IsPipelined || Core.LastIndex == Applied))
        {
            var command = _pending.Peek();
            var data = new byte[sizeof(long) + random.Next(100)];
            BinaryPrimitives.WriteInt64LittleEndian(data, command);
            if (!Core.TryPropose(Core.Term, Core.LastIndex.Next, data))
            {
                return;
            }

            _pending.Dequeue();
            trace.Add("proposes", id, number: command);
            checker.OnStep(this);
        }
    }

    private void CarryOut(Ready ready)
    {
        checker.OnReady(this, ready);
        _ready = ready;
        Send(ready.EarlyMessages);
        Send(ready.Messages.Where(LeavesTooEarly));

        if (!ready.MustSync)
        {
            Finish();
            return;
        }

        _phase = Phase.Writing;
        if (ready.HardState is not null)
        {
            vulnerable(this);
        }

        Plan(network.IsHealthy ? HealthyDiskDelayMax : parameters.DiskDelayMax, () =>
        {
            Write(ready);
            _phase = Phase.Written;
            Plan(50, () =>
            {
                if (_phase == Phase.Written && !_isPaused)
                {
                    Finish();
                }
            });
        });
    }

    private void Write(Ready ready)
    {
        trace.Add("writes", id, number: ready.Entries.Count);
        Disk.Write(ready.HardState, ready.Entries);
        checker.OnWritten(this);
    }

    private void Finish()
    {
        var ready = _ready!;
        _ready = null;
        _phase = Phase.Idle;
        Send(ready.Messages.Where(m => !LeavesTooEarly(m)));
        Core!.Advance();
        checker.OnStep(this);
        _commitHandedOut = sabotage == Sabotage.UncommittedApplied ? Disk.LastIndex : LogIndex.Max(_commitHandedOut, ready.CommitIndex);
        if (ready.SnapshotWanted is { } minIndex && Core.Leader is { } leader)
        {
            // Any node will do that has one.
            var giver = random.Next(3) == 0 ? cluster[random.Next(cluster.Count)].Id : leader;
            network.Send(id, giver, new Input.SnapshotRequest(id, minIndex));
        }

        foreach (var read in ready.Reads)
        {
            if (_reads.Remove(read.Context, out var committed))
            {
                trace.Add("reads at", id, number: read.Index.Value);
                checker.OnRead(this, read.Index, committed);
                ReadsDone.Add(read.Context);
            }
        }

        Apply();
        if (!Core.HasReady)
        {
            CutLog();
        }

        if (HasWork)
        {
            WakeUp();
        }
    }

    private void Apply()
    {
        // Applying may fall behind; the next tick comes back to it. And the database cannot be written while it is being replaced.
        if (_installing is not null || random.Next(5) == 0)
        {
            return;
        }

        while (Applied < _commitHandedOut)
        {
            Applied = Applied.Next;
            var entry = Disk[Applied];
            _states.Add(SafetyChecker.Extend(State, entry));
            checker.OnApplied(this, Applied, State);
            if (entry.Kind == EntryKind.Command)
            {
                AppliedCommands.Add(BinaryPrimitives.ReadInt64LittleEndian(entry.Data.Span));
            }
        }

        if (random.Next(10) == 0)
        {
            MarkAppliedDurable();
        }
    }

    private void MarkAppliedDurable()
    {
        _states.RemoveRange(0, _states.Count - 1);
        _appliedDurably = Applied;
    }

    /// <summary>Cuts the log somewhere up to what the state machine holds durably. Only while nothing is handed out to be written.</summary>
    private void CutLog()
    {
        var limit = sabotage == Sabotage.LogCutBeyondDurable ? Applied : _appliedDurably;
        if (_installing is null && limit > Disk.BaseIndex && random.Next(1000) < parameters.CutPermille)
        {
            Disk.CutTo(new(random.NextInt64(Disk.BaseIndex.Value + 1, limit.Value + 1)));
            trace.Add("cuts its log to", id, number: Disk.BaseIndex.Value);
        }
    }

    /// <summary>One that was made before where it will do, as the real owner does.</summary>
    private Snapshot SnapshotFor(LogIndex minIndex)
    {
        if (_kept is null || _kept.Index < minIndex || random.Next(3) == 0)
        {
            var index = sabotage == Sabotage.SnapshotIndexWrong ? Disk.LastIndex : Applied;
            _kept = new(index, Disk.TermAt(index), State, Disk.MembershipAt(index), [.. AppliedCommands], Core!.Term);
        }

        return _kept;
    }

    /// <summary>Takes its time, and the cluster goes on meanwhile.</summary>
    private void Fetch(Snapshot snapshot)
    {
        // Made in a later term: what it holds may never have been in the log of the leader that this node still follows.
        if (snapshot.MadeIn > Disk.HardState.Term)
        {
            return;
        }

        Plan(network.IsHealthy ? HealthyDiskDelayMax : parameters.SnapshotDelayMax, () =>
        {
            _arrived = snapshot;
            WakeUp();
        });
    }

    private void BeginInstallation()
    {
        if (_arrived is not { } snapshot || _installing is not null)
        {
            return;
        }

        _arrived = null;
        if (snapshot.Index <= Applied)
        {
            trace.Add("discards a snapshot", id, number: snapshot.Index.Value);
            return;
        }

        trace.Add("installs a snapshot", id, number: snapshot.Index.Value);
        _installing = snapshot;
        vulnerable(this);
        var delayMax = network.IsHealthy ? HealthyDiskDelayMax : parameters.DiskDelayMax;
        Plan(delayMax, () =>
        {
            ReplaceState(snapshot);
            Plan(delayMax, () =>
            {
                _isStateReplaced = true;
                WakeUp();
            });
        });
    }

    private void ReplaceState(Snapshot snapshot)
    {
        trace.Add("replaces its state", id, number: snapshot.Index.Value);
        Applied = snapshot.Index;
        _states.Add(snapshot.State);
        MarkAppliedDurable();
        AppliedCommands.Clear();
        AppliedCommands.UnionWith(snapshot.Commands);
        checker.OnApplied(this, Applied, State);
    }

    private void FinishInstallation(Snapshot snapshot)
    {
        BeginLogBehind(snapshot);
        Core!.SnapshotInstalled(snapshot.Index);
        _commitHandedOut = LogIndex.Max(_commitHandedOut, snapshot.Index);
        checker.OnStep(this);
    }

    private void BeginLogBehind(Snapshot snapshot)
    {
        trace.Add("begins its log behind", id, number: snapshot.Index.Value);
        if (sabotage == Sabotage.ForeignTailKept)
        {
            Disk.InstallBaseBelow(snapshot.Index, snapshot.Term, snapshot.Membership);
        }
        else
        {
            Disk.InstallBase(snapshot.Index, snapshot.Term, snapshot.Membership);
        }

        (_installing, _isStateReplaced) = (null, false);
        SnapshotCount++;
        checker.OnLogBegins(this, snapshot.Index);
    }

    private bool LeavesTooEarly(Message message) => sabotage switch
    {
        Sabotage.MessagesBeforeWrite => true,
        Sabotage.VotesBeforeWrite => message is RequestVote or RequestVoteResponse,
        _ => false,
    };

    private void Send(IEnumerable<Message> messages)
    {
        foreach (var message in messages)
        {
            checker.OnSent(this, message);
            network.Send(id, message.To, new Input.Peer(Claim(message)));
        }
    }

    private Message Claim(Message message) => (sabotage, message) switch
    {
        (Sabotage.AbstainersCounted, AppendEntriesAccepted m) => m with { MayVote = true },
        (Sabotage.AbstainersCounted, AppendEntriesRejected m) => m with { MayVote = true },
        _ => message,
    };

    private Message Hear(Message message) =>
        sabotage == Sabotage.LostLogsCounted && message is Answer answer && Membership.Find(answer.From) is { LogId: not 0 and var recorded }
            ? answer with { LogId = recorded }
            : message;

    private static ulong NewLogId(Random random) => (ulong)random.NextInt64() | 1;

    private void BreakDisk()
    {
        if (sabotage == Sabotage.HardStateLostAtCrash)
        {
            Disk.ForgetHardState();
        }
        else if (sabotage == Sabotage.SyncedEntriesLostAtCrash && Disk.LastIndex > Applied)
        {
            Disk.DropFrom(Applied.Next);
        }
    }
}
