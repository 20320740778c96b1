using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>A node that cannot start says why in a line, and ends.</summary>
public sealed class CommandLineTests : IDisposable
{
    private static readonly Dictionary<string, string> _noVariables = [];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-command-line-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("", "ommand")]
    [InlineData("slave 2", "slave")]
    [InlineData("master", "master needs <n>.")]
    [InlineData("node", "node needs <id> and <n>.")]
    [InlineData("token revoke", "token revoke needs <name>.")]
    [InlineData("master two", "\"two\"; it must be a number of nodes")]
    [InlineData("master -1", "-1")]
    [InlineData("master 100", "100")]
    [InlineData("master 2 3", "3")]
    [InlineData("node 1", "node needs <n>.")]
    [InlineData("node 0 2", "distdb master 2")]
    [InlineData("node 3 2", "--join")]
    [InlineData("node -1 2", "-1")]
    [InlineData("node one 2", "\"one\"; it must be the number of a node")]
    [InlineData("master 2 --colour red", "--colour")]
    [InlineData("master 2 --base-port", "--base-port")]
    [InlineData("master 2 --base-port http", "\"http\", which is not a whole number")]
    [InlineData("master 2 --history always", "\"on\" for 100000, or \"off\"")]
    [InlineData("master 2 --base-port 0", "base port")]
    [InlineData("master 2 --base-port 65534", "base port")]
    [InlineData("master 2 --timeout 10", "--timeout")]
    [InlineData("master 2 --timeout 0s", "--timeout")]
    [InlineData("master 2 --timeout soon", "--timeout")]
    [InlineData("master 2 --timeout 2h", "--timeout")]
    [InlineData("master 2 --max-body 10", "--max-body")]
    [InlineData("master 2 --max-body 1G", "1G")]
    [InlineData("master 2 --host 0.0.0.0", "0.0.0.0")]
    [InlineData("master 2 --host ::", "::")]
    [InlineData("master 2 --host example.org", "example.org")]
    [InlineData("master 0 --host 192.0.2.1", "DISTDB_CLUSTER_SECRET")]
    [InlineData("master 0 --host 192.0.2.1", "DISTDB_TOKEN")]
    [InlineData("master 0 --token-file missing", "missing")]
    [InlineData("master 2 --peers 1", "--peers")]
    [InlineData("master 2 --peers 100=http://127.0.0.1:1", "--peers")]
    [InlineData("master 2 --join here", "--join")]
    [InlineData("master 2 --verify-every 10", "--verify-every")]
    [InlineData("master 2 --backup-every 1h", "--backup-to")]
    [InlineData("master 2 --archive-every 1m", "--archive")]
    [InlineData("master 2 --archive here --archive-every 2d", "--archive-every")]
    [InlineData("master 2 --backup-to backups --backup-every 0", "--backup-every")]
    [InlineData("master 2 --backup-to backups --backup-keep 0", "--backup-keep")]
    [InlineData("master 2 --peers 1=127.0.0.1:8081", "--peers")]
    [InlineData("master 2 --cluster-secret-file missing", "missing")]
    [InlineData("master 2 --log-format xml", "--log-format")]
    [InlineData("master 2 --log-level loud", "information")]
    [InlineData("master 2 --cert here", "--key")]
    [InlineData("master 2 --key here", "--cert")]
    [InlineData("master 2 --cert missing --key missing", "missing")]
    [InlineData("master 2 --ca missing", "missing")]
    [InlineData("master 2 --peers 0=https://127.0.0.1:8080", "--cert")]
    [InlineData("master 2 --peers 0=http://127.0.0.1:8080 --cert here --key here", "https")]
    public async Task A_wrong_command_line(string arguments, string named) =>
        await ShouldFailAsync(2, named, _noVariables, arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Theory]
    [InlineData("DISTDB_BASE_PORT", "http", "DISTDB_BASE_PORT")]
    [InlineData("DISTDB_TIMEOUT", "10", "--timeout")]
    [InlineData("DISTDB_HOST", "0.0.0.0", "0.0.0.0")]
    [InlineData("DISTDB_CLUSTER_SECRET", "too short", "DISTDB_CLUSTER_SECRET")]
    [InlineData("DISTDB_TOKEN", "too-short", "DISTDB_TOKEN")]
    public async Task A_wrong_variable(string name, string value, string named) =>
        await ShouldFailAsync(2, named, new Dictionary<string, string> { [name] = value }, "master", "0");

    [Theory]
    [InlineData("DISTDB_CLUSTER_SECRET", "--token-file")]
    [InlineData("DISTDB_TOKEN", "--cluster-secret-file")]
    public async Task A_network_without_all_secrets(string given, string missing) => await ShouldFailAsync(
        2, missing, new Dictionary<string, string> { [given] = "a secret that is long enough".Replace(' ', '-') }, "master", "0", "--host", "192.0.2.1");

    [Fact]
    public async Task A_network_for_a_cluster_that_was_open()
    {
        var secret = new Dictionary<string, string> { ["DISTDB_CLUSTER_SECRET"] = "a secret that is long enough" };
        string[] arguments = ["master", "0", "--base-port", FreePort()];
        using (var node = new TestNode(0, new($"http://127.0.0.1:{arguments[3]}"), _folder.FullName, arguments, secret))
        {
            node.Start();
            await WaitUntilAsync(node, node.IsReadyAsync);
            (await node.StopAsync()).Should().Be(0);
        }

        string[] everywhere = [.. arguments, "--host", "0.0.0.0", "--peers", $"0=http://127.0.0.1:{arguments[3]}"];
        await ShouldFailAsync(2, "no tokens", secret, everywhere);
    }

    [Fact]
    public async Task A_secret_that_could_be_guessed()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "secret"), "0123456789abcde\n");
        await ShouldFailAsync(2, "at least 16", _noVariables, "master", "0", "--cluster-secret-file", "secret");
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_made()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, "file"), "");
        await ShouldFailAsync(null, "file", _noVariables, "master", "0", "--data", "file");
        await ShouldFailAsync(null, "/proc/distdb", _noVariables, "master", "0", "--data", "/proc/distdb");

        // The secret is elsewhere: then the folder is first touched for the node's files.
        var secret = new Dictionary<string, string> { ["DISTDB_CLUSTER_SECRET"] = "a secret that is long enough" };
        await ShouldFailAsync(1, "file", secret, "master", "0", "--data", "file");
        await ShouldFailAsync(1, "/proc/distdb", secret, "master", "0", "--data", "/proc/distdb");
    }

    [Fact]
    public async Task A_port_that_is_taken()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        await ShouldFailAsync(1, $"Port {port} is in use", _noVariables, "master", "0", "--base-port", port);
        Directory.Exists(Path.Combine(_folder.FullName, "data", "node-0")).Should().BeFalse("the node's files are not touched before it can listen");
    }

    [Fact]
    public async Task A_data_folder_that_another_process_has()
    {
        await using var cluster = await TestCluster.StartAsync(0);
        var port = FreePorts.Find(1).ToString(CultureInfo.InvariantCulture);
        var data = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(cluster[0].DatabasePath)!, "..", ".."));
        await ShouldFailAsync(1, "in use by another", _noVariables, "master", "0", "--data", data, "--base-port", port);
        (await cluster[0].ExecAsync("CREATE TABLE t (a)")).IsOk.Should().BeTrue("the first process is not disturbed");
    }

    [Theory]
    [InlineData("raft.db")]
    [InlineData("databases/main.db")]
    public async Task A_file_that_is_no_database(string file)
    {
        var path = Path.Combine(_folder.FullName, "data", "node-0", file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, [.. Enumerable.Range(0, 8192).Select(i => (byte)(i * 7))]);
        await ShouldFailAsync(1, path, _noVariables, "master", "0", "--base-port", FreePort());
    }

    [Fact]
    public async Task Another_nodes_log()
    {
        await using (var cluster = await TestCluster.StartAsync(0))
        {
            (await cluster[0].StopAsync()).Should().Be(0);
            Directory.CreateDirectory(Path.Combine(_folder.FullName, "data", "node-1"));
            File.Copy(cluster.Files.Single(f => f.EndsWith("raft.db", StringComparison.Ordinal)), Path.Combine(_folder.FullName, "data", "node-1", "raft.db"));
        }

        await ShouldFailAsync(1, "node 0", _noVariables, "node", "1", "1", "--base-port", FreePort());
    }

    [Fact]
    public async Task A_file_that_vanishes_from_under_a_running_node()
    {
        await using var cluster = await TestCluster.StartAsync(0);
        File.Delete(cluster[0].DatabasePath);
        try
        {
            // The comparison after its start may be over; idle, it would notice with the next one.
            await cluster[0].ExecAsync("CREATE TABLE t (a)");
        }
        catch (HttpRequestException)
        {
            // It ended before it answered.
        }

        (await cluster[0].WaitForExitAsync()).Should().Be(1);
        cluster[0].Log.Should().Contain(cluster[0].DatabasePath);
    }

    [Fact]
    public async Task Help_and_version_are_no_mistakes()
    {
        foreach (var arguments in (string[])["--help", "master --help", "node --help", "--version"])
        {
            using var process = DistDbProcess.Start(_folder.FullName, _noVariables, arguments.Split(' '));
            (await process.WaitForExitAsync(TimeSpan.FromSeconds(60))).Should().Be(0);
            process.Output.Should().NotBeEmpty();
            process.Errors.Should().BeEmpty();
        }
    }

    [Fact]
    public async Task Variables_and_the_env_file_set_options_and_the_command_line_wins()
    {
        var port = FreePorts.Find(3);
        await File.WriteAllTextAsync(Path.Combine(_folder.FullName, ".env"), $"DISTDB_TIMEOUT=7s\nDISTDB_DATA=from-env-file\nDISTDB_BASE_PORT={port + 1}\n");
        var variables = new Dictionary<string, string> { ["DISTDB_DATA"] = "from-variable", ["DISTDB_BASE_PORT"] = $"{port + 2}" };
        using var node = new TestNode(
            0, new($"http://127.0.0.1:{port}"), _folder.FullName, ["master", "0", "--base-port", port.ToString(CultureInfo.InvariantCulture)], variables);
        node.Start();
        await WaitUntilAsync(node, node.IsReadyAsync);
        node.Log.Should().Contain("timeout     7 s").And.Contain("from-variable");
        _folder.GetDirectories().Should().ContainSingle(d => d.Name == "from-variable");
        if (!OperatingSystem.IsWindows())
        {
            var secret = Path.Combine(_folder.FullName, "from-variable", "cluster.secret");
            File.GetUnixFileMode(secret).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Theory]
    [InlineData("another secret", "another cluster secret")]
    [InlineData("another n", "start all with the same <n>")]
    public async Task Peers_that_do_not_fit_are_not_linked_and_both_say_why(string difference, string problem)
    {
        var port = FreePorts.Find(3);
        TestNode[] nodes =
        [
            Node(0, ["master", "1"], "a secret that is long enough"),
            difference == "another secret" ? Node(1, ["node", "1", "1"], "some other secret, as long") : Node(1, ["node", "1", "2"], "a secret that is long enough"),
        ];
        try
        {
            foreach (var node in nodes)
            {
                node.Start();
            }

            foreach (var node in nodes)
            {
                JsonElement peer = default;
                await WaitUntilAsync(node, async () =>
                {
                    peer = await node.StatusAsync() is { } status ? status.GetProperty("peers")[0] : default;
                    return peer.ValueKind == JsonValueKind.Object && peer.GetProperty("problem").GetString() is { } text && text.Contains(problem, StringComparison.Ordinal)
                        && node.Log.Contains(problem, StringComparison.Ordinal);
                });
                peer.GetProperty("reachable").GetBoolean().Should().BeFalse();
                node.Log.Should().NotContain("   at ").And.NotContain("Linked to");
                (await node.IsReadyAsync()).Should().BeFalse();
            }
        }
        finally
        {
            foreach (var node in nodes)
            {
                node.Dispose();
            }
        }

        TestNode Node(int id, string[] role, string secret) => new(
            id,
            new($"http://127.0.0.1:{port + id}"),
            _folder.FullName,
            [.. role, "--base-port", port.ToString(CultureInfo.InvariantCulture)],
            new Dictionary<string, string> { ["DISTDB_CLUSTER_SECRET"] = secret });
    }

    private static string FreePort() => FreePorts.Find(1).ToString(CultureInfo.InvariantCulture);

    private static async Task WaitUntilAsync(TestNode node, Func<Task<bool>> isTrue)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await isTrue())
        {
            timeout.IsCancellationRequested.Should().BeFalse(node.Log);
            node.IsRunning.Should().BeTrue(node.Log);
            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <param name="exitCode">1 for a failure, 2 for a mistake of the user; null for either.</param>
    /// <param name="named">What the message must name.</param>
    /// <param name="variables">The environment.</param>
    /// <param name="arguments">The command line.</param>
    private async Task ShouldFailAsync(int? exitCode, string named, IReadOnlyDictionary<string, string> variables, params string[] arguments)
    {
        using var process = DistDbProcess.Start(_folder.FullName, variables, arguments);
        var actual = await process.WaitForExitAsync(TimeSpan.FromSeconds(60));
        actual.Should().Be(exitCode ?? (actual == 0 ? 1 : actual), process.Errors);
        process.Errors.Should().Contain(named).And.NotContain("   at ").And.NotContain("Unhandled");
        process.Output.Should().BeEmpty("a failure is not to be sought among other lines");

        // The parser has a line for each word that it does not know; everything else is said in one.
        process.Errors.TrimEnd().Split('\n').Count(line => !line.Contains("nrecognized command or argument", StringComparison.Ordinal) && !line.StartsWith("See: ", StringComparison.Ordinal))
            .Should().BeLessThanOrEqualTo(1);
    }
}
