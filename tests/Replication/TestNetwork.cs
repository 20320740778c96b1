using System.Threading.Channels;
using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>A message on its way.</summary>
internal sealed record Letter(int From, int To, PeerMessage Message)
{
    /// <summary>The Raft message in it, or null.</summary>
    public Message? Raft => (Message as RaftPeerMessage)?.Message;
}

/// <summary>
/// The network between the nodes of a <see cref="TestCluster"/>. In order and at once, unless a rule or a cut says otherwise. Every message
/// passes through the peers' codec, so that nodes share nothing. What a rule holds back outlives the process it was meant for.
/// </summary>
internal sealed class TestNetwork : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<int, Endpoint> _endpoints = [];
    private readonly HashSet<int> _cutOff = [];
    private readonly List<Rule> _rules = [];
    private readonly List<Letter> _sent = [];
    private readonly List<Letter> _delivered = [];
    private readonly Channel<Letter> _underWay = Channel.CreateUnbounded<Letter>();
    private readonly Task _pump;

    public TestNetwork() => _pump = Task.Run(DeliverAsync);

    /// <summary>Everything that nodes sent so far, whatever became of it.</summary>
    public IReadOnlyList<Letter> Sent
    {
        get
        {
            lock (_lock)
            {
                return [.. _sent];
            }
        }
    }

    /// <summary>Everything that nodes have taken in so far.</summary>
    public IReadOnlyList<Letter> Delivered
    {
        get
        {
            lock (_lock)
            {
                return [.. _delivered];
            }
        }
    }

    /// <summary>A node's end, in place of the one that its last process had.</summary>
    public IPeerTransport Connect(int node)
    {
        lock (_lock)
        {
            return _endpoints[node] = new(this, node);
        }
    }

    /// <summary>Where a node would dial another.</summary>
    public string? AddressDialled(int from, int to)
    {
        lock (_lock)
        {
            return _endpoints[from].Peers.GetValueOrDefault(new(to))?.Address.GetLeftPart(UriPartial.Authority);
        }
    }

    /// <summary>The node's process is gone: nothing leaves or reaches it.</summary>
    public void Disconnect(int node)
    {
        lock (_lock)
        {
            _endpoints.Remove(node);
        }
    }

    /// <summary>Cuts nodes off from all others, in both directions.</summary>
    public void CutOff(params ReadOnlySpan<int> nodes)
    {
        lock (_lock)
        {
            foreach (var node in nodes)
            {
                _cutOff.Add(node);
            }
        }
    }

    /// <summary>Ends all cuts and rules; what rules hold is lost.</summary>
    public void Heal()
    {
        lock (_lock)
        {
            _cutOff.Clear();
            _rules.Clear();
        }
    }

    public Rule Drop(Func<Letter, bool> which) => Add(new(this, which, Handling.Drop));

    public Rule Hold(Func<Letter, bool> which) => Add(new(this, which, Handling.Hold));

    public Rule Duplicate(Func<Letter, bool> which) => Add(new(this, which, Handling.Duplicate));

    /// <summary>Delivers a message that no node sent, past all rules and cuts.</summary>
    public void Inject(Letter letter) => _underWay.Writer.TryWrite(letter);

    public void Dispose()
    {
        _underWay.Writer.Complete();
        _pump.GetAwaiter().GetResult();
    }

    private static PeerMessage Copy(Letter letter)
    {
        var writer = new WireWriter();
        PeerMessageCodec.Write(writer, letter.Message);
        return PeerMessageCodec.ReadAll(writer.Written.Span, new(letter.From), new(letter.To)).Single();
    }

    private Rule Add(Rule rule)
    {
        lock (_lock)
        {
            _rules.Add(rule);
            return rule;
        }
    }

    private void Send(Endpoint from, Letter letter)
    {
        lock (_lock)
        {
            if (_endpoints.GetValueOrDefault(letter.From) != from)
            {
                return;
            }

            _sent.Add(letter);
            if (_cutOff.Contains(letter.From) || _cutOff.Contains(letter.To))
            {
                return;
            }

            var rule = _rules.Find(r => r.Which(letter));
            rule?.Matched.Add(letter);
            for (var copies = rule?.Handling switch { null => 1, Handling.Duplicate => 2, _ => 0 }; copies > 0; copies--)
            {
                _underWay.Writer.TryWrite(letter);
            }
        }
    }

    private PeerIdentity? IdentityOf(int from, int to)
    {
        lock (_lock)
        {
            return IsReachable(from, to) ? _endpoints[to].Self?.Invoke() : null;
        }
    }

    private bool IsReachable(int from, int to)
    {
        lock (_lock)
        {
            return _endpoints.ContainsKey(to) && !_cutOff.Contains(from) && !_cutOff.Contains(to);
        }
    }

    private async Task DeliverAsync()
    {
        await foreach (var letter in _underWay.Reader.ReadAllAsync())
        {
            Action<NodeId, PeerMessage>? receive;
            lock (_lock)
            {
                receive = _endpoints.GetValueOrDefault(letter.To)?.Receive;
            }

            if (receive is not null)
            {
                receive(new(letter.From), Copy(letter));
                lock (_lock)
                {
                    _delivered.Add(letter);
                }
            }
        }
    }

    internal enum Handling
    {
        Drop,
        Hold,
        Duplicate,
    }

    /// <summary>What happens to some messages; the oldest rule that matches one decides.</summary>
    internal sealed class Rule(TestNetwork network, Func<Letter, bool> which, Handling handling) : IDisposable
    {
        public Func<Letter, bool> Which { get; } = which;

        public Handling Handling { get; } = handling;

        public List<Letter> Matched { get; } = [];

        /// <summary>How many messages it was applied to.</summary>
        public int Count
        {
            get
            {
                lock (network._lock)
                {
                    return Matched.Count;
                }
            }
        }

        /// <summary>Ends the rule.</summary>
        public void Remove()
        {
            lock (network._lock)
            {
                network._rules.Remove(this);
            }
        }

        public void Dispose() => Remove();

        /// <summary>Ends the rule and delivers, in order, what it held or dropped.</summary>
        public void Release()
        {
            lock (network._lock)
            {
                network._rules.Remove(this);
                foreach (var letter in Matched)
                {
                    network._underWay.Writer.TryWrite(letter);
                }
            }
        }
    }

    private sealed class Endpoint(TestNetwork network, int self) : IPeerTransport
    {
        public Action<NodeId, PeerMessage>? Receive { get; private set; }

        public Func<PeerIdentity>? Self { get; private set; }

        public IReadOnlyCollection<NodeId> Guests => [];

        public Action<string>? Expelled { get; set; }

        public void Introduce(Func<PeerIdentity> self, Action<NodeId, PeerMessage> receive) => (Self, Receive) = (self, receive);

        public IReadOnlyDictionary<NodeId, PeerRecord> Peers { get; private set; } = new Dictionary<NodeId, PeerRecord>();

        public void SetPeers(IReadOnlyDictionary<NodeId, PeerRecord> peers, IReadOnlyDictionary<NodeId, ulong> removed)
        {
            lock (network._lock)
            {
                Peers = peers;
            }
        }

        public PeerIdentity? IdentityOf(NodeId peer) => network.IdentityOf(self, peer.Value);

        public void Send(NodeId peer, PeerMessage message) => network.Send(this, new(self, peer.Value, message));

        public LinkState StateOf(NodeId peer) => new(network.IsReachable(self, peer.Value), null, null, network.IdentityOf(self, peer.Value));

        public long PartCountOf(NodeId peer) => 0;
    }
}
