using System.Globalization;
using System.Text.RegularExpressions;
using DistDb.Tests.Support;
using DistDb.Tools;

namespace DistDb.Bench.Compare;

/// <summary>MariaDB with Galera; the load is sysbench with prepared statements.</summary>
/// <param name="folder">Where its files go; every user may enter it.</param>
internal sealed partial class GaleraPeer(string folder) : Peer
{
    private const int ReadableRows = 1000;
    private const string User = "mysql";

    /// <summary>For each node: clients, group communication, incremental and full state transfer.</summary>
    private readonly int _basePort = FreePorts.Find(4 * ComparedNodeCount);

    public override string Name => "galera";

    public override string? Describe(Job job) => job switch
    {
        Job.Write => "prepared INSERT, certified by all",
        Job.Read => "prepared SELECT by key",
        _ => null,
    };

    public override async Task StartAsync(CancellationToken cancellation)
    {
        for (var id = 0; id < NodeCount; id++)
        {
            await PeerProcess.RunAsync(
                User, "mariadb-install-db", ["--no-defaults", $"--datadir={DataOf(id)}", "--auth-root-authentication-method=normal", "--skip-test-db"], cancellation).ConfigureAwait(false);
            Start(id);
            await WaitUntilReadyAsync(id, cancellation).ConfigureAwait(false);
        }

        await SqlAsync(0, "CREATE DATABASE bench", cancellation).ConfigureAwait(false);
        await SqlAsync(0, "CREATE TABLE bench.bench_writes (id bigint AUTO_INCREMENT PRIMARY KEY, client int, value text)", cancellation).ConfigureAwait(false);
        await SqlAsync(0, "CREATE TABLE bench.bench_reads (id int PRIMARY KEY, value text)", cancellation).ConfigureAwait(false);
        await SqlAsync(0, $"INSERT INTO bench.bench_reads SELECT seq, repeat('v', 100) FROM bench.seq_1_to_{ReadableRows}", cancellation).ConfigureAwait(false);
    }

    public override async Task<Sample> RunAsync(Job job, bool throughFollower, int clients, LoadTime load, CancellationToken cancellation)
    {
        var output = await PeerProcess.RunAsync(
            null,
            "sysbench",
            [
                Path.Combine(AppContext.BaseDirectory, job == Job.Write ? "insert.lua" : "select.lua"), "--db-driver=mysql", "--mysql-host=127.0.0.1", $"--mysql-port={PortOf(0, 0)}",
                "--mysql-user=root", "--mysql-db=bench", $"--threads={Text(clients)}", $"--warmup-time={Text((int)load.WarmUp.TotalSeconds)}",
                $"--time={Text((int)load.Measured.TotalSeconds)}", "--events=0", "--histogram=on", "run",
            ],
            cancellation).ConfigureAwait(false);
        return Read(output);
    }

    /// <summary>Of sysbench's report: a line with the events a second, and a histogram of milliseconds.</summary>
    private static Sample Read(string output)
    {
        var rate = EventsPerSecond().Match(output);
        (double Ms, long Count)[] buckets =
        [
            .. HistogramLine().Matches(output).Select(line => (
                double.Parse(line.Groups["ms"].Value, CultureInfo.InvariantCulture), long.Parse(line.Groups["count"].Value, CultureInfo.InvariantCulture))),
        ];
        return rate.Success && buckets.Length > 0
            ? new(double.Parse(rate.Groups["rate"].Value, CultureInfo.InvariantCulture), Percentile(0.50), Percentile(0.99), 0)
            : throw new ToolException($"sysbench reported something else: {output}", ExitCode.BadNews);

        double Percentile(double fraction)
        {
            var rank = buckets.Sum(bucket => bucket.Count) * fraction;
            long seen = 0;
            return buckets.First(bucket => (seen += bucket.Count) >= rank).Ms;
        }
    }

    [GeneratedRegex(@"(events/s \(eps\)|events per second|transactions:.*\()\D*(?<rate>[0-9.]+)")]
    private static partial Regex EventsPerSecond();

    [GeneratedRegex(@"^\s*(?<ms>[0-9]+\.[0-9]+) \|.*\s(?<count>[0-9]+)\s*$", RegexOptions.Multiline)]
    private static partial Regex HistogramLine();

    private string DataOf(int id) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"g{id}"));

    private string PortOf(int id, int use) => Text(_basePort + (4 * id) + use);

    private void Start(int id) => Nodes[id] = PeerProcess.Start(
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"galera-{id}.log")),
        User,
        "mariadbd",
        "--no-defaults", $"--datadir={DataOf(id)}", $"--port={PortOf(id, 0)}", "--bind-address=127.0.0.1", $"--socket={DataOf(id)}/socket", $"--pid-file={DataOf(id)}/pid",
        "--max-connections=600", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--innodb-flush-log-at-trx-commit=1", "--wsrep-on=ON",
        "--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--wsrep-cluster-name=bench", "--wsrep-node-address=127.0.0.1", $"--wsrep-node-name=g{id}",
        "--wsrep-sst-method=rsync", $"--wsrep-sst-receive-address=127.0.0.1:{PortOf(id, 3)}",
        $"--wsrep-cluster-address=gcomm://{(id == 0 ? "" : $"127.0.0.1:{PortOf(0, 1)}")}",
        $"--wsrep-provider-options=base_host=127.0.0.1;gmcast.listen_addr=tcp://127.0.0.1:{PortOf(id, 1)};ist.recv_addr=127.0.0.1:{PortOf(id, 2)}");

    private Task<string> SqlAsync(int id, string sql, CancellationToken cancellation) => PeerProcess.RunAsync(
        null, "mariadb", ["--no-defaults", "-h", "127.0.0.1", "-P", PortOf(id, 0), "-u", "root", "-N", "-B", "-e", sql], cancellation);

    private Task WaitUntilReadyAsync(int id, CancellationToken cancellation) => Waiting.UntilAsync(
        "Galera's node is synced",
        async () =>
        {
            try
            {
                return (await SqlAsync(id, "SHOW STATUS LIKE 'wsrep_local_state_comment'", cancellation).ConfigureAwait(false)).Contains("Synced", StringComparison.Ordinal);
            }
            catch (ToolException)
            {
                return false;
            }
        },
        Running,
        cancellation);
}
