using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>Node 0's view of where node 1 is.</summary>
public sealed class MemberDirectoryTests
{
    private readonly Recorder _transport = new();

    [Fact]
    public void At_first_the_command_line_counts()
    {
        var directory = Create(given: null);
        directory.Update(Membership.OfVoters([new(0), new(1)]), isCommitted: true, isNews: false);
        _transport.Called.Should().Be("http://127.0.0.1:8081/");
        directory.AddressOf(new(1)).Should().Be("http://127.0.0.1:8081");
        directory.Peers.Should().Equal(new NodeId(1));
    }

    [Fact]
    public void What_the_log_records_counts_more_than_the_default()
    {
        var directory = Create(given: null);
        directory.Update(Recorded("http://recorded"), isCommitted: true, isNews: false);
        _transport.Called.Should().Be("http://recorded/");
    }

    [Fact]
    public void What_was_given_counts_more_than_what_was_recorded_before()
    {
        var directory = Create(given: "http://given");
        directory.Update(Recorded("http://recorded"), isCommitted: true, isNews: false);
        _transport.Called.Should().Be("http://given/");
        directory.AddressOf(new(1)).Should().Be("http://recorded", "this is what clients should use");
    }

    [Fact]
    public void A_move_that_is_recorded_while_the_node_runs_counts_most()
    {
        var directory = Create(given: "http://given");
        directory.Update(Recorded("http://recorded"), isCommitted: true, isNews: false);
        directory.Update(Recorded("http://moved"), isCommitted: false, isNews: true);
        _transport.Called.Should().Be("http://moved/");
        directory.AddressOf(new(1)).Should().Be("http://moved");
    }

    [Fact]
    public void The_first_record_is_no_move()
    {
        var directory = Create(given: "http://given");
        directory.Update(Membership.OfVoters([new(0), new(1)]), isCommitted: true, isNews: false);
        directory.Update(Recorded("http://recorded"), isCommitted: true, isNews: true);
        _transport.Called.Should().Be("http://given/");
        directory.Update(Recorded("http://moved"), isCommitted: true, isNews: true);
        _transport.Called.Should().Be("http://moved/", "this one is");
    }

    [Fact]
    public void What_was_given_counts_more_than_moves_of_the_past_that_are_learned_now()
    {
        var directory = Create(given: "http://given");
        directory.Update(Recorded("http://recorded"), isCommitted: true, isNews: false);
        directory.Update(Recorded("http://moved"), isCommitted: true, isNews: false);
        _transport.Called.Should().Be("http://given/");
        directory.AddressOf(new(1)).Should().Be("http://moved");
    }

    [Fact]
    public void A_move_that_comes_to_nothing_is_none()
    {
        var directory = Create(given: "http://given");
        directory.Update(Recorded("http://recorded"), isCommitted: true, isNews: false);
        directory.Update(Recorded("http://moved"), isCommitted: false, isNews: true);
        directory.Update(Recorded("http://recorded"), isCommitted: true, isNews: false);
        _transport.Called.Should().Be("http://given/");
    }

    [Fact]
    public void A_move_stays_when_others_change()
    {
        var directory = Create(given: "http://given");
        directory.Update(Recorded("http://recorded"), isCommitted: true, isNews: false);
        directory.Update(Recorded("http://moved"), isCommitted: true, isNews: true);
        directory.Update(Recorded("http://moved").With(new(new(2), false, 7, "http://third")), isCommitted: true, isNews: true);
        _transport.Called.Should().Be("http://moved/");
    }

    private static Membership Recorded(string address) => new([new(new(0), true, 5, "http://127.0.0.1:8080"), new(new(1), true, 6, address)]);

    private MemberDirectory Create(string? given)
    {
        var addresses = new Dictionary<NodeId, Uri> { [new(0)] = new("http://127.0.0.1:8080"), [new(1)] = new("http://127.0.0.1:8081") };
        var byHand = given is null ? [] : new Dictionary<NodeId, Uri> { [new(1)] = new(given) };
        var settings = new ClusterSettings(addresses) { GivenAddresses = byHand };
        return new(new(0), settings, _transport, settings.InitialMembership);
    }

    private sealed class Recorder : IPeerTransport
    {
        public string? Called { get; private set; }

        public IReadOnlyCollection<NodeId> Guests => [];

        public Action<string>? Expelled { get; set; }

        public void Introduce(Func<PeerIdentity> self, Action<NodeId, PeerMessage> receive) => throw new NotSupportedException();

        public void SetPeers(IReadOnlyDictionary<NodeId, PeerRecord> peers, IReadOnlyDictionary<NodeId, ulong> removed) =>
            Called = peers.GetValueOrDefault(new(1))?.Address.ToString();

        public void Send(NodeId peer, PeerMessage message) => throw new NotSupportedException();

        public LinkState StateOf(NodeId peer) => throw new NotSupportedException();

        public long PartCountOf(NodeId peer) => 0;

        public PeerIdentity? IdentityOf(NodeId peer) => throw new NotSupportedException();
    }
}
