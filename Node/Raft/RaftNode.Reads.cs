namespace DistDb.Node.Raft;

/// <summary>
/// Linearizable reads without log entries (thesis §6.4): the leader notes its commit index, lets a majority confirm that it still
/// leads, and whoever has applied that index may then read. One round of heartbeats confirms all reads that came before it.
/// </summary>
public sealed partial class RaftNode
{
    // Reads waiting for their round's majority, oldest first.
    private readonly Queue<PendingRead> _pendingReads = new();

    // Reads that came before this leader had committed anything in its term: until then it may not know what is committed.
    private readonly List<(NodeId From, long Context)> _earlyReads = [];
    private long _readRound;

    /// <summary>
    /// Asks for an index that makes a read linearizable; the answer comes in <see cref="Ready.Reads"/> with <paramref name="context"/>, or never,
    /// when leadership or messages are lost: ask again then. False if no leader is known.
    /// </summary>
    /// <param name="context">
    /// Never the same again, not by another process of this node either: an answer is known by it alone, and an old one that comes late must
    /// not confirm a new read.
    /// </param>
    public bool RequestRead(long context)
    {
        CheckNotBusy();
        if (Role == Role.Leader)
        {
            BeginRead(Id, context);
            return true;
        }

        if (Leader is not { } leader)
        {
            return false;
        }

        _earlyMessages.Add(new ReadIndexRequest(Id, leader, Term, context));
        return true;
    }

    private void OnReadIndexRequest(ReadIndexRequest m)
    {
        if (Role == Role.Leader)
        {
            BeginRead(m.From, m.Context);
        }
    }

    private void BeginRead(NodeId from, long context)
    {
        if (CommitIndex < TermStart)
        {
            _earlyReads.Add((from, context));
            return;
        }

        if (IsSingleVoter)
        {
            AnswerRead(from, context, CommitIndex);
            return;
        }

        _readRound++;
        _pendingReads.Enqueue(new(from, context, CommitIndex, _readRound));
        BroadcastHeartbeat();
    }

    private void ServeReadsOfNewTerm()
    {
        if (_earlyReads.Count == 0 || CommitIndex < TermStart)
        {
            return;
        }

        (NodeId From, long Context)[] waiting = [.. _earlyReads];
        _earlyReads.Clear();
        foreach (var (from, context) in waiting)
        {
            BeginRead(from, context);
        }
    }

    private void ConfirmReads(Progress progress, long round)
    {
        if (progress.MayVote)
        {
            progress.ReadRoundConfirmed = Math.Max(progress.ReadRoundConfirmed, round);
            AnswerConfirmedReads();
        }
    }

    private void AnswerConfirmedReads()
    {
        while (_pendingReads.Count > 0)
        {
            var read = _pendingReads.Peek();
            var confirmed = _voters.Count(v => v == Id || _progress[v].ReadRoundConfirmed >= read.Round);
            if (confirmed < Quorum.Size(_voters.Length))
            {
                return;
            }

            _pendingReads.Dequeue();
            AnswerRead(read.From, read.Context, read.Index);
        }
    }

    private void AnswerRead(NodeId from, long context, LogIndex index)
    {
        if (from == Id)
        {
            _reads.Add(new(context, index));
        }
        else
        {
            _earlyMessages.Add(new ReadIndexResponse(Id, from, Term, context, index));
        }
    }

    private void ForgetReads()
    {
        _pendingReads.Clear();
        _earlyReads.Clear();
        _readRound = 0;
    }

    private readonly record struct PendingRead(NodeId From, long Context, LogIndex Index, long Round);
}
