using System.Globalization;
using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>
/// What happened, in order: a hash of all of it, the text of the last events, and on demand the text of every event. Events are kept
/// as values and become text only when somebody reads them, because nearly nobody does.
/// </summary>
internal sealed class Trace(VirtualClock clock, TextWriter? all)
{
    private const int Kept = 200;
    private const ulong HashPrime = 1099511628211;

    private readonly Queue<TraceEvent> _last = new();

    /// <summary>FNV-1a over every event so far; the same seed gives the same hash in every process.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    public void Add(string what, NodeId? node = null, Message? message = null, long number = 0)
    {
        foreach (var c in what)
        {
            Mix(c);
        }

        Mix(clock.Now);
        Mix(node?.Value ?? -1);
        Mix(number);
        if (message is not null)
        {
            MixMessage(message);
        }

        var happened = new TraceEvent(clock.Step, clock.Now, what, node, message, number);
        if (_last.Count == Kept)
        {
            _last.Dequeue();
        }

        _last.Enqueue(happened);
        all?.WriteLine(happened);
    }

    /// <summary>The last events, oldest first.</summary>
    public override string ToString() => string.Join('\n', _last);

    private void Mix(long value) => Hash = (Hash ^ (ulong)value) * HashPrime;

    private void MixMessage(Message message)
    {
        Mix(message.From.Value);
        Mix(message.To.Value);
        foreach (var c in Describe(message))
        {
            Mix(c);
        }
    }

    private static string Describe(Message message)
    {
        var fields = message switch
        {
            RequestVote m => $"last={m.LastLogIndex}@{m.LastLogTerm}{(m.IsTransfer ? " transfer" : "")}",
            RequestVoteResponse m => m.Granted ? "granted" : "refused",
            PreVote m => $"last={m.LastLogIndex}@{m.LastLogTerm}",
            PreVoteResponse m => m.Granted ? "granted" : "refused",
            AppendEntries m => $"prev={m.PrevLogIndex}@{m.PrevLogTerm} +{m.Entries.Count} commit={m.LeaderCommit} round={m.ReadRound}",
            AppendEntriesAccepted m => $"match={m.MatchIndex} round={m.ReadRound}",
            AppendEntriesRejected m => $"prev={m.PrevLogIndex} hint={m.HintIndex}@{m.HintTerm} round={m.ReadRound}",
            InstallSnapshot m => $"base={m.BaseIndex} round={m.ReadRound}",
            ReadIndexRequest m => $"context={m.Context}",
            ReadIndexResponse m => $"context={m.Context} index={m.Index}",
            _ => "",
        };
        return string.Create(
            CultureInfo.InvariantCulture, $"{message.GetType().Name} {message.From}->{message.To} term={message.Term} {fields}");
    }

    private readonly record struct TraceEvent(long Step, long Time, string What, NodeId? Node, Message? Message, long Number)
    {
        public override string ToString()
        {
            var node = Node is { } id ? $"n{id} " : "";
            var message = Message is null ? "" : " " + Describe(Message);
            var number = Number == 0 ? "" : $" {Number}";
            return string.Create(
                CultureInfo.InvariantCulture, $"#{Step} t={(double)Time / VirtualClock.Tick:F3} {node}{What}{message}{number}");
        }
    }
}
