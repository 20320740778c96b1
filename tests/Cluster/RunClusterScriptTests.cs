using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using DistDb.Node.Tls;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>Runs the script as a user does, against real processes.</summary>
public sealed partial class RunClusterScriptTests : IDisposable
{
    private const int SigTerm = 15;
    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(3);
    private static readonly string _root = Repository.Root;

    private static readonly string[] _user = ["test_user", "test@example.com"];

    private readonly string _folder = Directory.CreateTempSubdirectory("distdb-script-").FullName;
    private readonly CancellationTokenSource _timeout = new(_deadline);
    private readonly HttpClient _http = new(new SocketFailures(new SocketsHttpHandler { UseProxy = false }));
    private readonly List<Process> _scripts = [];

    /// <summary>A failed test must not leave nodes behind.</summary>
    public void Dispose()
    {
        foreach (var script in _scripts)
        {
            if (!script.HasExited)
            {
                _ = Kill(script.Id, SigTerm);
                script.WaitForExit();
            }

            script.Dispose();
        }

        _http.Dispose();
        _timeout.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Starts_serves_tells_of_a_dead_node_and_stops_all()
    {
        var port = FreePorts(3);
        var (script, output) = Start("2", "--base-port", $"{port}");
        await output.WaitForAsync("Ctrl-C stops all nodes.", _timeout.Token);

        // The example of the README: the table through the master, the row through one node, read on another.
        await PostAsync(port, new { command = "exec", query = "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, email TEXT)", is_master = false });
        var written = await PostAsync(port + 2, new { command = "exec", query = "INSERT INTO users (username, email) VALUES (?, ?)", @params = _user });
        var index = written.GetProperty("index").GetInt64();
        var read = await PostAsync(port + 1, new { command = "query", query = "SELECT * FROM users", min_index = index });
        read.GetProperty("rows").GetRawText().Should().Be("""[[1,"test_user","test@example.com"]]""");

        var pids = NodesOf(script);
        pids.Should().HaveCount(3);
        Kill(pids[1], 9).Should().Be(0);
        await output.WaitForAsync("Node 1 ended by itself", _timeout.Token);
        await PostAsync(port + 2, new { command = "exec", query = "INSERT INTO users (username) VALUES ('after')", id = "after" });

        Kill(script.Id, SigTerm).Should().Be(0);
        await script.WaitForExitAsync(_timeout.Token);

        script.ExitCode.Should().Be(0, output.Text);
        pids.Should().OnlyContain(pid => !Directory.Exists($"/proc/{pid}"), "the script waits for its nodes");
        Directory.GetDirectories(Path.Combine(_folder, "data")).Select(Path.GetFileName).Should().BeEquivalentTo("logs", "node-0", "node-1", "node-2");
    }

    [Fact]
    public async Task With_TLS_it_makes_certificates_and_says_how_to_trust_them_and_without_it_goes_on_with_the_same_data()
    {
        var port = FreePorts(2);
        var (script, output) = Start("1", "--tls", "--base-port", $"{port}");
        await output.WaitForAsync("Ctrl-C stops all nodes.", _timeout.Token);
        var certificates = Path.Combine(_folder, "data", "tls");
        Directory.GetFiles(certificates).Select(Path.GetFileName).Should().BeEquivalentTo(["ca.pem", "node.pem", "node.key"], "nobody is to sign with that CA again");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Path.Combine(certificates, "node.key")).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        output.Text.Should().Contain($"  export DISTDB_CA={certificates}/ca.pem")
            .And.Contain($"curl --cacert {certificates}/ca.pem https://localhost:{port + 1}/query")
            .And.Contain($"  node 1  https://localhost:{port + 1}");

        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = CertificateTrust.Read(certificates + "/ca.pem").CreateClientOptions() });
        using var answer = await http.PostAsJsonAsync(
            new Uri($"https://localhost:{port}/query"), new { command = "exec", query = "CREATE TABLE t (a)" }, _timeout.Token);
        answer.StatusCode.Should().Be(HttpStatusCode.OK);
        Kill(script.Id, SigTerm).Should().Be(0);
        await script.WaitForExitAsync(_timeout.Token);
        script.ExitCode.Should().Be(0, output.Text);

        var (plain, rest) = Start("1", "--base-port", $"{port}", "--", "bash", "-c", "echo at $DISTDB_URL; exit 7");
        await plain.WaitForExitAsync(_timeout.Token);
        plain.ExitCode.Should().Be(7, rest.Text);
        rest.Text.Should().Contain($"at http://127.0.0.1:{port}");
    }

    [Fact]
    public async Task A_busy_port_stops_it_before_it_has_begun()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var (script, output) = Start("0", "--base-port", $"{port}");
        await script.WaitForExitAsync(_timeout.Token);

        script.ExitCode.Should().Be(1);
        output.Text.Should().Contain($"port {port} is in use");
    }

    [Theory]
    [InlineData]
    [InlineData("two")]
    [InlineData("100")]
    [InlineData("1", "2")]
    [InlineData("1", "--base-port")]
    [InlineData("1", "--base-port", "65535")]
    [InlineData("1", "--colour")]
    [InlineData("1", "--")]
    public async Task Wrong_usage_is_told_with_the_right_one(params string[] arguments)
    {
        var (script, output) = Start(arguments);
        await script.WaitForExitAsync(_timeout.Token);

        script.ExitCode.Should().Be(2);
        output.Text.Should().StartWith("run-cluster.sh: ").And.Contain("Usage: run-cluster.sh <n>");
    }

    private (Process Script, Output Output) Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash", [Path.Combine(_root, "run-cluster.sh"), .. arguments])
        {
            // Its data goes to ./data: it must find the project from anywhere.
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var script = Process.Start(start)!;
        _scripts.Add(script);
        return (script, new(script));
    }

    private async Task<JsonElement> PostAsync(int port, object body)
    {
        using var response = await _http.PostAsJsonAsync(new Uri($"http://127.0.0.1:{port}/query"), body, _timeout.Token);
        var answer = await response.Content.ReadAsStringAsync(_timeout.Token);
        response.StatusCode.Should().Be(HttpStatusCode.OK, answer);
        return JsonDocument.Parse(answer).RootElement;
    }

    /// <summary>The processes that the script started, by node.</summary>
    private static int[] NodesOf(Process script) =>
    [
        .. File.ReadAllText($"/proc/{script.Id}/task/{script.Id}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(pid => (Pid: int.Parse(pid, CultureInfo.InvariantCulture), Arguments: File.ReadAllText($"/proc/{pid}/cmdline").Split('\0')))
            .OrderBy(node => node.Arguments[2] == "master" ? "0" : node.Arguments[3], StringComparer.Ordinal)
            .Select(node => node.Pid),
    ];

    /// <summary>Consecutive ports, below those that the system gives out by itself.</summary>
    private static int FreePorts(int count)
    {
        for (var i = 0; i < 100; i++)
        {
            var first = Random.Shared.Next(20_000, 32_000);
            var listeners = Enumerable.Range(first, count).Select(port => new TcpListener(IPAddress.Loopback, port)).ToArray();
            try
            {
                Array.ForEach(listeners, listener => listener.Start());
                return first;
            }
            catch (SocketException)
            {
                // One of them is taken; others are not.
            }
            finally
            {
                Array.ForEach(listeners, listener => listener.Dispose());
            }
        }

        throw new InvalidOperationException("There are no free ports.");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Kill(int pid, int signal);

    /// <summary>What a process printed so far, on both of its streams.</summary>
    private sealed class Output
    {
        private readonly Lock _lock = new();
        private readonly StringBuilder _text = new();
        private readonly Process _process;
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Output(Process process)
        {
            _process = process;
            process.OutputDataReceived += (_, line) => Add(line.Data);
            process.ErrorDataReceived += (_, line) => Add(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public string Text
        {
            get
            {
                lock (_lock)
                {
                    return _text.ToString();
                }
            }
        }

        public async Task WaitForAsync(string text, CancellationToken cancellation)
        {
            while (true)
            {
                Task changed;
                lock (_lock)
                {
                    changed = _changed.Task;
                    if (_text.ToString().Contains(text, StringComparison.Ordinal))
                    {
                        return;
                    }
                }

                _process.HasExited.Should().BeFalse("it should say '{0}' first, but said: {1}", text, Text);
                await changed.WaitAsync(cancellation);
            }
        }

        private void Add(string? line)
        {
            lock (_lock)
            {
                if (line is not null)
                {
                    _text.AppendLine(line);
                }

                // The end of a stream comes as null, and waiters look whether the process goes on.
                var changed = _changed;
                _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                changed.SetResult();
            }
        }
    }
}
