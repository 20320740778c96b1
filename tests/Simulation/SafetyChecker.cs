using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>
/// Sees everything and checks, after every step of any node, what Raft promises (Raft Figure 3 and what its owner relies on).
/// <para>
/// All checks cost the same however long the logs are: every entry gets a chain hash over itself and everything before it, so that equal hashes
/// at one index mean equal logs up to there.
/// </para>
/// <para>
/// Who counts for a majority is judged by what is known here, where nothing is forgotten: a voter whose disk holds the log that the
/// membership means, or, as long as that names none, one that is not held back.
/// </para>
/// </summary>
internal sealed class SafetyChecker(int nodeCount, Membership initial)
{
    private const string Durability = "Committed entries stay on a majority's disks";

    private readonly NodeView[] _views = [.. Enumerable.Range(0, nodeCount).Select(_ => new NodeView())];
    private readonly Dictionary<Term, NodeId> _leaders = [];
    private readonly Dictionary<(NodeId Voter, ulong LogId, Term Term), NodeId> _votes = [];
    private readonly Dictionary<(LogIndex Index, Term Term), ulong> _entries = [];

    // What configuration entries say, by the chain hash up to each.
    private readonly Dictionary<ulong, Membership> _memberships = [];

    // What was committed: its chain hash, and the term in which it became known. The first stands for index zero.
    private readonly List<(ulong Chain, Term Term)> _committed = [(0, Term.Zero)];

    // What was applied first at each index.
    private readonly List<ulong> _applied = [0];

    /// <summary>The highest index that anybody knows to be committed.</summary>
    public LogIndex Committed => new(_committed.Count - 1);

    /// <summary>The newest configuration that is committed.</summary>
    public Membership Membership { get; private set; } = initial;

    /// <summary>How many configurations were committed.</summary>
    public int ChangeCount { get; private set; }

    public int LeaderCount => _leaders.Count;

    public int ReadCount { get; private set; }

    /// <summary>How many entries were replaced by those of another leader.</summary>
    public int ReplacedCount { get; private set; }

    public void OnStart(SimulatedNode node)
    {
        var view = _views[node.Id.Value];
        view.Commit = node.Core!.CommitIndex;
        view.Term = node.Core.Term;
        view.LedTerm = Term.Zero;
        OnCommit(node);
    }

    /// <summary>The core has taken one input.</summary>
    public void OnStep(SimulatedNode node)
    {
        var core = node.Core!;
        var view = _views[node.Id.Value];
        Check(core.Term >= view.Term, "Terms never go back", $"n{node.Id} went from {view.Term} to {core.Term}");
        view.Term = core.Term;
        Check(core.CommitIndex >= view.Commit, "Commit never goes back", $"n{node.Id} went from {view.Commit} to {core.CommitIndex}");
        view.Commit = core.CommitIndex;
        if (core.Role != Role.Leader)
        {
            return;
        }

        if (view.LedTerm != core.Term)
        {
            OnElected(node, view);
        }

        Check(core.LastIndex >= view.LedTo, "Leader append-only", $"n{node.Id} shortened its log to {core.LastIndex}");
        view.LedTo = core.LastIndex;

        // A leader commits nothing that it has not handed out before, so its view is complete; others are looked at when they are ready.
        OnCommit(node);
    }

    /// <summary>Time passed, at which the core may have done something, or had said that it would not.</summary>
    public void OnTick(SimulatedNode node, bool mayAct)
    {
        Check(mayAct || !node.Core!.HasReady, "Quiet ticks", $"n{node.Id} acts at a tick before the one that was due");
        OnStep(node);
    }

    /// <summary>The core says what must happen.</summary>
    public void OnReady(SimulatedNode node, Ready ready)
    {
        var view = _views[node.Id.Value];
        view.Pending.Clear();
        if (ready.Entries.Count > 0)
        {
            var first = ready.Entries[0].Index;
            Check(
                node.Core!.Role != Role.Leader || first == node.Disk.LastIndex.Next,
                "Leader append-only",
                $"n{node.Id} replaces {first} while it leads term {node.Core.Term}");
            view.PendingFrom = first;
            var chain = view.ChainAt(first.Previous);
            foreach (var entry in ready.Entries)
            {
                chain = Extend(chain, entry);
                view.Pending.Add(chain);
            }

            view.PendingEntries = ready.Entries;
            if (ready.EarlyMessages.Count > 0)
            {
                // Others may see them from now on, even if this node forgets them. A node alone may use a term again that it did not write.
                Register(node, view);
            }
        }

        OnCommit(node);
    }

    /// <summary>What was ready is on the node's disk.</summary>
    public void OnWritten(SimulatedNode node)
    {
        var view = _views[node.Id.Value];
        if (view.Pending.Count == 0)
        {
            return;
        }

        Register(node, view);
        var keep = (int)view.PendingFrom.Value;
        var replaced = view.Durable.Count - keep;
        ReplacedCount += replaced;
        view.Durable.RemoveRange(keep, replaced);
        view.Durable.AddRange(view.Pending);
        view.Pending.Clear();
        if (replaced > 0)
        {
            CheckKept(node);
        }
    }

    /// <summary>The node is gone; what its disk holds now is what it will start with.</summary>
    public void OnCrash(SimulatedNode node)
    {
        var view = _views[node.Id.Value];
        view.Pending.Clear();
        var kept = (int)node.Disk.LastIndex.Value + 1;
        if (kept < view.Durable.Count)
        {
            view.Durable.RemoveRange(kept, view.Durable.Count - kept);
            CheckKept(node);
        }
    }

    /// <summary>The node has a new disk, and what was in the log of that identity is lost.</summary>
    public void OnWiped(SimulatedNode node, ulong logId)
    {
        var view = _views[node.Id.Value];
        view.Lost.Add(logId, [.. view.Durable]);
        view.Durable.Clear();
        view.Durable.Add(0);
        CheckKept(node);
    }

    /// <summary>Whether the node counts in a membership.</summary>
    public static bool IsSound(SimulatedNode node, Membership membership) => membership.Find(node.Id) switch
    {
        { IsVoter: true, LogId: 0 } => !node.IsHeldBack,
        { IsVoter: true, LogId: var logId } => logId == node.LogId,
        _ => false,
    };

    /// <summary>A message leaves the node.</summary>
    public void OnSent(SimulatedNode node, Message message)
    {
        switch (message)
        {
            case RequestVote m:
                OnVote(node, m.Term, m.From);
                break;
            case RequestVoteResponse { Granted: true } m:
                OnVote(node, m.Term, m.To);
                break;
            default:
                break;
        }
    }

    /// <summary>A node's state machine has come to a state, by applying the entry at an index or by a snapshot.</summary>
    public void OnApplied(SimulatedNode node, LogIndex index, ulong state)
    {
        if (index.Value == _applied.Count)
        {
            _applied.Add(state);
        }

        Check(
            index.Value < _applied.Count && _applied[(int)index.Value] == state,
            "State machine safety",
            $"n{node.Id} applied something else up to {index}");
    }

    /// <summary>A snapshot was installed: the node's log begins anew behind it, or is what it was without its beginning.</summary>
    public void OnLogBegins(SimulatedNode node, LogIndex index)
    {
        Check(index <= Committed, "Snapshots hold what is committed", $"n{node.Id} has one up to {index} of {Committed}");
        var durable = _views[node.Id.Value].Durable;
        durable.Clear();
        durable.AddRange(_committed.Take((int)node.Disk.BaseIndex.Value + 1).Select(c => c.Chain));
        foreach (var entry in node.Disk.Entries)
        {
            durable.Add(Extend(durable[^1], entry));
            Check(
                _entries.TryGetValue((entry.Index, entry.Term), out var known) && known == durable[^1],
                "Log matching",
                $"n{node.Id} keeps {entry.Index} of term {entry.Term} behind a snapshot that it does not follow");
        }

        CheckKept(node);
    }

    /// <summary>A read may be answered at <paramref name="index"/>, that was asked for when <paramref name="committed"/> was the last to be known committed.</summary>
    public void OnRead(SimulatedNode node, LogIndex index, LogIndex committed)
    {
        ReadCount++;
        Check(index >= committed, "Linearizable reads", $"n{node.Id} reads at {index}, yet {committed} was known before it asked");
    }

    /// <summary>The chain hash with one more entry.</summary>
    public static ulong Extend(ulong chain, Entry entry)
    {
        const ulong Prime = 1099511628211;
        chain = (chain ^ (ulong)entry.Index.Value) * Prime;
        chain = (chain ^ (ulong)entry.Term.Value) * Prime;
        chain = (chain ^ (ulong)entry.Kind) * Prime;
        foreach (var b in entry.Data.Span)
        {
            chain = (chain ^ b) * Prime;
        }

        return chain;
    }

    private static void Check(bool holds, string property, FormattableString detail)
    {
        if (!holds)
        {
            throw new SafetyViolationException(property, FormattableString.Invariant(detail));
        }
    }

    private void Register(SimulatedNode node, NodeView view)
    {
        foreach (var entry in view.PendingEntries)
        {
            var chain = view.ChainAt(entry.Index);
            if (entry.Kind == EntryKind.Configuration)
            {
                _memberships.TryAdd(chain, MembershipCodec.Decode(entry.Data.Span));
            }

            if (!_entries.TryAdd((entry.Index, entry.Term), chain))
            {
                Check(
                    _entries[(entry.Index, entry.Term)] == chain,
                    "Log matching",
                    $"n{node.Id} has another log up to {entry.Index} of term {entry.Term} than somebody had before");
            }
        }
    }

    private void OnVote(SimulatedNode voter, Term term, NodeId candidate)
    {
        // With a new log, and under its name, it is another voter.
        var vote = (voter.Id, voter.ShownLogId, term);
        _votes.TryAdd(vote, candidate);
        Check(_votes[vote] == candidate, "One vote per term", $"n{voter.Id} voted twice in term {term}");
    }

    private void OnElected(SimulatedNode node, NodeView view)
    {
        var term = node.Core!.Term;
        _leaders.TryAdd(term, node.Id);
        Check(_leaders[term] == node.Id, "Election safety", $"n{node.Id} and n{_leaders[term]} lead term {term}");
        view.LedTerm = term;
        view.LedTo = node.Core.LastIndex;
        var last = _committed.Count - 1;
        while (_committed[last].Term >= term)
        {
            last--;
        }

        CheckComplete(node, new(last));
    }

    private void CheckComplete(SimulatedNode leader, LogIndex index) => Check(
        _views[leader.Id.Value].ChainAt(index) == _committed[(int)index.Value].Chain,
        "Leader completeness",
        $"n{leader.Id} leads term {leader.Core!.Term} without {index}, committed in term {_committed[(int)index.Value].Term}");

    private void OnCommit(SimulatedNode node)
    {
        var view = _views[node.Id.Value];
        var core = node.Core!;
        var before = Committed;
        for (var index = before.Next; index <= core.CommitIndex; index = index.Next)
        {
            _committed.Add((view.ChainAt(index), core.Term));
            if (_memberships.TryGetValue(_committed[^1].Chain, out var membership))
            {
                ChangeCount++;
                Membership = membership;
            }
        }

        Check(
            view.ChainAt(core.CommitIndex) == _committed[(int)core.CommitIndex.Value].Chain,
            "Committed entries agree",
            $"n{node.Id} commits something else up to {core.CommitIndex}");
        if (Committed == before)
        {
            return;
        }

        CheckMajority(node);
        CheckKept(node);
        foreach (var other in node.Cluster.Where(n => n.Core is { Role: Role.Leader } leader && leader.Term > core.Term))
        {
            CheckComplete(other, Committed);
        }
    }

    /// <summary>
    /// What was just committed is on the disks of a majority of the newest membership in the leader's log; or was, on those that were lost
    /// since they confirmed it.
    /// </summary>
    private void CheckMajority(SimulatedNode node)
    {
        if (node.Core!.Role == Role.Leader)
        {
            var membership = node.Core.Membership;
            var holders = node.Cluster.Count(n => membership.IsVoter(n.Id) && (IsSound(n, membership) ? Holds(n) : Held(n, membership)));
            var voters = membership.Voters.Count();
            Check(holders > voters / 2, Durability, $"{Committed} was committed by {holders} of {voters}");
        }
    }

    /// <summary>No majority of the newest membership that is committed could elect a leader without what was committed.</summary>
    private void CheckKept(SimulatedNode node)
    {
        var lacking = node.Cluster.Count(n => IsSound(n, Membership) && !Holds(n));
        var voters = Membership.Voters.Count();
        Check(lacking <= voters / 2, Durability, $"{Committed} is lacking on {lacking} of {voters}");
    }

    private bool Holds(SimulatedNode node) => HoldsCommitted(_views[node.Id.Value].Durable);

    private bool Held(SimulatedNode node, Membership membership) => _views[node.Id.Value].Lost
        .Any(l => membership.Find(node.Id)!.LogId is var logId && (logId == 0 || logId == l.Key) && HoldsCommitted(l.Value));

    private bool HoldsCommitted(List<ulong> log) =>
        log.Count > Committed.Value && log[(int)Committed.Value] == _committed[^1].Chain;

    /// <summary>What is known of one node.</summary>
    private sealed class NodeView
    {
        /// <summary>The chain hashes of what its disk holds; the first stands for index zero.</summary>
        public List<ulong> Durable { get; } = [0];

        /// <summary>What its disk held when it was lost, by the log's identity.</summary>
        public Dictionary<ulong, List<ulong>> Lost { get; } = [];

        /// <summary>Those of what it is about to write, from <see cref="PendingFrom"/> on.</summary>
        public List<ulong> Pending { get; } = [];

        public LogIndex PendingFrom { get; set; }

        public IReadOnlyList<Entry> PendingEntries { get; set; } = [];

        public Term Term { get; set; }

        public LogIndex Commit { get; set; }

        /// <summary>The last term that it was seen to lead since it started.</summary>
        public Term LedTerm { get; set; }

        /// <summary>The end of its log when it was last seen to lead.</summary>
        public LogIndex LedTo { get; set; }

        /// <summary>The chain hash at an index, or a value that no log has where there is none.</summary>
        public ulong ChainAt(LogIndex index)
        {
            if (Pending.Count > 0 && index >= PendingFrom)
            {
                var at = (int)(index - PendingFrom);
                return at < Pending.Count ? Pending[at] : ulong.MaxValue;
            }

            return index.Value < Durable.Count ? Durable[(int)index.Value] : ulong.MaxValue;
        }
    }
}
