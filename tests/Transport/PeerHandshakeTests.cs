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
    [InlineData("node")]
    public void Nodes_that_cannot_work_together_refuse_each_other(string difference)
    {
        var id = Guid.NewGuid();
        var self = _zero with { ClusterId = id };
        var (misfit, reason) = difference switch
        {
            "cluster" => (_one with { ClusterId = Guid.NewGuid() }, "another cluster"),
            "size" => (_one with { ClusterSize = 5 }, "cluster of 5"),
            "sqlite" => (_one with { SqliteFingerprint = "3.35.5" }, "another SQLite"),
            "protocol" => (_one with { ProtocolVersion = 2 }, "peer protocol 2"),
            "same node" => (_zero with { ClusterId = id }, "an id of its own"),
            _ => (_one with { Node = 3 }, "not within"),
        };
        var (dialer, acceptor) = (new PeerHandshake(_secret, misfit), new PeerHandshake(_secret, self));
        var challenge = acceptor.CreateChallenge(dialer.CreateHello());

        // The misfit may be at either end, and may not care itself.
        var (indifferent, careful) = (new PeerHandshake(_secret, misfit), new PeerHandshake(_secret, self));
        var misfitsChallenge = indifferent.CreateChallenge(careful.CreateHello());
        careful.Invoking(c => c.CreateResponse(misfitsChallenge)).Should().Throw<PeerRefusedException>().WithMessage($"*{reason}*");
        if (difference != "node")
        {
            dialer.Invoking(d => d.CreateResponse(challenge)).Should().Throw<PeerRefusedException>();
        }
        else
        {
            acceptor.Invoking(a => a.CheckResponse(dialer.CreateResponse(challenge))).Should().Throw<PeerRefusedException>().WithMessage($"*{reason}*");
        }
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
}
