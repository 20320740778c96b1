namespace DistDb.Node.Raft;

/// <summary>How a leader comes to be (Raft §5.2, §5.4.1; thesis §3.10, §9.6).</summary>
public sealed partial class RaftNode
{
    // Answers to the pre-vote or the vote under way: who said what.
    private readonly Dictionary<NodeId, bool> _votes = [];

    // Whoever is no voter (any more), by the newest that it knows, or has forgotten what it promised, leaves elections to others.
    private bool MayCampaign => Membership.IsVoter(Id) && MayVote;

    private void StartPreVote()
    {
        Leader = null;
        ShortenElectionTimer();
        if (!MayCampaign)
        {
            return;
        }

        Role = Role.PreCandidate;
        _votes.Clear();
        CountVote(Id, granted: true);
        if (Role != Role.PreCandidate)
        {
            return;
        }

        foreach (var peer in _voters.Where(v => v != Id))
        {
            _messages.Add(new PreVote(Id, peer, Term.Next, _log.LastIndex, _log.LastTerm));
        }
    }

    private void StartElection(bool isTransfer)
    {
        Role = Role.Candidate;
        Leader = null;
        Term = Term.Next;
        VotedFor = Id;
        ResetElectionTimer();
        _votes.Clear();
        CountVote(Id, granted: true);
        if (Role != Role.Candidate)
        {
            return;
        }

        foreach (var peer in _voters.Where(v => v != Id))
        {
            _messages.Add(new RequestVote(Id, peer, Term, _log.LastIndex, _log.LastTerm, isTransfer));
        }
    }

    private void OnPreVote(PreVote m)
    {
        var granted = m.Term > Term && !HearsLeader && MayVote && _log.IsUpToDate(m.LastLogIndex, m.LastLogTerm);
        _messages.Add(new PreVoteResponse(Id, m.From, granted ? m.Term : Term, _logId, granted));
    }

    private void OnPreVoteResponse(PreVoteResponse m)
    {
        // A grant carries the term that was asked for; one from an earlier try asked for another.
        if (Role == Role.PreCandidate && (!m.Granted || m.Term == Term.Next))
        {
            CountVote(m.From, m.Granted);
        }
    }

    private void OnRequestVote(RequestVote m)
    {
        var granted = (VotedFor is null || VotedFor == m.From)
            && Leader is null
            && MayVote
            && _log.IsUpToDate(m.LastLogIndex, m.LastLogTerm);
        if (granted)
        {
            // Also ends a pre-vote of this node's own, whose late grants would disturb the election that it just voted in.
            BecomeFollower(Term, null);
            VotedFor = m.From;
        }

        _messages.Add(new RequestVoteResponse(Id, m.From, Term, _logId, granted));
    }

    private void OnRequestVoteResponse(RequestVoteResponse m)
    {
        if (Role == Role.Candidate)
        {
            CountVote(m.From, m.Granted);
        }
    }

    private void OnTimeoutNow()
    {
        if (Role != Role.Leader && MayCampaign)
        {
            StartElection(isTransfer: true);
        }
    }

    private void CountVote(NodeId voter, bool granted)
    {
        if (!Membership.IsVoter(voter))
        {
            return;
        }

        _votes.TryAdd(voter, granted);
        var majority = Quorum.Size(_voters.Length);
        var grants = _votes.Values.Count(g => g);
        if (grants >= majority)
        {
            if (Role == Role.PreCandidate)
            {
                StartElection(isTransfer: false);
            }
            else
            {
                BecomeLeader();
            }
        }
        else if (_votes.Count - grants >= majority)
        {
            // Lost: wait for the winner, or for the next timeout.
            var wasPreVote = Role == Role.PreCandidate;
            BecomeFollower(Term, null);
            if (wasPreVote)
            {
                ShortenElectionTimer();
            }
        }
    }
}
