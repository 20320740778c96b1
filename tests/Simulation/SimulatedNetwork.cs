using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>Loses, delays, doubles and reorders what nodes say to each other, and can be cut, one direction at a time.</summary>
internal sealed class SimulatedNetwork(
    SimulationParameters parameters, VirtualClock clock, Random random, Trace trace, Sabotage sabotage, Action<NodeId, Input> deliver)
{
    private const long HealthyDelayMax = 300;
    private const int LastWordsMax = 16;

    private readonly bool[,] _cut = new bool[parameters.TotalCount, parameters.TotalCount];
    private readonly long[,] _lastArrival = new long[parameters.TotalCount, parameters.TotalCount];
    private readonly Dictionary<NodeId, Queue<Input.Peer>> _lastWords = [];

    /// <summary>From now on only cut links lose anything, and delays are short.</summary>
    public bool IsHealthy { get; set; }

    /// <summary>How many messages were sent, lost ones too.</summary>
    public long SentCount { get; private set; }

    public void Cut(NodeId from, NodeId to, bool isCut) => _cut[from.Value, to.Value] = isCut;

    /// <summary>Whether the two can talk.</summary>
    public bool IsConnected(NodeId one, NodeId other) => !_cut[one.Value, other.Value] && !_cut[other.Value, one.Value];

    public void CutNone() => Array.Clear(_cut);

    public void Send(NodeId from, NodeId to, Input input)
    {
        SentCount++;
        Remember(from, input);
        if (_cut[from.Value, to.Value] || Chance(parameters.LossPermille))
        {
            return;
        }

        Carry(from, to, input);
        if (Chance(parameters.DuplicationPermille))
        {
            Carry(from, to, input);
        }
    }

    /// <summary>
    /// A node has lost its disk, but not everything that it said with it has arrived: the last of its promises come, perhaps once more, when its new
    /// disk may have been taken in already.
    /// </summary>
    public void DeliverLastWords(NodeId from)
    {
        if (!_lastWords.Remove(from, out var words))
        {
            return;
        }

        foreach (var word in words)
        {
            clock.After(random.NextInt64(1, 4 * parameters.LongDelayMax), () =>
            {
                if (!IsHealthy)
                {
                    trace.Add("hears a lost disk's word", word.Message.To, word.Message);
                    deliver(word.Message.To, word);
                }
            });
        }
    }

    private void Remember(NodeId from, Input input)
    {
        if (!parameters.ChangesMembers || input is not Input.Peer { Message: Answer } word)
        {
            return;
        }

        if (!_lastWords.TryGetValue(from, out var words))
        {
            _lastWords.Add(from, words = []);
        }

        words.Enqueue(word);
        if (words.Count > LastWordsMax)
        {
            words.Dequeue();
        }
    }

    private void Carry(NodeId from, NodeId to, Input input)
    {
        var arrival = clock.Now + Delay();
        if (!parameters.Reorders)
        {
            arrival = Math.Max(arrival, _lastArrival[from.Value, to.Value]);
            _lastArrival[from.Value, to.Value] = arrival;
        }

        if (sabotage == Sabotage.TermsAltered && input is Input.Peer(var message) && Chance(20))
        {
            var altered = message with { Term = new(Math.Max(1, message.Term.Value + random.Next(-1, 2))) };
            trace.Add("altered", message: altered);
            input = new Input.Peer(altered);
        }

        clock.After(arrival - clock.Now, () => deliver(to, input));
    }

    private long Delay()
    {
        if (IsHealthy)
        {
            return random.NextInt64(1, HealthyDelayMax);
        }

        return random.NextInt64(1, Chance(parameters.LongDelayPermille) ? parameters.LongDelayMax : parameters.DelayMax);
    }

    private bool Chance(int permille) => !IsHealthy && random.Next(1000) < permille;
}
