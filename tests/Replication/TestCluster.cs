using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Storage;
using DistDb.Tests.Support;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DistDb.Tests.Replication;

/// <summary>
/// Real nodes with real files in one process, on a <see cref="TestNetwork"/>. Elections are called by the test: the default timeouts are so long that
/// a slow machine calls none of its own. Every write that goes through here is accounted for by <see cref="CheckAsync"/>.
/// </summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-cluster-");
    private readonly Func<int, ReplicationOptions> _options;
    private readonly ClusterNode?[] _nodes;
    private readonly List<(string Token, Task<WriteResult> Result)> _writes = [];
    private readonly NodeWatch _watch = new();

    private TestCluster(int size, Func<int, ReplicationOptions> options)
    {
        SqliteLibrary.Initialize();
        _nodes = new ClusterNode?[size];
        _options = options;
    }

    public static ReplicationOptions Options { get; } = new()
    {
        Raft = new() { ElectionTimeoutTicksMin = 600, ElectionTimeoutTicksMax = 1000 },
        RequestTimeout = TimeSpan.FromSeconds(60),
        ResendInterval = TimeSpan.FromMilliseconds(100),

        // Entries of the cluster's own would be in the way of most tests.
        VerifyInterval = TimeSpan.Zero,
    };

    public TestNetwork Network { get; } = new();

    public int Size => _nodes.Length;

    /// <summary>A running node.</summary>
    public ClusterNode this[int node] => _nodes[node] ?? throw new InvalidOperationException($"Node {node} is stopped.");

    private IEnumerable<ClusterNode> Running => _nodes.OfType<ClusterNode>();

    /// <summary>A cluster led by node 0, with the table <c>w(token, k UNIQUE)</c>.</summary>
    public static async Task<TestCluster> StartAsync(Func<int, ReplicationOptions>? options = null, int size = 3)
    {
        var cluster = new TestCluster(size, options ?? (_ => Options));
        for (var node = 0; node < size; node++)
        {
            await cluster.StartAsync(node);
        }

        await cluster.ElectAsync(0);
        await cluster.UntilAsync(
            () => cluster.Running.All(n => n.Membership.Members.All(m => m is { IsVoter: true, LogId: not 0 })),
            "the membership is recorded, so that no more entries come by themselves");
        (await cluster[0].WriteAsync("main", [Sql("CREATE TABLE w(token TEXT NOT NULL, k INTEGER UNIQUE)")], false, null, default))
            .Should().BeOfType<WriteResult.Done>();
        await cluster.SettleAsync();
        return cluster;
    }

    public static Statement Sql(string sql, params SqlValue[] values) => new(sql, StatementParameters.FromPositional(values));

    /// <summary>Starts a stopped node on the files it left.</summary>
    /// <param name="node">Which.</param>
    /// <param name="given">Another node, and where its operator says that it is.</param>
    public async Task StartAsync(int node, params IEnumerable<(int Node, string Address)> given)
    {
        var addresses = Enumerable.Range(0, Size).ToDictionary(n => new NodeId(n), n => new Uri($"http://node-{n}"));
        var settings = new ClusterSettings(addresses) { GivenAddresses = given.ToDictionary(g => new NodeId(g.Node), g => new Uri(g.Address)) };
        _nodes[node] = new(new(_folder.FullName, new(node)), settings, OptionsOf(node), new(), Network.Connect(node), _watch, _watch);
        await this[node].StartAsync(CancellationToken.None);
    }

    /// <summary>The process dies: nothing more leaves it, and what was not committed to its files is lost.</summary>
    public async Task CrashAsync(int node)
    {
        Network.Disconnect(node);
        var victim = this[node];
        _nodes[node] = null;
        await Task.Run(victim.Dispose);
    }

    /// <summary>The process is told to stop, and ends by itself.</summary>
    public async Task StopAsync(int node)
    {
        var victim = this[node];
        _nodes[node] = null;
        await victim.StopAsync(CancellationToken.None);
        Network.Disconnect(node);
        await Task.Run(victim.Dispose);
    }

    /// <summary>A stopped node loses all it had.</summary>
    public void Wipe(int node) => Directory.Delete(NodeFolder.PathOf(_folder.FullName, new(node)), recursive: true);

    /// <summary>Where a node keeps its files.</summary>
    public NodeFolder FolderOf(int node) => new(_folder.FullName, new(node));

    public string[] SnapshotFiles(int node) => Directory.GetFileSystemEntries(Path.Combine(NodeFolder.PathOf(_folder.FullName, new(node)), "snapshots"));

    /// <summary>A stopped node loses its databases, but not its log.</summary>
    public void WipeDatabase(int node) => Directory.Delete(DatabaseFolder(node), recursive: true);

    /// <summary>Copies a node's databases as they are while nothing is being written.</summary>
    public void SaveDatabase(int node)
    {
        Directory.CreateDirectory(SavedDatabase(node));
        foreach (var file in Directory.GetFiles(DatabaseFolder(node)).Where(f => !f.EndsWith("-shm", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(SavedDatabase(node), Path.GetFileName(file)), overwrite: true);
        }
    }

    /// <summary>Puts the copy in place of a stopped node's databases: a power loss that took back what SQLite had not synced.</summary>
    public void LoseUnsynced(int node)
    {
        Directory.Delete(DatabaseFolder(node), recursive: true);
        Directory.Move(SavedDatabase(node), DatabaseFolder(node));
    }

    /// <summary>
    /// Has one of some nodes lead, by the leader's own request as far as it can tell. They are asked in turn, as one whose log is behind
    /// cannot win; and where none of them can, all are, since a leader brings the others up to date.
    /// </summary>
    public async Task ElectAsync(params int[] nodes)
    {
        long? askedAt = null;
        var turn = 0;
        await UntilAsync(
            () =>
            {
                if (nodes.Any(n => this[n].Role == Role.Leader))
                {
                    return true;
                }

                if (askedAt is not { } at || Stopwatch.GetElapsedTime(at) > TimeSpan.FromMilliseconds(500))
                {
                    askedAt = Stopwatch.GetTimestamp();
                    var asked = turn < 4 * nodes.Length ? nodes : [.. nodes, .. Enumerable.Range(0, Size).Where(n => _nodes[n] is not null)];
                    var node = asked[turn++ % asked.Length];
                    var other = (node + 1) % Size;
                    Network.Inject(new(other, node, new Node.Transport.RaftPeerMessage(new TimeoutNow(new(other), new(node), this[node].Term))));
                }

                return false;
            },
            $"node {string.Join(" or ", nodes)} leads");
    }

    /// <summary>Inserts a row with a token of its own.</summary>
    public Task<WriteResult> InsertAsync(int node, string token, long? k = null, string? id = null) =>
        WriteAsync(node, token, "INSERT INTO w(token, k) VALUES (?, ?)", id, k is { } value ? SqlValue.From(value) : SqlValue.Null);

    /// <summary>Runs a statement that inserts one row with its first parameter as the token.</summary>
    public Task<WriteResult> WriteAsync(int node, string token, string sql, string? id = null, params SqlValue[] values)
    {
        var result = this[node].WriteAsync("main", [Sql(sql, [SqlValue.From(token), .. values])], false, id, CancellationToken.None);
        _writes.Add((token, result));
        return result;
    }

    /// <summary>The tokens that a node's readers see.</summary>
    public async Task<List<string>> TokensAsync(int node, bool isStrong = false, long minIndex = 0)
    {
        var result = await this[node].QueryAsync("main", Sql("SELECT token FROM w ORDER BY token"), isStrong, new(minIndex), CancellationToken.None);
        return [.. result.Should().BeOfType<QueryResult.Done>().Subject.Rows.Rows.Select(row => row[0].Text)];
    }

    public async Task<List<string>> UserTablesAsync(int node)
    {
        var result = await this[node].QueryAsync("main",
            Sql("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_distdb%' ESCAPE '\\' ORDER BY name"), false, default, default);
        return [.. result.Should().BeOfType<QueryResult.Done>().Subject.Rows.Rows.Select(row => row[0].Text)];
    }

    /// <summary>Waits until a node stops by itself, which is what the test wants; tells why it did.</summary>
    public async Task<string> FailureAsync(int node)
    {
        await this[node].ExecuteTask!.WaitAsync(_patience);
        var failure = _watch.TakeFailure();

        // What the process would end with; not looked at, as other clusters of this process may fail at the same moment.
        Environment.ExitCode = 0;
        return failure ?? throw new InvalidOperationException($"Node {node} stopped without a word, or without its process.");
    }

    /// <summary>What nodes that stopped have said is expected.</summary>
    public void ForgetFailures()
    {
        _watch.TakeFailure();
        Environment.ExitCode = 0;
    }

    /// <summary>What nodes said to their operators.</summary>
    public IReadOnlyList<string> Messages => _watch.Messages;

    /// <summary>What a node keeps of databases that were bad.</summary>
    public string[] QuarantineFiles(int node) =>
        Path.Combine(NodeFolder.PathOf(_folder.FullName, new(node)), "quarantine") is var folder && Directory.Exists(folder) ? Directory.GetFiles(folder, "*", SearchOption.AllDirectories) : [];

    /// <summary>Cuts a stopped node's database short.</summary>
    public void Truncate(int node, int bytes)
    {
        MergeLog(node);
        using var file = File.OpenWrite(DatabasePath(node));
        file.SetLength(bytes);
    }

    /// <summary>Overwrites the page of a stopped node's database that has a text in it.</summary>
    public void OverwritePage(int node, string text)
    {
        MergeLog(node);
        FilePages.Overwrite(DatabasePath(node), text);
    }

    /// <summary>Puts another file in the place of a running node's database.</summary>
    public void ReplaceFile(int node, int byNodes)
    {
        var draft = DatabasePath(node) + ".draft";
        using (var content = PinnedContent.Open("main", DatabasePath(byNodes), index: null))
        {
            content.CopyTo(draft);
        }

        File.Move(draft, DatabasePath(node), overwrite: true);
    }

    /// <summary>Moves what SQLite's log holds into the file.</summary>
    private void MergeLog(int node) => Tamper(node, "PRAGMA wal_checkpoint(TRUNCATE)");

    /// <summary>Deletes one database of a stopped replica.</summary>
    public void DeleteDatabase(int node, string database) => DatabaseFile.Delete(Path.Combine(DatabaseFolder(node), $"{database}.db"));

    /// <summary>Changes a stopped replica behind its node's back.</summary>
    public void Tamper(int node, string sql, string database = "main")
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(DatabaseFolder(node), database)}.db;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public async Task UntilAsync(Func<bool> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(2));
        while (!condition())
        {
            _watch.ThrowIfAnyNodeFailed();
            if (Stopwatch.GetElapsedTime(started) > _patience)
            {
                throw new TimeoutException($"Not reached: {what}.\n{Describe()}");
            }

            await poll.WaitForNextTickAsync();
        }
    }

    /// <summary>Waits until the running nodes have one leader, hold and have applied the same log, and no write is under way.</summary>
    public Task SettleAsync() => UntilAsync(
        () => Running.Where(n => n.Role == Role.Leader).ToArray() is [var leader]
            && Running.All(n => n.Leader == leader.Id && n.Term == leader.Term && n.LastLogIndex == leader.LastLogIndex
                && n.AppliedIndex == leader.LastLogIndex && n.ClusterId != Guid.Empty && n.Counters.PendingWrites == 0),
        "all nodes agree");

    /// <summary>
    /// Heals the network and holds every answer against every replica: what was done is there once, what was not is not,
    /// nothing is there twice, and all are the same.
    /// </summary>
    public async Task CheckAsync()
    {
        Network.Heal();
        foreach (var (token, result) in _writes)
        {
            await UntilAsync(() => result.IsCompleted, $"write {token} is answered");
        }

        await SettleAsync();
        foreach (var node in Running)
        {
            var rows = Tokens(DatabasePath(node.Id.Value));
            foreach (var token in _writes.GroupBy(w => w.Token))
            {
                var count = rows.GetValueOrDefault(token.Key);
                var results = token.Select(w => w.Result.Result).ToArray();
                if (results.Any(r => r is WriteResult.Done))
                {
                    count.Should().Be(1, $"node {node.Id} has write {token.Key}, which was answered as done");
                }
                else if (results.All(r => r is WriteResult.NotDone { Failure.Code: not FailureCode.OutcomeUnknown }))
                {
                    count.Should().Be(0, $"node {node.Id} does not have write {token.Key}, which was answered as not done");
                }
                else
                {
                    count.Should().BeLessThanOrEqualTo(1, $"node {node.Id} has write {token.Key} at most once");
                }
            }
        }

        Running.Select(n => ContentHash.Of(DatabasePath(n.Id.Value))).Distinct().Should().ContainSingle("replicas are the same");
        Running.Select(n => ContentHash.OfChanges(DatabasePath(n.Id.Value))).Distinct().Should().ContainSingle("those who follow changes are told the same by all");
        _watch.ThrowIfAnyNodeFailed();
    }

    public async ValueTask DisposeAsync()
    {
        for (var node = 0; node < Size; node++)
        {
            if (_nodes[node] is not null)
            {
                await CrashAsync(node);
            }
        }

        Network.Dispose();
        _folder.Delete(recursive: true);
    }

    private static Dictionary<string, int> Tokens(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT token, count(*) FROM w GROUP BY token";
        using var reader = command.ExecuteReader();
        var tokens = new Dictionary<string, int>();
        while (reader.Read())
        {
            tokens.Add(reader.GetString(0), reader.GetInt32(1));
        }

        return tokens;
    }

    /// <summary>One that is alone has nobody to ask it to stand for election, and would wait as long as the others wait for each other.</summary>
    private ReplicationOptions OptionsOf(int node) => Size > 1 ? _options(node) : _options(node) with { Raft = new() };

    private string DatabaseFolder(int node) => Path.Combine(_folder.FullName, $"node-{node}", "databases");

    private string DatabasePath(int node) => Path.Combine(DatabaseFolder(node), "main.db");

    private string SavedDatabase(int node) => Path.Combine(_folder.FullName, $"saved-{node}");

    private string Describe() => string.Join(
        "\n",
        Running.Select(n =>
            $"node {n.Id}: {n.Role} in term {n.Term}, leader {n.Leader}, log {n.LastLogIndex}, committed {n.CommitIndex}, applied {n.AppliedIndex}, {n.Counters.PendingWrites} writes pending, repair {n.Repair}"))
        + "\n" + string.Join("\n", Messages);

    /// <summary>Stands for the host: remembers what made a node stop by itself, which no test wants.</summary>
    private sealed class NodeWatch : IHostApplicationLifetime, ILogger<ClusterNode>
    {
        private readonly List<string> _messages = [];
        private volatile string? _failure;

        public IReadOnlyList<string> Messages
        {
            get
            {
                lock (_messages)
                {
                    return [.. _messages];
                }
            }
        }

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public bool IsStopping { get; private set; }

        public void StopApplication() => IsStopping = true;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_messages)
            {
                _messages.Add(formatter(state, exception));
            }

            if (logLevel >= LogLevel.Critical)
            {
                _failure ??= $"{formatter(state, exception)} {exception}";
            }
        }

        /// <summary>What a node that stops its process said, or null; it counts as expected from then on.</summary>
        public string? TakeFailure()
        {
            if (!IsStopping)
            {
                return null;
            }

            var failure = _failure;
            _failure = null;
            IsStopping = false;
            return failure;
        }

        public void ThrowIfAnyNodeFailed()
        {
            if (_failure is { } failure)
            {
                throw new InvalidOperationException(failure);
            }
        }
    }
}
