using System.Net.WebSockets;
using DistDb.Node.Raft;
using DistDb.Node.Transport;
using static DistDb.Tests.Transport.TransportNode;

namespace DistDb.Tests.Transport;

/// <summary>Links between nodes while the membership changes, over real sockets.</summary>
public sealed class PeerTransportTests : IAsyncDisposable
{
    private readonly List<TransportNode> _nodes = [];

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task Peers_talk_as_soon_as_both_know_each_other()
    {
        var (zero, one) = (await StartAsync(0), await StartAsync(1));
        zero.SetPeers([one]);
        one.SetPeers([zero]);
        await zero.TalkWithAsync(one);
        zero.Transport.IdentityOf(one.Id)!.LogId.Should().Be(one.LogId);
        zero.Transport.StateOf(one.Id).LastContact.Should().NotBeNull();
        zero.Transport.Guests.Should().BeEmpty();
    }

    [Fact]
    public async Task A_large_message_is_noticed_while_it_comes()
    {
        var (zero, one) = await PairAsync();
        var before = one.Transport.PartCountOf(zero.Id);
        zero.Send(one, new string('x', 16 << 20));
        zero.Send(one, "behind it");
        await UntilAsync("all has arrived", () => one.HasHeard(zero, "behind it"));
        (one.Transport.PartCountOf(zero.Id) - before).Should().BeGreaterThan(10);
        zero.Transport.PartCountOf(one.Id).Should().Be(0);
    }

    [Fact]
    public async Task The_same_peers_again_leave_the_links_alone()
    {
        var (zero, one) = await PairAsync();
        var knocks = zero.Knocks + one.Knocks;
        for (var i = 0; i < 1000; i++)
        {
            zero.SetPeers([one]);
        }

        await zero.TalkWithAsync(one);
        (zero.Knocks + one.Knocks).Should().Be(knocks);
    }

    [Fact]
    public async Task A_peer_that_left_still_gets_what_was_sent_before_and_is_heard_no_more()
    {
        var (zero, one) = await PairAsync();
        for (var i = 0; i < 1000; i++)
        {
            zero.Send(one, $"message {i}");
        }

        zero.SetPeers([]);
        zero.Send(one, "too late");
        await UntilAsync("the last message arrives", () => one.HasHeard(zero, "message 999"));
        await UntilAsync("the link from the one that left ends", () => one.ProblemWith(zero)?.Contains("not a member") == true);
        zero.IsLinkedTo(one).Should().BeFalse();
        one.Heard.Should().NotContain((zero.Id, "too late"));
    }

    [Fact]
    public async Task A_peer_that_moved_while_it_was_down_is_dialled_at_its_new_address_without_waiting_out_the_pause()
    {
        var (zero, gone) = await MissingAsync();
        var moved = await StartAsync(1, zero);
        moved.Address.Should().NotBe(gone);
        zero.SetPeers([moved]);
        await zero.TalkWithAsync(moved);
    }

    [Fact]
    public async Task A_peer_that_dials_is_dialled_back_without_waiting_out_the_pause()
    {
        var (zero, gone) = await MissingAsync();
        await zero.TalkWithAsync(await ReturnAsync(gone, zero));
    }

    [Fact]
    public async Task A_peer_that_comes_back_is_found_again()
    {
        var (zero, one) = await PairAsync();
        await StopAsync(one);
        await UntilAsync("the link breaks", () => !zero.IsLinkedTo(one));
        await zero.TalkWithAsync(await ReturnAsync(one.Address, zero));
    }

    [Fact]
    public async Task A_joining_node_is_a_guest_of_whomever_it_dials_and_is_dialled_back()
    {
        var zero = await StartAsync(0);
        var newcomer = await JoinAsync(7, zero.Address);
        await zero.TalkWithAsync(newcomer);
        zero.Transport.Guests.Should().Equal(newcomer.Id);
        newcomer.Transport.Guests.Should().Equal(zero.Id);
        zero.Transport.IdentityOf(newcomer.Id)!.IsJoining.Should().BeTrue();
        newcomer.Transport.IdentityOf(zero.Id)!.LogId.Should().Be(zero.LogId);

        await StopAsync(newcomer);
        await UntilAsync("the guest is gone", () => zero.Transport.Guests.Count == 0);
        zero.Transport.StateOf(newcomer.Id).IsConnected.Should().BeFalse();
    }

    [Fact]
    public async Task A_guest_that_becomes_a_peer_keeps_its_links()
    {
        var zero = await StartAsync(0);
        var newcomer = await JoinAsync(7, zero.Address);
        await zero.TalkWithAsync(newcomer);
        var (knocks, problems) = (newcomer.Knocks, newcomer.Log.Count);
        zero.SetPeers([newcomer]);
        zero.Transport.Guests.Should().BeEmpty();
        await zero.TalkWithAsync(newcomer);
        newcomer.Knocks.Should().Be(knocks);
        newcomer.Log.Count.Should().Be(problems);
    }

    [Fact]
    public async Task A_newcomer_that_is_taken_in_speaks_over_ordinary_links_and_its_hosts_are_left_alone()
    {
        var (zero, one) = await PairAsync();
        var newcomer = await JoinAsync(7, zero.Address);
        await zero.TalkWithAsync(newcomer);
        zero.SetPeers([one, newcomer]);
        one.SetPeers([zero, newcomer]);
        newcomer.IsJoining = false;
        newcomer.SetPeers([zero, one]);
        await zero.TalkWithAsync(newcomer);
        await one.TalkWithAsync(newcomer);
        newcomer.Transport.Guests.Should().BeEmpty();
    }

    [Fact]
    public async Task A_member_that_dials_a_joining_node_is_heard_and_answered_before_it_is_known()
    {
        var (zero, one) = await PairAsync();
        var newcomer = await JoinAsync(7, zero.Address);
        one.SetPeers([zero, newcomer]);
        await one.TalkWithAsync(newcomer);
        await zero.TalkWithAsync(newcomer);
        newcomer.Transport.Guests.Should().Equal(zero.Id, one.Id);
    }

    [Fact]
    public async Task Of_several_hosts_those_that_answer_are_met_whoever_they_are()
    {
        var (zero, one) = await PairAsync();
        var gone = await StartAsync(2);
        await StopAsync(gone);
        var twice = new UriBuilder(zero.Address) { Host = "localhost" }.Uri;
        var newcomer = await JoinAsync(7, gone.Address, one.Address, zero.Address, twice);
        await zero.TalkWithAsync(newcomer);
        await one.TalkWithAsync(newcomer);
        await UntilAsync("the host that does not answer is named", () => newcomer.Log.Any(l => l.Contains($"a node at {gone.Address.Authority}")));
        newcomer.Transport.Guests.Should().Equal(zero.Id, one.Id);
    }

    [Fact]
    public async Task A_host_that_went_away_and_came_back_is_met_again()
    {
        var zero = await StartAsync(0);
        var newcomer = await JoinAsync(7, zero.Address);
        await zero.TalkWithAsync(newcomer);
        await StopAsync(zero);
        await UntilAsync("the host is lost", () => newcomer.Transport.Guests.Count == 0);
        newcomer.IsLinkedTo(zero).Should().BeFalse();
        newcomer.Send(zero, "nobody hears this");

        // Another node answers there now, which is nothing to a host's address.
        var one = await CreateAsync(1, port: zero.Address.Port);
        _nodes.Add(one);
        one.SetPeers([]);
        await one.RunAsync();
        await one.TalkWithAsync(newcomer);
        newcomer.Transport.Guests.Should().Equal(one.Id);
    }

    [Fact]
    public async Task No_more_guests_are_taken_than_allowed()
    {
        var zero = await StartAsync(0, Options with { GuestsMax = 2 });
        var (seven, eight) = (await JoinAsync(7, zero.Address), await JoinAsync(8, zero.Address));
        await zero.TalkWithAsync(seven);
        await zero.TalkWithAsync(eight);
        var nine = await JoinAsync(9, zero.Address);
        await UntilAsync("the third is refused", () => nine.Log.Any(l => l.Contains("2 nodes that are no members are linked already")));
        zero.Transport.Guests.Should().Equal(seven.Id, eight.Id);

        await StopAsync(eight);
        await zero.TalkWithAsync(nine);
    }

    [Fact]
    public async Task A_stranger_that_does_not_join_is_refused_and_that_is_logged_once()
    {
        var zero = await StartAsync(0);
        var stranger = await StartAsync(7, zero);
        await UntilAsync("it has tried often", () => zero.Knocks >= 10);
        stranger.ProblemWith(zero).Should().Be("node 7 is not a member of this cluster; start it with --join to have it taken in");
        stranger.IsLinkedTo(zero).Should().BeFalse();
        zero.Log.Should().ContainSingle(l => l.Contains("node 7 is not a member"));
        stranger.Log.Should().ContainSingle(l => l.Contains("node 7 is not a member"));
        zero.Transport.IdentityOf(stranger.Id).Should().BeNull();
        zero.Transport.Guests.Should().BeEmpty();
    }

    [Fact]
    public async Task A_guest_of_another_cluster_is_told_what_to_do()
    {
        var zero = await StartAsync(0);
        zero.ClusterId = Guid.NewGuid();
        var newcomer = await CreateAsync(7, isJoining: true, options: Options with { Hosts = [zero.Address] });
        _nodes.Add(newcomer);
        newcomer.ClusterId = Guid.NewGuid();
        newcomer.SetPeers([]);
        await newcomer.RunAsync();
        await UntilAsync("it is told", () => newcomer.Log.Any(l => l.Contains("start this node with an empty data folder")));
        zero.Transport.Guests.Should().BeEmpty();
    }

    [Fact]
    public async Task A_removed_node_is_told_once_by_however_many()
    {
        var (zero, one) = await PairAsync();
        var three = await StartAsync(3, zero, one);
        zero.SetPeers([one, three]);
        one.SetPeers([zero, three]);
        await zero.TalkWithAsync(three);
        await one.TalkWithAsync(three);
        three.Expulsions.Should().BeEmpty();

        zero.SetPeers([one], removed: [three]);
        one.SetPeers([zero], removed: [three]);
        await UntilAsync("both have told it", () => new[] { zero, one }.All(n => three.ProblemWith(n)?.Contains("was removed from this cluster") == true));
        three.Expulsions.Should().ContainSingle().Which.Should().StartWith("node 3 was removed from this cluster");
        await zero.TalkWithAsync(one);
        zero.Expulsions.Should().BeEmpty();
    }

    [Fact]
    public async Task A_removed_node_that_was_away_is_told_when_it_returns_even_as_a_joining_one()
    {
        var zero = await StartAsync(0);
        var three = await JoinAsync(3);
        zero.SetPeers([], removed: [three]);
        three.SetPeers([zero]);
        await UntilAsync("it is told", () => !three.Expulsions.IsEmpty);
        zero.Transport.Guests.Should().BeEmpty();
    }

    [Fact]
    public async Task A_removed_id_may_join_with_a_new_log()
    {
        var zero = await StartAsync(0);
        var old = await StartAsync(3);
        zero.SetPeers([], removed: [old]);
        var three = await CreateAsync(3, isJoining: true, logId: 999, options: Options with { Hosts = [zero.Address] });
        _nodes.Add(three);
        three.SetPeers([]);
        await three.RunAsync();
        await zero.TalkWithAsync(three);
        zero.Transport.Guests.Should().Equal(three.Id);
        three.Expulsions.Should().BeEmpty();
    }

    [Fact]
    public async Task Whoever_does_not_know_the_secret_expels_nobody()
    {
        var impostor = await StartAsync(0, Options with { Secret = new byte[32] });
        var three = await StartAsync(3, impostor);
        impostor.SetPeers([], removed: [three]);
        await UntilAsync("they do not understand each other", () => three.ProblemWith(impostor)?.Contains("another cluster secret") == true);
        three.Expulsions.Should().BeEmpty();
    }

    [Fact]
    public async Task Two_processes_with_one_id_are_warned_of()
    {
        var zero = await StartAsync(0);
        var first = await StartAsync(2, zero);
        zero.SetPeers([first]);
        await zero.TalkWithAsync(first);
        var second = await TwinAsync(first.LogId, zero);
        await UntilAsync("both have come", () => zero.Log.Any(l => l.Contains("If two processes run as node 2")));
        zero.Log.Count(l => l.Contains("If two processes run as node 2")).Should().Be(1);
        second.LogId.Should().Be(first.LogId, "it runs on a copy of the folder");
    }

    [Fact]
    public async Task A_second_process_with_a_members_id_and_another_log_is_refused_while_the_member_is_there()
    {
        var zero = await StartAsync(0);
        var first = await StartAsync(2, zero);
        zero.SetPeers([first]);
        await zero.TalkWithAsync(first);
        var second = await TwinAsync(999, zero);
        await UntilAsync("it is told", () => second.ProblemWith(zero)?.Contains($"another process runs as node 2 at {first.Address.GetLeftPart(UriPartial.Authority)}") == true);
        zero.Transport.IdentityOf(first.Id)!.LogId.Should().Be(first.LogId);
        await zero.TalkWithAsync(first);
        zero.Log.Should().ContainSingle(l => l.Contains("another process runs as node 2"));

        await StopAsync(first);
        await UntilAsync("the member is gone, and this may be its successor", () => second.IsLinkedTo(zero));
        zero.Transport.StateOf(first.Id).Identity.Should().BeNull("nobody is at the member's address");
        zero.Transport.IdentityOf(first.Id)!.LogId.Should().Be(999);
    }

    [Fact]
    public async Task A_second_process_that_came_first_goes_when_the_member_is_reached()
    {
        var zero = await StartAsync(0);
        var first = await StartAsync(2, zero);
        await StopAsync(first);
        zero.SetPeers([first]);
        var second = await TwinAsync(999, zero);
        await UntilAsync("nothing speaks against it", () => second.IsLinkedTo(zero));

        var again = await CreateAsync(2, port: first.Address.Port);
        _nodes.Add(again);
        again.SetPeers([zero]);
        await again.RunAsync();

        await UntilAsync("it is told", () => second.ProblemWith(zero)?.Contains("another process runs as node 2") == true);
        await zero.TalkWithAsync(again);
        second.IsLinkedTo(zero).Should().BeFalse();
    }

    [Fact]
    public async Task A_member_that_lost_its_disk_is_welcome_with_its_new_log()
    {
        var zero = await StartAsync(0);
        var two = await StartAsync(2, zero);
        zero.SetPeers([two]);
        await zero.TalkWithAsync(two);
        await StopAsync(two);
        var again = await CreateAsync(2, logId: 999, port: two.Address.Port);
        _nodes.Add(again);
        again.SetPeers([zero]);
        await again.RunAsync();

        await zero.TalkWithAsync(again);
        zero.Transport.StateOf(two.Id).Identity!.LogId.Should().Be(999);
    }

    [Fact]
    public async Task A_member_that_is_on_record_with_a_new_log_is_welcome_though_the_old_process_still_runs()
    {
        var zero = await StartAsync(0);
        var old = await StartAsync(2, zero);
        zero.Transport.SetPeers(new Dictionary<NodeId, PeerRecord> { [old.Id] = new(old.Address, 999) }, new Dictionary<NodeId, ulong>());
        await zero.TalkWithAsync(old);

        var taken = await TwinAsync(999, zero);

        await UntilAsync("it is let in", () => taken.IsLinkedTo(zero));
    }

    [Fact]
    public async Task Connections_that_never_say_who_they_are_are_bounded_and_keep_no_node_out()
    {
        var zero = await StartAsync(0, Options with { ConnectTimeout = TimeSpan.FromMinutes(10), HandshakesMax = 8 });
        var strangers = new List<(ClientWebSocket Socket, Task End)>();
        try
        {
            for (var i = 0; i < 50; i++)
            {
                var socket = await KnockAsync(zero);
                strangers.Add((socket, EndAsync(socket)));
            }

            await UntilAsync("all but the newest were dropped", () => strangers.Count(s => s.End.IsCompleted) == 42);

            // Two that knock right after each other may be let in the other way round.
            strangers.Take(34).Should().OnlyContain(s => s.End.IsCompleted);
            zero.Log.Should().ContainSingle(l => l.Contains("more than 8 links began at once"));

            var one = await StartAsync(1, zero);
            zero.SetPeers([one]);
            await zero.TalkWithAsync(one);
        }
        finally
        {
            strangers.ForEach(s => s.Socket.Dispose());
        }
    }

    [Fact]
    public async Task A_connection_that_never_says_who_it_is_ends_in_time()
    {
        var zero = await StartAsync(0, Options with { ConnectTimeout = TimeSpan.FromMilliseconds(100) });
        using var socket = await KnockAsync(zero);
        await EndAsync(socket).WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task A_peer_that_falls_silent_is_dialled_anew()
    {
        var options = Options with { SilenceMax = TimeSpan.FromSeconds(2) };
        var (zero, one) = (await StartAsync(0, options), await StartAsync(1));
        zero.SetPeers([one]);
        one.SetPeers([zero]);
        await zero.TalkWithAsync(one);
        one.KeepTalkingTo(zero);
        var knocks = one.Knocks;
        var heard = zero.Heard.Count;
        await UntilAsync("messages came for longer than a silence may last", () => zero.Heard.Count > heard + 150);
        one.Knocks.Should().Be(knocks, "it speaks");

        await one.FallSilentAsync();
        await UntilAsync("it is dialled anew", () => one.Knocks > knocks && zero.IsLinkedTo(one));
        zero.Log.Should().Contain(l => l.Contains("fell silent"));

        // Since the new link stands it has said nothing: there is nothing to conclude from that.
        await zero.TalkWithAsync(one);
    }

    /// <summary>Another process of node 2.</summary>
    private async Task<TransportNode> TwinAsync(ulong logId, TransportNode peer)
    {
        var twin = await CreateAsync(2, logId: logId);
        _nodes.Add(twin);
        twin.SetPeers([peer]);
        await twin.RunAsync();
        return twin;
    }

    private static async Task<ClientWebSocket> KnockAsync(TransportNode node)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(new Uri(node.Address, PeerTransport.Route)) { Scheme = "ws" }.Uri, CancellationToken.None);
        return socket;
    }

    private static async Task EndAsync(ClientWebSocket socket)
    {
        try
        {
            await socket.ReceiveAsync(new byte[1], CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // The node dropped it.
        }
    }

    private async Task<TransportNode> StartAsync(int id, params TransportNode[] peers) => await StartAsync(id, Options, peers);

    private async Task<TransportNode> StartAsync(int id, PeerTransportOptions options, params TransportNode[] peers)
    {
        var node = await TransportNode.RunAsync(id, peers, options: options);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Node 0, which would wait for an hour before it dials again where node 1 was.</summary>
    private async Task<(TransportNode Zero, Uri Gone)> MissingAsync()
    {
        var patient = Options with { ReconnectDelayMin = TimeSpan.FromHours(1), ReconnectDelayMax = TimeSpan.FromHours(1) };
        var (zero, one) = (await StartAsync(0, patient), await StartAsync(1));
        await StopAsync(one);
        zero.SetPeers([one]);
        await UntilAsync("node 1 is missed", () => zero.ProblemWith(one) is not null);
        return (zero, one.Address);
    }

    /// <summary>Node 1 at the address that it had.</summary>
    private async Task<TransportNode> ReturnAsync(Uri address, TransportNode peer)
    {
        var node = await CreateAsync(1, port: address.Port);
        _nodes.Add(node);
        node.SetPeers([peer]);
        await node.RunAsync();
        return node;
    }

    private async Task<TransportNode> JoinAsync(int id, params Uri[] hosts)
    {
        var node = await TransportNode.RunAsync(id, [], isJoining: true, options: Options with { Hosts = hosts });
        _nodes.Add(node);
        return node;
    }

    private async Task StopAsync(TransportNode node)
    {
        _nodes.Remove(node);
        await node.DisposeAsync();
    }

    private async Task<(TransportNode Zero, TransportNode One)> PairAsync()
    {
        var zero = await StartAsync(0);
        var one = await StartAsync(1, zero);
        zero.SetPeers([one]);
        await zero.TalkWithAsync(one);
        return (zero, one);
    }
}
