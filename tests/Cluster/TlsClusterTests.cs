using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Dapper;
using DistDb.Data;
using DistDb.Node.Tls;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>TLS on clusters of real processes.</summary>
public sealed class TlsClusterTests(TlsClusterTests.TlsCluster shared) : IClassFixture<TlsClusterTests.TlsCluster>
{
    [Fact]
    public async Task Clients_peers_and_tools_speak_it()
    {
        var cluster = shared.Cluster;
        (await cluster[0].ExecAsync("CREATE TABLE t (a)")).IsOk.Should().BeTrue();
        (await cluster[2].ExecAsync("INSERT INTO t VALUES (7)")).IsOk.Should().BeTrue();
        (await cluster[1].StrongQueryAsync("SELECT a FROM t")).Rows.Should().Be("[[7]]");

        // Node 1 has the transaction, and node 2 hands on to it.
        var begun = await cluster[1].PostAsync("/transactions", """{"mode":"immediate"}""");
        var done = await cluster[2].PostAsync($"/transactions/{begun.Json.GetProperty("id").GetString()}", """{"statements":[{"query":"INSERT INTO t VALUES (8)"}],"commit":true}""");
        done.Json.GetProperty("state").GetString().Should().Be("committed", done.Text);
        (await cluster[0].StrongQueryAsync("SELECT a FROM t")).Rows.Should().Be("[[7],[8]]");
        cluster[1].Log.Should().Contain("with TLS").And.Contain(shared.Authority.CertificatePath).And.Contain("https://127.0.0.1").And.NotContain("http://");

        (await RunAsync(0, "members", "--ca", shared.Authority.CaPath)).Output.Should().Contain($"https://127.0.0.1:{cluster.BasePort + 2}");
        foreach (var command in (string[])["show-all 2", "show-all", "send-dummy --count 5", "verify", "promote 0", "members"])
        {
            (await RunToolAsync(new() { ["DISTDB_CA"] = shared.Authority.CaPath }, 0, command.Split(' '))).Errors.Should().BeEmpty(command);
        }

        (await RunAsync(0, "members", "--url", $"https://localhost:{cluster.BasePort + 1}", "--ca", shared.Authority.CaPath)).Errors.Should().BeEmpty();
    }

    [Fact]
    public async Task The_provider_speaks_it_and_judges_certificates_by_its_CAs()
    {
        var servers = $"Servers=https://127.0.0.1:{shared.Cluster.BasePort + 1},https://localhost:{shared.Cluster.BasePort}";
        await using (var connection = new DistDbConnection($"{servers};Ca={shared.Authority.CaPath};Consistency=Strong"))
        {
            await connection.OpenAsync();
            await connection.ExecuteAsync("CREATE TABLE provided (a); INSERT INTO provided VALUES (7)");
            (await connection.ExecuteScalarAsync<long>("SELECT a FROM provided")).Should().Be(7);
        }

        await using var stranger = new DistDbConnection($"{servers};Command Timeout=1");
        (await FluentActions.Awaiting(() => stranger.OpenAsync()).Should().ThrowAsync<DistDbException>()).Which.Message.Should().Contain("certificate").And.Contain("cannot be reached");
    }

    [Fact]
    public async Task Whoever_does_not_fit_is_told_why()
    {
        var port = shared.Cluster.BasePort;
        using var other = new TestAuthority("Other CA");
        (await RunAsync(3, "members", "--ca", other.CaPath)).Errors.Should().Contain("signed by CN=Test CA").And.Contain($"is not signed by a CA of {other.CaPath}");
        (await RunAsync(3, "members", "--url", $"https://127.0.0.1:{port}")).Errors.Should().Contain("not signed by a CA of the operating system").And.Contain("--ca");
        (await RunAsync(1, "members")).Errors.Should().Contain("This port speaks TLS: use https://");
        (await RunAsync(2, "members", "--ca", "missing.pem")).Errors.Should().Contain("missing.pem");

        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var response = await http.PostAsync(new Uri($"http://127.0.0.1:{port}/query"), new StringContent("{}"));
        ((int)response.StatusCode).Should().Be(400);
        response.Content.Headers.ContentType!.MediaType.Should().Be("application/problem+json");
        JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("code").GetString().Should().Be("bad_request");
    }

    [Fact]
    public async Task Nothing_older_than_TLS_1_2_is_spoken()
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", shared.Cluster.BasePort);

        // A ClientHello of TLS 1.1, with two suites and no extensions: this machine's library would not send one.
        byte[] hello = [3, 2, .. new byte[32], 0, 0, 4, 0xc0, 0x0a, 0xc0, 0x09, 1, 0];
        await client.GetStream().WriteAsync((byte[])[22, 3, 1, 0, (byte)(hello.Length + 4), 1, 0, 0, (byte)hello.Length, .. hello]);
        var answer = new byte[7];
        await client.GetStream().ReadExactlyAsync(answer).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        (answer[0], answer[6]).Should().Be(((byte)21, (byte)70), "it is an alert: protocol_version");

        await using var tls = await ConnectAsync(shared.Cluster[0], SslProtocols.Tls12);
        tls.SslProtocol.Should().Be(SslProtocols.Tls12);
    }

    [Fact]
    public async Task A_peer_of_another_CA_is_refused_by_both_sides()
    {
        var cluster = shared.Cluster;
        using var other = new TestAuthority("Other CA");
        other.Issue();
        var stranger = cluster.Add(7, [.. other.Options, "--join", cluster[0].Address.AbsoluteUri]);
        try
        {
            stranger.Start();
            await cluster.WaitUntilAsync("it refuses the members", () => stranger.Log.Contains($"is not signed by a CA of {other.CaPath}", StringComparison.Ordinal));
            stranger.Log.Should().NotContain("Linked to");
            stranger.Kill();

            // It trusts the members by now, and they do not trust it.
            await File.WriteAllTextAsync(other.CaPath, other.Pem + "\n" + shared.Authority.Pem);
            stranger.Start();
            await cluster.WaitUntilAsync("a member refuses it", () => cluster.Nodes.Any(
                n => n != stranger && n.Log.Contains($"No link to node 7 at 127.0.0.1:{stranger.Address.Port}: its certificate (CN=node, signed by CN=Other CA) is not signed by a CA of {shared.Authority.CaPath}", StringComparison.Ordinal)));

            // The members took it in by its own link, and cannot reach it.
            await cluster.WaitUntilAsync("it is removed again", async () => (await cluster[0].DeleteAsync("/cluster/members/7")).IsOk);
        }
        finally
        {
            cluster.Forget(stranger);
        }
    }

    [Fact]
    public async Task New_certificates_are_used_without_a_restart_while_writes_go_on()
    {
        var cluster = shared.Cluster;
        (await cluster[0].ExecAsync("CREATE TABLE IF NOT EXISTS w (a)")).IsOk.Should().BeTrue();
        using var stop = new CancellationTokenSource();
        var writing = Task.Run(async () =>
        {
            var count = 0;
            for (; !stop.IsCancellationRequested; count++)
            {
                (await cluster[count % 3].ExecAsync("INSERT INTO w VALUES (1)")).IsOk.Should().BeTrue();
            }

            return count;
        });

        // The certificate first and its key seconds later: a moment in which they do not fit.
        var old = await SerialAsync(cluster[1]);
        var (certificate, key) = shared.Authority.Create([]);
        await File.WriteAllTextAsync(shared.Authority.CertificatePath, certificate);
        await cluster.WaitUntilAsync("they were found not to fit", () => cluster.Nodes.All(n => n.Log.Contains("are not used", StringComparison.Ordinal)));
        (await SerialAsync(cluster[1])).Should().Be(old);
        await File.WriteAllTextAsync(shared.Authority.KeyPath, key);
        foreach (var node in cluster.Nodes)
        {
            await cluster.WaitUntilAsync("new connections get the new one", async () => await SerialAsync(node) == TestAuthority.SerialOf(certificate));
            node.Log.Split("are not used").Should().HaveCount(2, "it is said once");
        }

        await stop.CancelAsync();
        var written = await writing;
        (await cluster[2].StrongQueryAsync("SELECT count(*) FROM w")).Rows.Should().Be($"[[{written}]]");
    }

    [Fact]
    public async Task A_cluster_changes_to_TLS_node_by_node()
    {
        using var authority = new TestAuthority();
        authority.Issue();
        await using var cluster = await TestCluster.StartAsync(2, "--ca", authority.CaPath);
        (await cluster[0].ExecAsync("CREATE TABLE t (a)")).IsOk.Should().BeTrue();
        string[] certificate = ["--cert", authority.CertificatePath, "--key", authority.KeyPath];
        var changed = new List<int>();
        foreach (var id in (int[])[2, 0])
        {
            (await cluster[id].StopAsync()).Should().Be(0);
            cluster[id].Start(certificate);
            changed.Add(id);
            using var secured = cluster.Secured(id, authority.Trust);
            await cluster.WaitUntilAsync($"node {id} is back", secured.IsReadyAsync);
            await cluster.WaitUntilAsync($"node {id} is recorded at its new address, and all have met", async () =>
                (await secured.GetAsync("/cluster")) is { IsOk: true, Json: var answer } && answer.GetProperty("nodes").EnumerateArray()
                    .All(n => n.GetProperty("reachable").GetBoolean()
                        && new Uri(n.GetProperty("address").GetString()!).Scheme == (changed.Contains(n.GetProperty("id").GetInt32()) ? "https" : "http")));
            (await secured.ExecAsync("INSERT INTO t VALUES (?)", id)).IsOk.Should().BeTrue();
        }

        (await cluster[1].StrongQueryAsync("SELECT a FROM t")).Rows.Should().Be("[[2],[0]]");
    }

    /// <summary>The serial number of the certificate that a new connection gets.</summary>
    private async Task<string> SerialAsync(TestNode node)
    {
        await using var tls = await ConnectAsync(node, CertificatePolicy.Protocols);
        return ((X509Certificate2)tls.RemoteCertificate!).SerialNumber;
    }

    private async Task<SslStream> ConnectAsync(TestNode node, SslProtocols protocols)
    {
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync("127.0.0.1", node.Address.Port);
        var tls = new SslStream(new NetworkStream(client, ownsSocket: true));
        var options = shared.Authority.Trust.CreateClientOptions();
        options.TargetHost = "127.0.0.1";
        options.EnabledSslProtocols = protocols;
        await tls.AuthenticateAsClientAsync(options);
        return tls;
    }

    private Task<(string Output, string Errors)> RunAsync(int exitCode, params string[] arguments) => RunToolAsync([], exitCode, arguments);

    private async Task<(string Output, string Errors)> RunToolAsync(Dictionary<string, string> variables, int exitCode, params string[] arguments)
    {
        variables["DISTDB_BASE_PORT"] = shared.Cluster.BasePort.ToString(CultureInfo.InvariantCulture);
        using var tool = DistDbProcess.Start(shared.Cluster.Folder, variables, arguments);
        var actual = await tool.WaitForExitAsync(TimeSpan.FromSeconds(60));
        actual.Should().Be(exitCode, $"{string.Join(' ', arguments)}: {tool.Errors}");
        return (tool.Output, tool.Errors);
    }

    /// <summary>A cluster of three with one certificate for all; tests leave a good one in its files.</summary>
    public sealed class TlsCluster : IAsyncLifetime
    {
        internal TestAuthority Authority { get; } = new();

        internal TestCluster Cluster { get; private set; } = null!;

        public async Task InitializeAsync()
        {
            Authority.Issue();
            Cluster = TestCluster.Create(2, _ => Authority.Options, trust: Authority.Trust);
            Cluster.StartAll();
            await Cluster.WaitUntilReadyAsync();
        }

        public async Task DisposeAsync()
        {
            if (Cluster is not null)
            {
                await Cluster.DisposeAsync();
            }

            Authority.Dispose();
        }
    }
}
