using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using DistDb.Node.Api;
using DistDb.Node.Archive;
using DistDb.Node.Backups;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Storage;
using DistDb.Node.Telemetry;
using DistDb.Node.Tls;

namespace DistDb.Node;

/// <summary>
/// The commands <c>master &lt;n&gt;</c> and <c>node &lt;id&gt; &lt;n&gt;</c>. Each option can also be set by an environment variable
/// (<c>DISTDB_</c> and its name) or in a <c>.env</c> file, in this order of precedence.
/// </summary>
internal static class NodeCommand
{
    private const int NodeCountMax = 99;

    public static IEnumerable<Command> Create()
    {
        yield return CreateMaster();
        yield return CreateNode();
        yield return CreateRecover();
    }

    private static Command CreateMaster()
    {
        var count = CountArgument();
        var command = new Command("master", "Start node 0, which is the master unless another was promoted.") { count };
        var options = new Options();
        options.AddTo(command);
        command.SetAction((parsed, token) => RunAsync(() => options.Read(parsed, new(0), parsed.GetValue(count)), token));
        return command;
    }

    private static Command CreateNode()
    {
        var id = IdArgument("This node's number, from 1 to n.");
        var count = CountArgument();
        var command = new Command("node", "Start one of the other nodes.") { id, count };
        var options = new Options();
        options.AddTo(command);
        command.SetAction((parsed, token) => RunAsync(
            () =>
            {
                var (node, n) = (parsed.GetValue(id), parsed.GetValue(count));
                return node is < 1 or > NodeCountMax
                    ? throw new SettingsException($"The node's id is {node}; it must be from 1 to {NodeCountMax}. (Node 0 is started with \"distdb master {n}\".)")
                    : options.Read(parsed, new(node), n);
            },
            token));
        return command;
    }

    private static Command CreateRecover()
    {
        var id = IdArgument("The node's number.");
        var count = CountArgument();
        var options = new Options();
        return RecoverCommand.Create(parsed => options.ReadPlace(parsed, new(parsed.GetValue(id)), parsed.GetValue(count), Uri.UriSchemeHttp), options.Place, id, count);
    }

    private static Argument<int> CountArgument() => NumberArgument("n", "How many nodes there are beside the master.", "a number of nodes, such as 2");

    private static Argument<int> IdArgument(string description) => NumberArgument("id", description, "the number of a node, such as 1");

    /// <summary>The parser's own complaint would name a type of .NET.</summary>
    private static Argument<int> NumberArgument(string name, string description, string wanted) => new(name)
    {
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }

            result.AddError($"<{name}> is \"{text}\"; it must be {wanted}.");
            return default;
        },
    };

    /// <summary>Runs a node to its end. Exit code 0 after an orderly stop, 1 if it failed, 2 if a setting is wrong.</summary>
    private static async Task<int> RunAsync(Func<NodeSettings> read, CancellationToken cancellationToken)
    {
        try
        {
            return await NodeHost.RunAsync(read(), cancellationToken).ConfigureAwait(false);
        }
        catch (SettingsException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return 2;
        }
    }

    /// <summary>The options that both commands share.</summary>
    private sealed class Options
    {
        private const string SecretVariable = "DISTDB_CLUSTER_SECRET";
        private const string DefaultBackupEvery = "1h";
        private const string DefaultArchiveEvery = "1m";

        private readonly Option<string> _host = Setting(
            "--host", "localhost", "Address to listen on. Any but a loopback address (localhost, 127.0.0.1, ::1) takes a cluster secret and a first token.");

        private readonly Option<int> _basePort = Setting("--base-port", 8080, "Node i listens on this port plus i.");
        private readonly Option<string> _data = Setting("--data", "data", "Folder for the nodes' files.");
        private readonly Option<string> _peers = Setting(
            "--peers", "", "Addresses of nodes that are not at their default, such as 0=http://127.0.0.1:8080,1=http://127.0.0.1:9001.");

        private readonly Option<string> _join = Setting(
            "--join", "", "Address of any node of a running cluster that is to take this node in, such as http://127.0.0.1:8080; several with commas.");

        private readonly Option<bool> _rebuild = new("--rebuild")
        {
            Description = "Once, after this node's files were damaged: put them aside and learn everything from the other nodes.",
        };

        private readonly Option<string> _secretFile = Setting(
            "--cluster-secret-file", "", "File with the secret that all nodes share. Default: DISTDB_CLUSTER_SECRET, else <data>/cluster.secret, made at the first start.");

        private readonly Option<string> _tokenFile = Setting(
            "--token-file", "", "File with the token that becomes the first admin's if the cluster has none. Default: DISTDB_TOKEN, else none.");

        private readonly Option<string> _certificate = Setting(
            "--cert", "", "PEM file with this node's certificate, and after it those between it and the CA. With it and --key the node speaks https alone, to clients and peers.");

        private readonly Option<string> _key = Setting("--key", "", "PEM file with the certificate's private key.");
        private readonly Option<string> _ca = Setting(
            "--ca", "", "PEM file with the only CAs by which the other nodes' certificates are judged. Default: those that the operating system trusts.");

        private readonly Option<string> _timeout = Setting("--timeout", "10s", "How long a request may take, such as 10s or 500ms.");
        private readonly Option<long> _bodyBytesMax = Setting("--max-body", 16L << 20, "Largest request body in bytes.");

        private readonly Option<int> _requestsMax = Setting("--max-requests", 4096, "Requests that are under way at once; more are answered \"overloaded\".");

        private readonly Option<int> _connectionsMax = Setting(
            "--max-connections", 10_000, "Connections of clients; more are closed at once.");

        private readonly Option<long> _requestMemory = Setting(
            "--request-memory", 128L << 20, "Bytes of request bodies and gathered rows held at once; requests for more are answered \"overloaded\".");

        private readonly Option<int> _pendingWritesMax = Setting("--max-pending", 10_000, "Writes that wait at once; more are answered \"overloaded\".");
        private readonly Option<long> _pendingBytesMax = Setting("--max-pending-bytes", 128L << 20, "Bytes of the same.");

        private readonly Option<int> _readers = Setting(
            "--readers", new DatabaseOptions().ReaderCount, "Queries that run at once; others wait for their turn. By default twice the cores, at least 4.");

        private readonly Option<int> _openDatabases = Setting(
            "--open-databases", new DatabaseOptions().OpenDatabasesMax, "Databases that are kept open, at most. Those used least recently are closed, and opened again when they are needed, which takes some milliseconds.");

        private readonly Option<long> _resultBytesMax = Setting(
            "--max-result", 64L << 20, "Largest row of a query, and largest result of a write or of a query with \"max_rows\", in bytes.");

        private readonly Option<int> _logTailEntries = Setting(
            "--log-tail", 10_000, "Entries that the log keeps for peers that were away; one that needs older ones gets a snapshot.");

        private readonly Option<long> _logTailBytes = Setting("--log-tail-bytes", 64L << 20, "Bytes of the same: whichever is reached first.");

        private readonly Option<string> _transactionIdle = Setting(
            "--transaction-idle", "5s", "An interactive transaction whose client sends nothing for this long is rolled back.");

        private readonly Option<string> _transactionTimeout = Setting(
            "--transaction-timeout", "30s", "An interactive transaction that takes longer than this in all is rolled back.");

        private readonly Option<string> _verifyEvery = Setting(
            "--verify-every", "1h", "How often all nodes compare their content, such as 1h or 30m; 0 for never, not even after a start.");

        private readonly Option<string> _backupFolder = Setting(
            "--backup-to", "", "Folder for backups of all databases, which this node makes by itself. Default: none are made.");

        private readonly Option<string> _backupEvery = Setting(
            "--backup-every", "", $"How often, such as 1h or 30m, counted from the newest one in the folder. Default: {DefaultBackupEvery}.");

        private readonly Option<int> _backupKeep = Setting("--backup-keep", 24, "How many of those backups are kept; older ones are deleted.");

        private readonly Option<string> _archiveFolder = Setting(
            "--archive", "", "Folder in which all that the log ever had is kept, to restore a database as it was at any point. Default: it is not kept.");

        private readonly Option<string> _archiveEvery = Setting(
            "--archive-every", "", $"What was committed longer ago than this is there, such as 10s or 5m. Default: {DefaultArchiveEvery}.");

        private readonly Option<string> _history = Setting(
            "--history", "100000", "Rows that the query history (database history_query) keeps; \"on\" for the default, \"off\" for none. The leader's setting counts.");

        private readonly Option<string> _historyAge = Setting("--history-age", "30d", "How long it keeps them, such as 30d or 12h.");

        private readonly Option<long> _changesBytes = Setting(
            "--changes-bytes", 16L << 20, "Bytes that each database keeps of what was changed last, for those who follow it (GET /changes); 0 for none. The leader's setting counts.");

        private readonly Option<bool> _logReads = Setting(
            "--log-reads", false, "Record the reads that this node answers in the query history too, some at a time as a write.");

        private readonly Option<string> _logFormat = Setting(
            "--log-format", "text", "How the log looks: text, json (an object in a line), or systemd (for its journal).");

        private readonly Option<string> _logLevel = Setting(
            "--log-level", "information", "What is logged at least: trace, debug, information, warning, error or critical. PUT /log-level changes it while the node runs.");

        private readonly Option<string> _clockOffsetFile = Setting("--clock-offset-file", "", "For tests: file with milliseconds to add to the clock.");

        /// <summary>Those that say where the nodes and their files are.</summary>
        public IEnumerable<Option> Place => [_host, _basePort, _data, _peers];

        private IEnumerable<Option> All => [.. Place, _join, _rebuild, _secretFile, _tokenFile, _certificate, _key, _ca, _timeout, _bodyBytesMax, _requestsMax, _connectionsMax, _requestMemory, _pendingWritesMax, _pendingBytesMax, _readers, _openDatabases, _resultBytesMax, _logTailEntries, _logTailBytes, _transactionIdle, _transactionTimeout, _verifyEvery, _backupFolder, _backupEvery, _backupKeep, _archiveFolder, _archiveEvery, _history, _historyAge, _changesBytes, _logReads, _logFormat, _logLevel, _clockOffsetFile];

        public void AddTo(Command command)
        {
            _clockOffsetFile.Hidden = true;
            foreach (var option in All)
            {
                command.Add(option);
            }
        }

        /// <summary>The data folder and where the nodes are reached.</summary>
        /// <param name="parsed">The command line.</param>
        /// <param name="id">The node.</param>
        /// <param name="nodeCount">How many there are beside node 0.</param>
        /// <param name="scheme">What nodes speak whose addresses were not given.</param>
        public NodePlace ReadPlace(ParseResult parsed, NodeId id, int nodeCount, string scheme)
        {
            if (nodeCount is < 0 or > NodeCountMax)
            {
                throw new SettingsException($"The number of nodes beside the master is {nodeCount}; it must be from 0 to {NodeCountMax}.");
            }

            var basePort = parsed.GetValue(_basePort);
            var lastId = Math.Max(nodeCount, id.Value);
            if (basePort < 1 || basePort + lastId > IPEndPoint.MaxPort)
            {
                throw new SettingsException($"The base port is {basePort}; with ids up to {lastId} it must be from 1 to {IPEndPoint.MaxPort - lastId}.");
            }

            var host = CheckHost(parsed.GetValue(_host)!);
            var (addresses, given) = ReadAddresses(parsed.GetValue(_peers)!, scheme, host, basePort, nodeCount, id);
            if (IsWildcard(host) && addresses.Where(a => !given.ContainsKey(a.Key)).Select(a => a.Key).Order().ToList() is { Count: > 0 } unknown)
            {
                throw new SettingsException(
                    $"\"{host}\" is every address of this machine, so that it does not say where the nodes are reached. Add --peers with the addresses of all, such as {string.Join(',', unknown.Select(n => $"{n}={scheme}://10.0.0.{n.Value + 1}:{basePort + n.Value}"))}.");
            }

            return new(id, nodeCount, host, basePort, parsed.GetValue(_data)!, addresses, given);
        }

        public NodeSettings Read(ParseResult parsed, NodeId id, int nodeCount)
        {
            var tlsFiles = ReadTlsFiles(parsed);
            var place = ReadPlace(parsed, id, nodeCount, tlsFiles.Certificate is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps);
            var tls = ReadTls(tlsFiles, place);
            var bodyBytesMax = parsed.GetValue(_bodyBytesMax);
            if (bodyBytesMax is < 1024 or > 64 << 20)
            {
                throw new SettingsException($"--max-body is {bodyBytesMax}; it must be from 1024 bytes to 64 MiB.");
            }

            var (requestsMax, connectionsMax) = (parsed.GetValue(_requestsMax), parsed.GetValue(_connectionsMax));
            var (pendingWritesMax, pendingBytesMax) = (parsed.GetValue(_pendingWritesMax), parsed.GetValue(_pendingBytesMax));
            if (requestsMax < 1 || connectionsMax < 1 || pendingWritesMax < 1 || pendingBytesMax < 1)
            {
                throw new SettingsException(
                    $"--max-requests is {requestsMax}, --max-connections {connectionsMax}, --max-pending {pendingWritesMax} and --max-pending-bytes {pendingBytesMax}; all must be at least 1.");
            }

            var requestMemory = parsed.GetValue(_requestMemory);
            if (requestMemory < bodyBytesMax)
            {
                throw new SettingsException($"--request-memory is {requestMemory}; it must be at least --max-body, which is {bodyBytesMax}, or the largest request would never be taken.");
            }

            var (readers, resultBytesMax) = (parsed.GetValue(_readers), parsed.GetValue(_resultBytesMax));
            if (readers is < 1 or > 1024)
            {
                throw new SettingsException($"--readers is {readers}; it must be from 1 to 1024.");
            }

            var openDatabases = parsed.GetValue(_openDatabases);
            if (openDatabases is < 2 or > 100_000)
            {
                throw new SettingsException($"--open-databases is {openDatabases}; it must be from 2 to 100,000.");
            }

            if (resultBytesMax is < 1024 or > 1 << 30)
            {
                throw new SettingsException($"--max-result is {resultBytesMax}; it must be from 1024 bytes to 1 GiB.");
            }

            var (tailEntries, tailBytes) = (parsed.GetValue(_logTailEntries), parsed.GetValue(_logTailBytes));
            if (tailEntries < 1 || tailBytes < 1)
            {
                throw new SettingsException($"--log-tail is {tailEntries} and --log-tail-bytes {tailBytes}; both must be at least 1.");
            }

            var changesBytes = parsed.GetValue(_changesBytes);
            if (changesBytes is not 0 and (< 1 << 20 or > 1L << 40))
            {
                throw new SettingsException($"--changes-bytes is {changesBytes}; it must be 0, for no change feed, or from 1 MiB to 1 TiB.");
            }

            var join = ReadUrls(parsed.GetValue(_join)!);
            if (id.Value > nodeCount && join.Count == 0 && !File.Exists(Path.Combine(NodeFolder.PathOf(place.DataFolder, id), "raft.db")))
            {
                throw new SettingsException(
                    $"Node {id} is not one of the first nodes of the cluster, which are 0 to {nodeCount}. To have it taken into a running cluster, add --join and the address of any of its nodes.");
            }

            var (token, tokenSource) = ReadToken(parsed.GetValue(_tokenFile)!);
            if (!NodePlace.IsLoopback(place.Host))
            {
                RequireSecrets(
                    place.Host,
                    parsed.GetValue(_secretFile) is { Length: > 0 } || Environment.GetEnvironmentVariable(SecretVariable) is { Length: > 0 },
                    token is not null || join.Count > 0 || File.Exists(Path.Combine(NodeFolder.PathOf(place.DataFolder, id), "raft.db")));
            }

            var (secret, source) = ReadSecret(parsed.GetValue(_secretFile)!, place.DataFolder);
            return new()
            {
                Id = id,
                NodeCount = nodeCount,
                Host = place.Host,
                BasePort = place.BasePort,
                DataFolder = place.DataFolder,
                Addresses = place.Addresses,
                GivenAddresses = place.GivenAddresses,
                Join = join,
                IsRebuilding = parsed.GetValue(_rebuild),
                ClusterSecret = secret,
                ClusterSecretSource = source,
                InitialToken = token,
                InitialTokenSource = tokenSource,
                Tls = tls,
                Timeout = ReadTime("--timeout", parsed.GetValue(_timeout)!, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1)),
                BodyBytesMax = bodyBytesMax,
                RequestsMax = requestsMax,
                ConnectionsMax = connectionsMax,
                RequestMemoryBytes = requestMemory,
                PendingWritesMax = pendingWritesMax,
                PendingBytesMax = pendingBytesMax,
                ReaderCount = readers,
                OpenDatabasesMax = openDatabases,
                ResultBytesMax = resultBytesMax,
                LogTailEntries = tailEntries,
                LogTailBytes = tailBytes,
                TransactionIdle = ReadTime("--transaction-idle", parsed.GetValue(_transactionIdle)!, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
                TransactionTimeout = ReadTime("--transaction-timeout", parsed.GetValue(_transactionTimeout)!, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
                VerifyInterval = parsed.GetValue(_verifyEvery) is "0" or "off"
                    ? TimeSpan.Zero
                    : ReadTime("--verify-every", parsed.GetValue(_verifyEvery)!, TimeSpan.FromSeconds(1), TimeSpan.FromDays(365)),
                Backups = ReadBackups(parsed),
                Archive = ReadArchive(parsed),
                HistoryRowsMax = ReadHistoryRows(parsed.GetValue(_history)!),
                HistoryAgeMax = ReadTime("--history-age", parsed.GetValue(_historyAge)!, TimeSpan.FromSeconds(1), TimeSpan.FromDays(36500)),
                ChangesBytesMax = changesBytes,
                RecordsReads = parsed.GetValue(_logReads),
                LogFormat = ReadLogFormat(parsed.GetValue(_logFormat)!),
                LogLevel = LogLevels.Find(parsed.GetValue(_logLevel))
                    ?? throw new SettingsException($"--log-level is \"{parsed.GetValue(_logLevel)}\"; give one of {string.Join(", ", LogLevels.Names)}."),
                ClockOffsetFile = parsed.GetValue(_clockOffsetFile) is { Length: > 0 } file ? file : null,
            };
        }

        private static LogFormat ReadLogFormat(string text) => text switch
        {
            "text" => LogFormat.Text,
            "json" => LogFormat.Json,
            "systemd" => LogFormat.Systemd,
            _ => throw new SettingsException($"--log-format is \"{text}\"; give text, json or systemd."),
        };

        private BackupScheduleOptions? ReadBackups(ParseResult parsed)
        {
            var kept = parsed.GetValue(_backupKeep);
            if (kept < 1)
            {
                throw new SettingsException($"--backup-keep is {kept}; it must be at least 1.");
            }

            return ReadFolder(parsed, _backupFolder, _backupEvery, "the backups", DefaultBackupEvery, TimeSpan.FromDays(365)) is var (folder, interval)
                ? new(folder, interval, kept)
                : null;
        }

        private LogArchiveOptions? ReadArchive(ParseResult parsed) =>
            ReadFolder(parsed, _archiveFolder, _archiveEvery, "the archive", DefaultArchiveEvery, TimeSpan.FromDays(1)) is var (folder, interval) ? new(folder, interval) : null;

        /// <summary>A folder to which something is written every so often; null where there is none.</summary>
        private static (string Folder, TimeSpan Interval)? ReadFolder(
            ParseResult parsed, Option<string> folderOption, Option<string> everyOption, string what, string defaultEvery, TimeSpan intervalMax)
        {
            var (folder, every) = (parsed.GetValue(folderOption)!, parsed.GetValue(everyOption)!);
            if (folder.Length == 0)
            {
                return every.Length == 0 ? null : throw new SettingsException($"{everyOption.Name} is {every}, and there is no folder for {what}: add {folderOption.Name}.");
            }

            var interval = ReadTime(everyOption.Name, every.Length == 0 ? defaultEvery : every, TimeSpan.FromSeconds(1), intervalMax);
            return (CheckFolder(folderOption.Name, folder), interval);
        }

        /// <summary>The full path of a folder, which need not be there yet.</summary>
        private static string CheckFolder(string option, string path)
        {
            var full = Path.GetFullPath(path);
            return File.Exists(full) ? throw new SettingsException($"{option} is {full}, which is a file; give a folder.") : full;
        }

        private static long ReadHistoryRows(string text) => text switch
        {
            "off" or "0" => 0,
            "on" => new ReplicationOptions().HistoryRowsMax,
            _ when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rows) => rows,
            _ => throw new SettingsException($"--history is \"{text}\"; give a number of rows, \"on\" for {new ReplicationOptions().HistoryRowsMax}, or \"off\"."),
        };

        private static Option<T> Setting<T>(string name, T value, string description)
        {
            var variable = "DISTDB_" + name[2..].Replace('-', '_').ToUpperInvariant();
            var option = new Option<T>(name)
            {
                Description = $"{description} [{variable}]",
                DefaultValueFactory = argument =>
                    Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given ? Convert<T>(argument, given, variable) : value,
            };
            if (value is int or long)
            {
                option.CustomParser = argument => Convert<T>(argument, argument.Tokens[0].Value, name);
            }

            return option;
        }

        private static T Convert<T>(ArgumentResult argument, string text, string variable)
        {
            try
            {
                return (T)System.Convert.ChangeType(text, typeof(T), CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is FormatException or OverflowException)
            {
                // The parser reports it with its own errors; it does not expect exceptions here.
                argument.AddError($"{variable} is \"{text}\", which is not a whole number.");
                return default!;
            }
        }

        private static string CheckHost(string host) => host == "localhost" || IPAddress.TryParse(host, out _)
            ? host
            : throw new SettingsException($"\"{host}\" is not an address to listen on; give localhost, or an IP address of this machine.");

        private static bool IsWildcard(string host) =>
            IPAddress.TryParse(host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

        /// <summary>An open database on a network is found within hours (docs/adr/0011).</summary>
        private static void RequireSecrets(string host, bool hasSecret, bool mayHaveToken)
        {
            if (!hasSecret || !mayHaveToken)
            {
                string?[] missing =
                [
                    hasSecret ? null : "the secret that all nodes share (--cluster-secret-file, or DISTDB_CLUSTER_SECRET)",
                    mayHaveToken ? null : "the first client's token (--token-file, or DISTDB_TOKEN)",
                ];
                throw new SettingsException(
                    $"Listening on \"{host}\", which other machines reach, is refused without {string.Join(" and ", missing.OfType<string>())}. A good one comes from: openssl rand -hex 32");
            }
        }

        private TlsFiles ReadTlsFiles(ParseResult parsed)
        {
            var files = new TlsFiles(FullPath(_certificate), FullPath(_key), FullPath(_ca));
            return (files.Certificate, files.Key) switch
            {
                ({ }, null) => throw new SettingsException($"--cert is {files.Certificate}, and its private key is missing: add --key."),
                (null, { }) => throw new SettingsException($"--key is {files.Key}, and its certificate is missing: add --cert."),
                _ => files,
            };

            string? FullPath(Option<string> option) => parsed.GetValue(option) is { Length: > 0 } path ? Path.GetFullPath(path) : null;
        }

        private static TlsMaterial ReadTls(TlsFiles files, NodePlace place)
        {
            // Where the other nodes and clients are told to go must be what this node speaks; the others may be at either, which changes one by one.
            var own = place.Addresses[place.Id];
            var scheme = files.Certificate is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;
            if (own.Scheme != scheme)
            {
                throw new SettingsException(
                    $"In --peers this node, {place.Id}, is at {own.GetLeftPart(UriPartial.Authority)}, but {(files.Certificate is null ? "without --cert and --key" : "with a certificate")} it speaks {scheme}.");
            }

            try
            {
                return TlsMaterial.Load(files, own.Host);
            }
            catch (InvalidDataException e)
            {
                throw new SettingsException(e.Message);
            }
        }

        private static (string? Token, string? Source) ReadToken(string file)
        {
            const string Variable = "DISTDB_TOKEN";
            try
            {
                return file.Length > 0 ? (BearerToken.Parse(File.ReadAllText(file), file), Path.GetFullPath(file))
                    : Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? (BearerToken.Parse(given, Variable), Variable)
                    : (null, null);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new SettingsException(e.Message);
            }
        }

        /// <summary>All addresses, and those of them that were given.</summary>
        private static (Dictionary<NodeId, Uri> All, Dictionary<NodeId, Uri> Given) ReadAddresses(
            string peers, string scheme, string host, int basePort, int nodeCount, NodeId self)
        {
            // By number where a name could mean two addresses, so that no connection waits for the wrong one first.
            var name = host switch
            {
                "localhost" => "127.0.0.1",
                _ when host.Contains(':', StringComparison.Ordinal) => $"[{host}]",
                _ => host,
            };
            var addresses = Enumerable.Range(0, nodeCount + 1).Append(self.Value).Distinct().ToDictionary(
                i => new NodeId(i), i => new Uri(string.Create(CultureInfo.InvariantCulture, $"{scheme}://{name}:{basePort + i}")));
            var given = new Dictionary<NodeId, Uri>();
            foreach (var part in peers.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                var pair = part.Split('=', 2);
                if (pair.Length != 2
                    || !int.TryParse(pair[0], NumberStyles.None, CultureInfo.InvariantCulture, out var node)
                    || node > NodeCountMax
                    || ReadUrl(pair[1]) is not { } uri)
                {
                    throw new SettingsException(
                        $"\"{part}\" in --peers is not a node's id from 0 to {NodeCountMax} and its address, such as 1=http://127.0.0.1:8081.");
                }

                given[new(node)] = uri;
                if (addresses.ContainsKey(new(node)))
                {
                    addresses[new(node)] = uri;
                }
            }

            return (addresses, given);
        }

        private static List<Uri> ReadUrls(string text) =>
        [
            .. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part => ReadUrl(part)
                ?? throw new SettingsException($"\"{part}\" in --join is not the address of a node; one looks like http://127.0.0.1:8080.")),
        ];

        private static Uri? ReadUrl(string text) =>
            Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) ? uri : null;

        private static (byte[] Secret, string Source) ReadSecret(string file, string dataFolder)
        {
            try
            {
                if (file.Length > 0)
                {
                    return (ClusterSecret.ReadFile(file), Path.GetFullPath(file));
                }

                return Environment.GetEnvironmentVariable(SecretVariable) is { Length: > 0 } given
                    ? (ClusterSecret.Parse(given, SecretVariable), SecretVariable)
                    : (ClusterSecret.ReadOrCreate(dataFolder), Path.GetFullPath(Path.Combine(dataFolder, "cluster.secret")));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                throw new SettingsException($"The cluster secret cannot be read: {e.Message}");
            }
        }

        private static TimeSpan ReadTime(string option, string text, TimeSpan min, TimeSpan max)
        {
            (string Unit, TimeSpan Length)[] units =
            [
                ("ms", TimeSpan.FromMilliseconds(1)),
                ("s", TimeSpan.FromSeconds(1)),
                ("m", TimeSpan.FromMinutes(1)),
                ("h", TimeSpan.FromHours(1)),
                ("d", TimeSpan.FromDays(1)),
            ];
            foreach (var (unit, length) in units)
            {
                if (text.EndsWith(unit, StringComparison.Ordinal)
                    && double.TryParse(text[..^unit.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount)
                    && amount * length.TotalSeconds >= min.TotalSeconds && amount * length.TotalSeconds <= max.TotalSeconds)
                {
                    return amount * length;
                }
            }

            throw new SettingsException(
                $"{option} is \"{text}\"; give a time of {Describe(min)} to {Describe(max)} with its unit (ms, s, m, h or d), such as 10s or 2m.");
        }

        private static string Describe(TimeSpan time) =>
            time.TotalDays >= 1 ? $"{time.TotalDays} days" : time.TotalHours >= 1 ? $"{time.TotalHours} h" : time.TotalSeconds >= 1 ? $"{time.TotalSeconds} s" : $"{time.TotalMilliseconds} ms";
    }
}
