using System.Text;
using DistDb.Node.Transport;

namespace DistDb.Tests.Transport;

public sealed class PeerHandshakeTests
{
    private static readonly byte[] _secret = Encoding.ASCII.GetBytes("a secret of the cluster");
    private static readonly PeerIdentity _zero = new()
    {
        Node = 0,
        LogId = 17,
        HasHistory = false,
        Address = "http://127.0.0.1:8080",
        IsJoining = false,
        ClusterSize = 3,
        ClusterId = Guid.Empty,
        SqliteFingerprint = "3.40.1",
        Version = "1",
    };

    private static readonly PeerIdentity _one = _zero with { Node = 1 };

    [Fact]
    public void Two_nodes_of_a_cluster_learn_each_other_and_share_a_key()
    {
        var (dialer, acceptor) = (new PeerHandshake(_secret, _one), new PeerHandshake(_secret, _zero));
        acceptor.CheckResponse(dialer.CreateResponse(acceptor.CreateChallenge(dialer.CreateHello())));
        dialer.Peer.Should().Be(_zero);
        acceptor.Peer.Should().Be(_one);
        dialer.DeriveSessionKey().Should().Equal(acceptor.DeriveSessionKey());
    }

    [Fact]
    public void Every_link_has_a_key_of_its_own()
    {
        Key().Should().NotEqual(Key());

        static byte[] Key()
        {
            var (dialer, acceptor) = (new PeerHandshake(_secret, _one), new PeerHandshake(_secret, _zero));
            acceptor.CheckResponse(dialer.CreateResponse(acceptor.CreateChallenge(dialer.CreateHello())));
            return dialer.DeriveSessionKey();
        }
    }

    [Fact]
    public void Another_secret_is_noticed_by_the_dialer_and_by_the_acceptor()
    {
        var other = Encoding.ASCII.GetBytes("another cluster's secret");
        var dialer = new PeerHandshake(other, _one);
        var acceptor = new PeerHandshake(_secret, _zero);
        var challenge = acceptor.CreateChallenge(dialer.CreateHello());
        dialer.Invoking(d => d.CreateResponse(challenge)).Should().Throw<PeerRefusedException>().WithMessage("*another cluster secret*");
        acceptor.Invoking(a => a.CheckResponse(new byte[32])).Should().Throw<PeerRefusedException>().WithMessage("*another cluster secret*");
    }

    [Theory]
    [InlineData("cluster")]
    [InlineData("size")]
    [InlineData("sqlite")]
    [InlineData("protocol")]
    [InlineData("same node")]
    [InlineData("itself")]
    [InlineData("joining another cluster")]
    public void Nodes_that_cannot_work_together_refuse_each_other(string difference)
    {
        var id = Guid.NewGuid();
        var self = _zero with { ClusterId = id };
        var (misfit, reason) = difference switch
        {
            "cluster" => (_one with { ClusterId = Guid.NewGuid() }, "another cluster"),
            "size" => (_one with { ClusterSize = 5 }, "cluster of 5"),
            "sqlite" => (_one with { SqliteFingerprint = "3.35.5" }, "another SQLite"),
            "joining another cluster" => (_one with { ClusterId = Guid.NewGuid(), IsJoining = true }, "node 1 must start with an empty data folder"),
            "protocol" => (_one with { ProtocolVersion = PeerIdentity.CurrentProtocolVersion + 1 }, $"peer protocol {PeerIdentity.CurrentProtocolVersion + 1}"),
            "same node" => (_zero with { ClusterId = id, LogId = 18 }, "an id of its own"),
            _ => (_zero with { ClusterId = id }, "this node 0 itself"),
        };
        PeerIdentity.Incompatibility(self, misfit).Should().Contain(reason);

        // The misfit may be at either end. The dialer says it; the acceptor of a dialer that does not care has it for its verdict.
        foreach (var (dials, accepts) in ((PeerIdentity, PeerIdentity)[])[(self, misfit), (misfit, self)])
        {
            var (dialer, acceptor) = (new PeerHandshake(_secret, dials), new PeerHandshake(_secret, accepts));
            var challenge = acceptor.CreateChallenge(dialer.CreateHello());
            dialer.Invoking(d => d.CreateResponse(challenge)).Should().Throw<PeerRefusedException>()
                .WithMessage(PeerIdentity.Incompatibility(dials, accepts));
        }
    }

    [Fact]
    public void The_size_of_the_cluster_counts_among_new_nodes_alone()
    {
        var other = _one with { ClusterSize = 5 };
        PeerIdentity.Incompatibility(_zero, other).Should().NotBeNull();
        PeerIdentity.Incompatibility(_zero, other with { HasHistory = true }).Should().BeNull();
        PeerIdentity.Incompatibility(_zero with { IsJoining = true }, other).Should().BeNull();
    }

    [Theory]
    [InlineData(PeerVerdictKind.Welcome, "")]
    [InlineData(PeerVerdictKind.Refused, "a reason")]
    [InlineData(PeerVerdictKind.Removed, "another reason")]
    public void The_verdict_arrives_as_the_acceptor_gave_it(PeerVerdictKind kind, string reason)
    {
        var (dialer, acceptor) = Proved();
        dialer.ReadVerdict(acceptor.CreateVerdict(new(kind, reason))).Should().Be(new PeerVerdict(kind, reason));
    }

    [Fact]
    public void A_verdict_that_was_altered_or_made_up_or_belongs_to_another_conversation_counts_for_nothing()
    {
        var (dialer, acceptor) = Proved();
        var verdict = acceptor.CreateVerdict(PeerVerdict.Welcome);
        for (var bit = 0; bit < verdict.Length * 8; bit++)
        {
            byte[] altered = [.. verdict];
            altered[bit / 8] ^= (byte)(1 << (bit % 8));
            Refused(altered);
        }

        Refused([]);
        Refused([(byte)PeerVerdictKind.Removed, 0]);
        Refused(verdict[1..]);
        Refused(Proved().Acceptor.CreateVerdict(PeerVerdict.Removed("you were removed")));
        dialer.ReadVerdict(verdict).Should().Be(PeerVerdict.Welcome);

        void Refused(byte[] bytes) => dialer.Invoking(d => d.ReadVerdict(bytes)).Should().Throw<PeerRefusedException>();
    }

    [Fact]
    public void A_node_that_does_not_know_its_cluster_yet_may_join_any()
    {
        var member = _zero with { ClusterId = Guid.NewGuid() };
        var (dialer, acceptor) = (new PeerHandshake(_secret, _one), new PeerHandshake(_secret, member));
        acceptor.CheckResponse(dialer.CreateResponse(acceptor.CreateChallenge(dialer.CreateHello())));
        dialer.Peer.Should().Be(member);
    }

    [Fact]
    public void What_was_recorded_proves_nothing_in_another_conversation()
    {
        var (dialer, acceptor) = (new PeerHandshake(_secret, _one), new PeerHandshake(_secret, _zero));
        var hello = dialer.CreateHello();
        var challenge = acceptor.CreateChallenge(hello);
        var response = dialer.CreateResponse(challenge);
        acceptor.CheckResponse(response);

        var victim = new PeerHandshake(_secret, _one);
        victim.CreateHello();
        victim.Invoking(v => v.CreateResponse(challenge)).Should().Throw<PeerRefusedException>("the challenge is to another hello");
        var again = new PeerHandshake(_secret, _zero);
        again.CreateChallenge(hello);
        again.Invoking(a => a.CheckResponse(response)).Should().Throw<PeerRefusedException>("the response is to another challenge");
    }

    [Fact]
    public void A_proof_sent_back_to_its_maker_is_refused()
    {
        var acceptor = new PeerHandshake(_secret, _zero);
        var challenge = acceptor.CreateChallenge(new PeerHandshake(_secret, _one).CreateHello());
        acceptor.Invoking(a => a.CheckResponse(challenge.AsSpan(challenge.Length - 32))).Should().Throw<PeerRefusedException>();
    }

    [Fact]
    public void Any_altered_byte_ends_the_conversation()
    {
        for (var step = 0; step < 3; step++)
        {
            for (var at = 0; ; at++)
            {
                var (dialer, acceptor) = (new PeerHandshake(_secret, _one), new PeerHandshake(_secret, _zero));
                var position = at;
                var reached = false;
                FluentActions.Invoking(() =>
                {
                    var challenge = acceptor.CreateChallenge(Alter(dialer.CreateHello(), step == 0));
                    acceptor.CheckResponse(Alter(dialer.CreateResponse(Alter(challenge, step == 1)), step == 2));
                    if (!reached)
                    {
                        throw new PeerRefusedException("");
                    }
                }).Should().Throw<PeerRefusedException>($"byte {at} of message {step} was altered");
                if (!reached)
                {
                    break;
                }

                byte[] Alter(byte[] bytes, bool isThis)
                {
                    if (isThis && position < bytes.Length)
                    {
                        reached = true;
                        bytes = [.. bytes];
                        bytes[position] ^= 1;
                    }

                    return bytes;
                }
            }
        }
    }

    [Fact]
    public void Noise_is_refused_as_no_node()
    {
        var random = new Random(8);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = new byte[random.Next(120)];
            random.NextBytes(bytes);
            byte[] hello = i % 2 == 0 ? bytes : [.. "DDBP"u8, .. bytes];
            new PeerHandshake(_secret, _zero).Invoking(a => a.CheckResponse(a.CreateChallenge(hello))).Should().Throw<PeerRefusedException>();
            var dialer = new PeerHandshake(_secret, _one);
            dialer.CreateHello();
            dialer.Invoking(d => d.CreateResponse(bytes)).Should().Throw<PeerRefusedException>();
        }
    }

    private static (PeerHandshake Dialer, PeerHandshake Acceptor) Proved()
    {
        var (dialer, acceptor) = (new PeerHandshake(_secret, _one), new PeerHandshake(_secret, _zero));
        acceptor.CheckResponse(dialer.CreateResponse(acceptor.CreateChallenge(dialer.CreateHello())));
        return (dialer, acceptor);
    }
}
