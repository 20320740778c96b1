using System.Globalization;
using DistDb.Tests.Support;
using DistDb.Tools;
using DistDb.Tools.Bench;

namespace DistDb.Bench.Compare;

/// <summary>PostgreSQL, a primary and two standbys of which one must have each commit on disk; the load is its own pgbench with prepared statements.</summary>
/// <param name="folder">Where its files go; every user may enter it.</param>
internal sealed class PostgresPeer(string folder) : Peer
{
    private const int ReadableRows = 1000;
    private const string User = "postgres";

    private readonly int _basePort = FreePorts.Find(ComparedNodeCount);
    private int _runs;

    public override string Name => "postgresql";

    /// <summary>Where Debian has the newest version's programs; elsewhere they are on the path.</summary>
    private static string Programs { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.EnumerateDirectories("/usr/lib/postgresql").OrderBy(path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture)).Last() + "/bin/"
        : "";

    public override string? Describe(Job job) => job switch
    {
        Job.Write => "prepared INSERT, quorum commit of one standby",
        Job.Read => "prepared SELECT by key",
        _ => null,
    };

    public override async Task StartAsync(CancellationToken cancellation)
    {
        await RunAsync("initdb", ["-D", DataOf(0), "-A", "trust", "--no-sync"], cancellation).ConfigureAwait(false);
        Start(0, "-c", "synchronous_standby_names=ANY 1 (s1,s2)", "-c", "wal_level=replica");
        await WaitUntilReadyAsync(0, cancellation).ConfigureAwait(false);
        for (var id = 1; id < NodeCount; id++)
        {
            await RunAsync("pg_basebackup", ["-h", "127.0.0.1", "-p", PortOf(0), "-D", DataOf(id), "-R", "--no-sync"], cancellation).ConfigureAwait(false);
            Start(id, "-c", $"primary_conninfo=host=127.0.0.1 port={PortOf(0)} application_name=s{id}");
        }

        await Waiting.UntilAsync(
            "both standbys follow",
            async () => (await SqlAsync("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", cancellation).ConfigureAwait(false)).Trim() == "2",
            Running,
            cancellation).ConfigureAwait(false);
        await SqlAsync("CREATE TABLE bench_writes (id bigserial PRIMARY KEY, client int, value text)", cancellation).ConfigureAwait(false);
        await SqlAsync("CREATE TABLE bench_reads (id int PRIMARY KEY, value text)", cancellation).ConfigureAwait(false);
        await SqlAsync($"INSERT INTO bench_reads SELECT i, repeat('v', 100) FROM generate_series(1, {ReadableRows}) i", cancellation).ConfigureAwait(false);
        await SqlAsync("VACUUM ANALYZE", cancellation).ConfigureAwait(false);
    }

    public override async Task<Sample> RunAsync(Job job, bool throughFollower, int clients, LoadTime load, CancellationToken cancellation)
    {
        var run = Directory.CreateDirectory(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"pgbench-{++_runs}")));
        run.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        var script = Path.Combine(run.FullName, "script.sql");
        await File.WriteAllTextAsync(
            script,
            job == Job.Write
                ? $"INSERT INTO bench_writes (client, value) VALUES (:client_id, '{new string('v', 100)}');\n"
                : $"\\set id random(1, {ReadableRows})\nSELECT id, value FROM bench_reads WHERE id = :id;\n",
            cancellation).ConfigureAwait(false);
        var seconds = (int)Math.Ceiling((load.WarmUp + load.Measured).TotalSeconds);
        var begin = DateTimeOffset.UtcNow + load.WarmUp;
        var prefix = Path.Combine(run.FullName, "log");
        await RunAsync(
            "pgbench",
            [
                "-h", "127.0.0.1", "-p", PortOf(0), "-n", "-M", "prepared", "-f", script, "-c", Text(clients), "-j", Text(Math.Min(clients, Environment.ProcessorCount)),
                "-T", Text(seconds), "-l", $"--log-prefix={prefix}", "postgres",
            ],
            cancellation).ConfigureAwait(false);
        var sample = Read(run, begin, load.Measured);
        run.Delete(recursive: true);
        return sample;
    }

    /// <summary>Of pgbench's log, a line for each transaction: client, number, microseconds it took, script, and when it ended in seconds and microseconds.</summary>
    private static Sample Read(DirectoryInfo run, DateTimeOffset begin, TimeSpan measured)
    {
        var latencies = new LatencyHistogram();
        foreach (var line in run.EnumerateFiles("log.*").SelectMany(file => File.ReadLines(file.FullName)))
        {
            var fields = line.Split(' ');
            var ended = DateTimeOffset.UnixEpoch.AddTicks((Number(fields[4]) * TimeSpan.TicksPerSecond) + (Number(fields[5]) * TimeSpan.TicksPerMicrosecond));
            if (ended >= begin && ended < begin + measured)
            {
                latencies.Add(TimeSpan.FromMicroseconds(Number(fields[2])));
            }
        }

        return new(
            latencies.Count / measured.TotalSeconds, latencies.Percentile(0.50).TotalMilliseconds, latencies.Percentile(0.99).TotalMilliseconds, 0);

        static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    private static Task<string> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation) =>
        PeerProcess.RunAsync(User, Programs + program, arguments, cancellation);

    private Task<string> SqlAsync(string sql, CancellationToken cancellation) =>
        RunAsync("psql", ["-h", "127.0.0.1", "-p", PortOf(0), "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, "postgres"], cancellation);

    private string DataOf(int id) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"p{id}"));

    private string PortOf(int id) => Text(_basePort + id);

    private void Start(int id, params IEnumerable<string> settings) => Nodes[id] = PeerProcess.Start(
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"postgres-{id}.log")),
        User,
        Programs + "postgres",
        [
            "-D", DataOf(id), "-p", PortOf(id), "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories={DataOf(id)}",
            "-c", "max_connections=600", .. settings,
        ]);

    private Task WaitUntilReadyAsync(int id, CancellationToken cancellation) => Waiting.UntilAsync(
        "PostgreSQL takes connections",
        async () =>
        {
            try
            {
                await RunAsync("pg_isready", ["-h", "127.0.0.1", "-p", PortOf(id)], cancellation).ConfigureAwait(false);
                return true;
            }
            catch (ToolException)
            {
                return false;
            }
        },
        Running,
        cancellation);
}
