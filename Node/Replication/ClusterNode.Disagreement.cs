using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>What happens where an entry of the log did not do the same on all nodes: the majority of the voters decides which files are bad.</summary>
public sealed partial class ClusterNode
{
    /// <summary>Answers take no time where everybody is there; only who waits longer tells it.</summary>
    private const long UndecidedPatienceMs = 2000;

    private readonly ReplayOpinions _opinions;
    private volatile IReadOnlyList<NodeId> _unfitHealers = [];
    private LogIndex? _undecidedTold;

    /// <summary>Whether a disagreement is what closes this node, and so new that it is likely to be over in a moment: not worth an election.</summary>
    private bool IsAboutToBeDecided =>
        _closedBecause is null && _writes.Repair is null
        && _writes.Opinions.Disagreement is { Since: var since } && (DateTimeOffset.UtcNow - since).TotalMilliseconds < UndecidedPatienceMs;

    /// <summary>On the write loop's thread.</summary>
    private void OnDiffered(Disagreement disagreement)
    {
        if (Membership.Voters.Any(v => v != Id))
        {
            LogDiffers(disagreement.Reason);
        }
        else
        {
            // There is no other witness than the log.
            _writes.GiveUpDatabase(disagreement.Reason);
        }
    }

    /// <summary>On the write loop's thread.</summary>
    private void OnOverruled(Disagreement disagreement)
    {
        LogOverruled(disagreement.Index);
        _schedule.Demand(Environment.TickCount64);
    }

    private void SweepOpinions()
    {
        foreach (var question in _opinions.Sweep(Environment.TickCount64))
        {
            switch (question)
            {
                case { Majority: null }:
                    TellUndecided(question);
                    break;
                case { Majority: var majority } when majority == question.Own:
                    _writes.Overrule(question.Index);
                    break;
                default:
                    GiveUpContent(question);
                    break;
            }
        }
    }

    /// <summary>A majority of the voters observed something else than this node.</summary>
    private void GiveUpContent(OpenQuestion question)
    {
        if (_closedBecause is not null)
        {
            return;
        }

        var majority = question.Majority!.Value;
        var what = majority == OwnOpinions.AsRecorded ? "what its leader recorded" : "something else";
        var difference = _writes.Opinions.Disagreement is { } disagreement && disagreement.Index == question.Index
            ? disagreement.Reason
            : $"The content in {_databases.Folder} is bad: entry {question.Index} did not do the same here as on other nodes.";
        var reason = $"{difference} A majority of the voters observed {what}: {question.Judge.Describe()}.";
        _unfitHealers = question.Judge.Opponents(majority);
        Close(reason);
        _writes.GiveUpDatabase(reason);
    }

    /// <summary>Once for each entry.</summary>
    private void TellUndecided(OpenQuestion question)
    {
        if (Environment.TickCount64 - question.SinceMs < UndecidedPatienceMs || _undecidedTold == question.Index)
        {
            return;
        }

        _undecidedTold = question.Index;
        LogUndecided(question.Index, DescribeUndecided(question.Judge));
    }

    private string Describe(Disagreement disagreement) => _opinions.JudgeOf(disagreement.Index) switch
    {
        { Majority: null } judge => DescribeUndecided(judge),
        { Majority: var majority } when majority == disagreement.Observation => "a majority observed the same as this node, which goes on at once.",
        _ => "a majority did not, so the bad file is about to be moved aside.",
    };

    private static string DescribeUndecided(ReplayJudge judge) =>
        $"{judge.Quorum} of {judge.VoterCount} voters must have observed the same, and so far {judge.Describe()}. Nothing was touched. Bring the missing nodes back (one that has fetched a copy since cannot say anything); or stop the node that you believe to be bad, and start it once with --rebuild.";

    [LoggerMessage(EventId = 430, Level = LogLevel.Error, Message = "{Reason} This node serves nobody until the voters have said who is right.")]
    private partial void LogDiffers(string reason);

    [LoggerMessage(EventId = 431, Level = LogLevel.Warning, Message = "A majority observes at entry {Index} the same as this node, so what its leader recorded is wrong; this node goes on, and serves again.")]
    private partial void LogOverruled(LogIndex index);

    [LoggerMessage(EventId = 432, Level = LogLevel.Error, Message = "It is not decided what entry {Index} does; until then strong reads and writes wait: {State}")]
    private partial void LogUndecided(LogIndex index, string state);
}
