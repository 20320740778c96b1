using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Threading.Channels;
using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>
/// Who may talk with this node, and which links that takes. One rule serves members and newcomers alike: whoever is authenticated and compatible,
/// and is a peer, or is joining, or meets a node that is joining, may talk. Peers are dialled at the addresses that the owner gave. Others, the guests,
/// are dialled at the address that they gave themselves, for as long as their own link lasts, so that they can be answered. A joining node
/// also dials hosts, addresses of which it does not know who is there; whoever answers is a guest too. Thread safe.
/// </summary>
internal sealed partial class PeerDirectory(PeerTransportOptions options, ILogger logger)
{
    private readonly Lock _lock = new();
    private readonly ILogger _logger = logger;
    private readonly LogThrottle _throttle = new(TimeProvider.System);
    private readonly ConcurrentDictionary<NodeId, PeerContact> _contacts = new();
    private readonly Dictionary<NodeId, IncomingLink> _incoming = [];
    private readonly Dictionary<Uri, PeerLink> _hosts = [];
    private readonly Channel<PeerLink> _started = Channel.CreateUnbounded<PeerLink>();
    private FrozenDictionary<NodeId, PeerRecord> _peers = FrozenDictionary<NodeId, PeerRecord>.Empty;
    private FrozenDictionary<NodeId, ulong> _removed = FrozenDictionary<NodeId, ulong>.Empty;
    private bool _isJoining;
    private volatile FrozenDictionary<NodeId, PeerLink> _links = FrozenDictionary<NodeId, PeerLink>.Empty;
    private int _isExpelled;

    /// <summary>This node as it is now.</summary>
    public Func<PeerIdentity> Self { get; set; } = () => throw new InvalidOperationException("The transport was not introduced to its node.");

    /// <summary>See <see cref="IPeerTransport.Expelled"/>.</summary>
    public Action<string>? Expelled { get; set; }

    /// <summary>Links that wait to be run, each once.</summary>
    public ChannelReader<PeerLink> Started => _started.Reader;

    /// <summary>See <see cref="IPeerTransport.Guests"/>.</summary>
    public IReadOnlyCollection<NodeId> Guests
    {
        get
        {
            lock (_lock)
            {
                var linked = _links.Where(l => l.Value.IsToHost && l.Value.IsConnected).Select(l => l.Key);
                return [.. _incoming.Keys.Union(linked).Where(id => !_peers.ContainsKey(id)).Order()];
            }
        }
    }

    /// <summary>The link to a peer or guest; null where there is none. Takes no lock: every message passes here.</summary>
    public PeerLink? LinkTo(NodeId peer) => _links.GetValueOrDefault(peer);

    public PeerContact ContactOf(NodeId peer) => _contacts.GetOrAdd(peer, _ => new());

    /// <summary>See <see cref="IPeerTransport.SetPeers"/>.</summary>
    public void SetPeers(IReadOnlyDictionary<NodeId, PeerRecord> peers, IReadOnlyDictionary<NodeId, ulong> removed)
    {
        var isJoining = Self().IsJoining;
        lock (_lock)
        {
            if (isJoining == _isJoining && AreEqual(peers, _peers) && AreEqual(removed, _removed))
            {
                return;
            }

            _peers = peers.ToFrozenDictionary();
            _removed = removed.ToFrozenDictionary();
            _isJoining = isJoining;
            Update();
        }
    }

    /// <summary>A node has dialled and proved who it is. Where it is welcome, its link counts from here to <see cref="Leave"/>.</summary>
    /// <param name="self">This node, as it told the other.</param>
    /// <param name="link">The node's link.</param>
    public PeerVerdict Admit(PeerIdentity self, IncomingLink link)
    {
        IncomingLink? previous;
        lock (_lock)
        {
            var verdict = PeerIdentity.Incompatibility(self, link.Identity) is { } reason ? PeerVerdict.Refused(reason) : Judge(link.Identity);
            if (verdict.Kind == PeerVerdictKind.Welcome && !_peers.ContainsKey(link.Peer)
                && _incoming.Keys.Count(id => id != link.Peer && !_peers.ContainsKey(id)) >= options.GuestsMax)
            {
                verdict = PeerVerdict.Refused($"{options.GuestsMax} nodes that are no members are linked already");
            }

            if (verdict.Kind != PeerVerdictKind.Welcome)
            {
                return verdict;
            }

            // The node dialled again, so its old link is dead, noticed or not.
            previous = _incoming.GetValueOrDefault(link.Peer);
            previous?.End();
            _incoming[link.Peer] = link;
            ContactOf(link.Peer).Identity = link.Identity;
            Update();
            LinkTo(link.Peer)?.Hurry();
        }

        if (previous?.Identity is { } other && (other.LogId != link.Identity.LogId || other.Address != link.Identity.Address))
        {
            ReportTwins(other, link.Identity);
        }

        return PeerVerdict.Welcome;
    }

    /// <summary>An incoming link has ended.</summary>
    public void Leave(IncomingLink link)
    {
        lock (_lock)
        {
            if (_incoming.GetValueOrDefault(link.Peer) == link)
            {
                _incoming.Remove(link.Peer);
                Update();
            }
        }
    }

    /// <summary>An outgoing link has reached a node that proved who it is. False if the link is not needed.</summary>
    /// <exception cref="PeerRefusedException">It is not the node that belongs there.</exception>
    public bool Meet(PeerLink link, PeerIdentity identity)
    {
        var met = new NodeId(identity.Node);
        if (!link.IsToHost)
        {
            return met == link.Peer
                ? true
                : throw new PeerRefusedException($"node {met} answers at {link.Authority}, where node {link.Peer} is expected; check the addresses");
        }

        lock (_lock)
        {
            var other = _links.GetValueOrDefault(met);
            if (!_isJoining || _peers.ContainsKey(met) || (other is not null && other != link && other.IsConnected))
            {
                return false;
            }

            if (other != link)
            {
                other?.End();
                _links = _links.Where(l => l.Key != met).Append(new(met, link)).ToFrozenDictionary();
            }

            return true;
        }
    }

    /// <summary>An outgoing link stands. Where the member itself is at its end, another process under its name goes.</summary>
    public void Reached(PeerLink link)
    {
        var identity = link.Identity!;
        var id = new NodeId(identity.Node);
        lock (_lock)
        {
            ContactOf(id).Identity = identity;
            if (_incoming.TryGetValue(id, out var incoming) && TakenPlace(incoming.Identity) is not null)
            {
                _incoming.Remove(id);
                incoming.End();
            }
        }
    }

    /// <summary>A link to a host, to whomever it went, is broken.</summary>
    public void Lose(PeerLink link)
    {
        lock (_lock)
        {
            if (_links.Values.Contains(link))
            {
                _links = _links.Where(l => l.Value != link).ToFrozenDictionary();
                Update();
            }
        }
    }

    /// <summary>A member says that this node was removed.</summary>
    public void Expel(string reason)
    {
        if (Interlocked.Exchange(ref _isExpelled, 1) == 0)
        {
            Expelled?.Invoke(reason);
        }
    }

    /// <summary>Logs why a link was refused, once a minute for each reason.</summary>
    public void ReportRefusal(string remote, string reason)
    {
        if (_throttle.IsDue(reason))
        {
            LogRefused(remote, reason);
        }
    }

    private static bool AreEqual<TValue>(IReadOnlyDictionary<NodeId, TValue> left, FrozenDictionary<NodeId, TValue> right) =>
        left.Count == right.Count
        && left.All(pair => right.TryGetValue(pair.Key, out var value) && EqualityComparer<TValue>.Default.Equals(pair.Value, value));

    private static Uri? ParseAddress(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) ? uri : null;

    /// <summary>
    /// The refusal of a process that comes under a member's id with another log than the one on record, while the process that has that log stands at
    /// the member's address; else null. Whoever lost its log comes back when its old process is gone.
    /// </summary>
    private PeerVerdict? TakenPlace(PeerIdentity other) =>
        _peers.TryGetValue(new(other.Node), out var known)
        && known.LogId != other.LogId
        && _links.GetValueOrDefault(new(other.Node))?.Identity is { } member
        && member.LogId == known.LogId
            ? PeerVerdict.Refused($"another process runs as node {other.Node} at {known.Address.GetLeftPart(UriPartial.Authority)}, with the log that the cluster knows; start this one with an id of its own, or stop that one first if this is to take its place")
            : null;

    /// <summary>Whether a node may talk with this one as things are.</summary>
    private PeerVerdict Judge(PeerIdentity other)
    {
        var id = new NodeId(other.Node);
        if (_peers.ContainsKey(id))
        {
            return TakenPlace(other) ?? PeerVerdict.Welcome;
        }

        if (_removed.TryGetValue(id, out var logId) && logId == other.LogId)
        {
            return PeerVerdict.Removed($"node {id} was removed from this cluster");
        }

        // Also whoever is of the same cluster, though this node does not know it as a member: it may have been taken in since, and may lead.
        var self = Self();
        var isOfOurs = other.ClusterId != Guid.Empty && (other.ClusterId == self.ClusterId || self.ClusterId == Guid.Empty);
        if (!other.IsJoining && !_isJoining && !isOfOurs)
        {
            return PeerVerdict.Refused($"node {id} is not a member of this cluster; start it with --join to have it taken in");
        }

        return ParseAddress(other.Address) is null
            ? PeerVerdict.Refused($"node {id} gives \"{other.Address}\" as its address, at which it cannot be reached")
            : PeerVerdict.Welcome;
    }

    /// <summary>Where a node is to be dialled; null if it is neither a peer nor a guest.</summary>
    private Uri? AddressOf(NodeId id) =>
        _peers.TryGetValue(id, out var peer) ? peer.Address
        : _incoming.TryGetValue(id, out var link) ? ParseAddress(link.Identity.Address)
        : null;

    /// <summary>Ends the links that are not wanted any more, and starts those that are missing.</summary>
    private void Update()
    {
        foreach (var link in _incoming.Values.Where(l => Judge(l.Identity).Kind != PeerVerdictKind.Welcome).ToList())
        {
            _incoming.Remove(link.Peer);
            link.End();
        }

        var links = new Dictionary<NodeId, PeerLink>();
        foreach (var (id, link) in _links)
        {
            if (link.IsToHost ? _isJoining && !_peers.ContainsKey(id) : AddressOf(id) == link.Address)
            {
                links.Add(id, link);
            }
            else
            {
                link.End();
            }
        }

        foreach (var id in _peers.Keys.Concat(_incoming.Keys).Where(id => !links.ContainsKey(id)).ToHashSet())
        {
            links.Add(id, Start(id, AddressOf(id)!));
        }

        _links = links.ToFrozenDictionary();
        UpdateHosts();
    }

    private void UpdateHosts()
    {
        foreach (var (address, link) in _hosts.ToList())
        {
            if (!_isJoining || link.IsEnded)
            {
                _hosts.Remove(address);
                link.End();
            }
        }

        if (_isJoining)
        {
            foreach (var address in options.Hosts)
            {
                if (!_hosts.ContainsKey(address))
                {
                    _hosts.Add(address, Start(null, address));
                }
            }
        }
    }

    private PeerLink Start(NodeId? peer, Uri address)
    {
        var link = new PeerLink(peer, address, options, this, _logger);
        _started.Writer.TryWrite(link);
        return link;
    }

    private void ReportTwins(PeerIdentity old, PeerIdentity now)
    {
        if (_throttle.IsDue($"twins of node {now.Node}"))
        {
            LogTwins(now.Node, now.Address, now.LogId == old.LogId ? "the same" : "another", old.Address);
        }
    }

    [LoggerMessage(EventId = 303, Level = LogLevel.Warning, Message = "Refused a peer link from {Remote}: {Reason}.")]
    private partial void LogRefused(string remote, string reason);

    [LoggerMessage(EventId = 305, Level = LogLevel.Warning, Message = "Node {Node} has come from {Address} with {Which} log while a link from {OldAddress} stood. If two processes run as node {Node}, by a copied folder or a mistyped id, stop one of them.")]
    private partial void LogTwins(int node, string address, string which, string oldAddress);
}
