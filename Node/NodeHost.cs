using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using DistDb.Master;
using DistDb.Node.Api;
using DistDb.Node.Api.Hrana;
using DistDb.Node.Api.WebConsole;
using DistDb.Node.Backups;
using DistDb.Node.Database;
using DistDb.Node.Database.Changes;
using DistDb.Node.Recovery;
using DistDb.Node.Replication;
using DistDb.Node.Storage;
using DistDb.Node.Telemetry;
using DistDb.Node.Tls;
using DistDb.Node.Transport;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Net.Http.Headers;

namespace DistDb.Node;

/// <summary>Puts a node's parts together around the web server, and runs it until it is told to stop or fails.</summary>
internal static partial class NodeHost
{
    // Queries block the thread they run on; without a reserve a few long ones would hold up the links to the peers.
    private const int ThreadsMin = 64;

    private const int RequestBufferBytes = 64 * 1024;
    private const int HeadersBytesMax = 16 * 1024;
    private const int HeaderCountMax = 64;

    /// <summary>Room for the filters of <c>GET /history</c>.</summary>
    private const int RequestLineBytesMax = 8 * 1024;

    /// <summary>A telephone's worst link has more.</summary>
    private const int BodyBytesPerSecondMin = 1024;

    private static readonly TimeSpan _headersTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _bodyGracePeriod = TimeSpan.FromSeconds(5);

    /// <summary>Returns the process's exit code.</summary>
    public static async Task<int> RunAsync(NodeSettings settings, CancellationToken cancellationToken)
    {
        ThreadPool.SetMinThreads(ThreadsMin, ThreadsMin);
        PrivateFiles.MakeFromNowOn();
        if (Version.Parse(SqliteLibrary.Version) < SqliteLibrary.OldestSuitable)
        {
            throw new SettingsException(
                $"SQLite {SqliteLibrary.Version} is too old to keep replicas identical; {SqliteLibrary.OldestSuitable} or newer is needed. Install the operating system's library (on Debian the package libsqlite3-0).");
        }

        try
        {
            RequireFreePort(settings);
            var app = Build(settings);
            await using (app.ConfigureAwait(false))
            {
                var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(NodeHost).FullName!);
                SetFilesAside(settings, logger);
                using var traces = TraceExport.Endpoint is null ? null : new TraceExport(settings.Id.Value, BuildVersion.Current);

                // Opens the files, so that what is wrong with them is said before anything is served.
                var node = app.Services.GetRequiredService<ClusterNode>();
                RequireTokens(settings, node);
                try
                {
                    await app.StartAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
                {
                    // Told to stop while it was starting; or a part has failed meanwhile, and has set the exit code.
                    return Environment.ExitCode;
                }

                TellStart(settings, [.. Banner(settings, node, app.Services.GetRequiredService<AccessControl>().Mode)], logger);
                await app.WaitForShutdownAsync(cancellationToken).ConfigureAwait(false);

                // The host stops when a service fails, and calls that an orderly end.
                var hasFailed = app.Services.GetServices<IHostedService>().OfType<BackgroundService>().Any(s => s.ExecuteTask is { IsFaulted: true });
                return hasFailed ? 1 : Environment.ExitCode;
            }
        }
        catch (Exception e) when (DescribeFailure(e, settings) is not null)
        {
            await Console.Error.WriteLineAsync(DescribeFailure(e, settings)).ConfigureAwait(false);
            return 1;
        }
    }

    /// <summary>Otherwise it would be known last, by a node that already has moved its files, and may lead.</summary>
    /// <exception cref="SocketException">Another process listens there.</exception>
    private static void RequireFreePort(NodeSettings settings)
    {
        using var listener = new TcpListener(settings.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(settings.Host), settings.Port);
        listener.Start();
    }

    /// <summary>For a rebuild, or where one was interrupted: what is left of the old files must not be taken for this node's state.</summary>
    private static void SetFilesAside(NodeSettings settings, ILogger logger)
    {
        var folder = new NodeFolder(settings.DataFolder, settings.Id);
        if ((settings.IsRebuilding || Quarantine.IsUnfinished(folder)) && Quarantine.SetAside(folder, DateTimeOffset.UtcNow) is { } quarantine)
        {
            LogSetAside(logger, quarantine);
        }
    }

    /// <summary>A cluster that was open on its own machine does not become so on a network.</summary>
    private static void RequireTokens(NodeSettings settings, ClusterNode node)
    {
        if (!settings.IsLoopback && settings.InitialToken is null && node.FoundNoTokens)
        {
            throw new SettingsException(
                $"Listening on \"{settings.Host}\" is refused: the cluster has no tokens, so that everybody could read and write. Give the first one in DISTDB_TOKEN, or listen on localhost and make it with \"distdb token init\".");
        }
    }

    /// <summary>Everything that makes the node, not started: no file is opened yet.</summary>
    internal static WebApplication Build(NodeSettings settings)
    {
        // Empty: the usual ones read settings from the working folder and from variables of ASP.NET's, and watch all folders below it.
        var builder = WebApplication.CreateEmptyBuilder(new());

        // Where systemd has started it, tells it when this node listens and when it stops. Before the log is set up, whose form it would choose.
        builder.Services.AddSystemd();
        var levels = new LogLevels(settings.LogLevel);
        builder.Services.AddSingleton(levels);
        NodeLogging.Configure(builder.Logging, settings.LogFormat, levels);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = settings.BodyBytesMax;
            kestrel.Limits.MaxConcurrentConnections = settings.ConnectionsMax;

            // What a connection may send ahead, whether we want it or not; by default it is a megabyte, and there may be thousands.
            kestrel.Limits.MaxRequestBufferSize = RequestBufferBytes;

            // Who is slow on purpose holds a connection, and no more, for so long: the head of a request, and its body at least at this rate.
            kestrel.Limits.RequestHeadersTimeout = _headersTimeout;
            kestrel.Limits.MinRequestBodyDataRate = new(BodyBytesPerSecondMin, _bodyGracePeriod);
            kestrel.Limits.MaxRequestHeadersTotalSize = HeadersBytesMax;
            kestrel.Limits.MaxRequestHeaderCount = HeaderCountMax;
            kestrel.Limits.MaxRequestLineSize = RequestLineBytesMax;

            var tls = kestrel.ApplicationServices.GetRequiredService<TlsStore>();
            if (settings.Host == "localhost")
            {
                kestrel.ListenLocalhost(settings.Port, listen => Secure(listen, tls));
            }
            else
            {
                kestrel.Listen(IPAddress.Parse(settings.Host), settings.Port, listen => Secure(listen, tls));
            }
        });
        builder.Services.AddRoutingCore();
        AddServices(builder.Services, settings);

        var app = builder.Build();
        app.Use(AnswerHeaders.ProtectAsync);

        // Outside of what makes answers of failures, so that it sees the answer. The peers' links are no requests, and last.
        app.UseWhen(
            context => !context.Request.Path.StartsWithSegments(PeerTransport.Route, StringComparison.Ordinal),
            clients => clients.Use((context, next) => context.RequestServices.GetRequiredService<RequestMetrics>().InvokeAsync(context, next)));
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseWebSockets(new() { KeepAliveInterval = PeerTransport.KeepAliveInterval, KeepAliveTimeout = PeerTransport.KeepAliveTimeout });
        app.Map(PeerTransport.Route, peers => peers.Run(context => context.RequestServices.GetRequiredService<PeerTransport>().AcceptAsync(context)));

        // Before tokens are asked for: a browser's question whether it may ask has none.
        UseCors(app);

        // The peers, above, prove who they are in a way of their own; whatever is below is for clients.
        app.Use((context, next) => context.RequestServices.GetRequiredService<AccessControl>().InvokeAsync(context, next));
        ConsoleEndpoints.Map(app);
        QueryEndpoint.Map(app);
        TransactionEndpoints.Map(app);
        HranaEndpoints.Map(app);
        StatusEndpoints.Map(app);
        HealthEndpoints.Map(app);
        LogLevelEndpoint.Map(app);
        MetricsEndpoint.Map(app);
        EventsEndpoint.Map(app);
        ChangesEndpoint.Map(app);
        ClusterEndpoints.Map(app);
        DatabasesEndpoint.Map(app);
        BackupEndpoints.Map(app);
        OpenApiEndpoint.Map(app);
        TokenEndpoints.Map(app);
        AccessEndpoint.Map(app);
        return app;
    }

    /// <summary>Where the node has a certificate, only TLS is spoken, with whichever it has when a connection begins.</summary>
    private static void Secure(ListenOptions listen, TlsStore tls)
    {
        if (tls.Current.ServerOptions is not null)
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(PlainHttpDoor.Guard);
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls.Current.ServerOptions!) });
        }
    }

    /// <summary>Lets the web console that came from one node use the others, and no page from elsewhere any (ADR 12).</summary>
    private static void UseCors(WebApplication app)
    {
        // Asked for with the first request: it needs the node, which is not to open its files before that.
        app.UseCors(cors => cors
            .SetIsOriginAllowed(origin => app.Services.GetRequiredService<ClusterOrigins>().Contains(origin))
            .WithMethods(HttpMethods.Get, HttpMethods.Post, HttpMethods.Delete)
            .WithHeaders(HeaderNames.Authorization, HeaderNames.ContentType, ChangesRequest.LastEventId)
            .WithExposedHeaders(AnswerHeaders.Index, AnswerHeaders.Node, AnswerHeaders.Digest, HeaderNames.ContentDisposition, HeaderNames.RetryAfter)
            .SetPreflightMaxAge(TimeSpan.FromMinutes(10)));
    }

    private static void AddServices(IServiceCollection services, NodeSettings settings)
    {
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJsonContext.Default));
        services.AddProblemDetails(Problem.AddCode);
        services.AddSingleton(_ => new NodeFolder(settings.DataFolder, settings.Id));
        services.AddSingleton(provider => new TlsStore(settings.Tls, provider.GetRequiredService<ILogger<TlsStore>>()));
        services.AddSingleton(provider => new PeerTransport(
            new()
            {
                Self = settings.Id,
                Secret = settings.ClusterSecret,
                CreateTlsOptions = () => provider.GetRequiredService<TlsStore>().Current.Trust.CreateClientOptions(),
                Hosts = [.. settings.Join, .. settings.Addresses.Where(a => a.Key != settings.Id).Select(a => a.Value)],
            },
            provider.GetRequiredService<ILogger<PeerTransport>>()));
        services.AddSingleton<NodeInstruments>();
        services.AddSingleton<MetricStore>();
        services.AddSingleton<NodeGauges>();
        services.AddSingleton(provider => new RequestMetrics(
            provider.GetRequiredService<MetricStore>().Instruments, settings.Id, provider.GetRequiredService<ILogger<RequestMetrics>>()));
        services.AddSingleton(provider => new ClusterNode(
            provider.GetRequiredService<NodeFolder>(),
            new ClusterSettings(settings.Addresses)
            {
                GivenAddresses = settings.GivenAddresses,
                IsJoining = settings.Join.Count > 0 || settings.IsRebuilding,
                InitialTokenHash = settings.InitialToken is { } token ? BearerToken.HashOf(token) : default(ReadOnlyMemory<byte>?),
            },
            new()
            {
                RequestTimeout = settings.Timeout,
                PendingWritesMax = settings.PendingWritesMax,
                PendingBytesMax = settings.PendingBytesMax,
                TransactionIdle = settings.TransactionIdle,
                TransactionTimeout = settings.TransactionTimeout,
                LogTailEntriesMax = settings.LogTailEntries,
                LogTailBytesMax = settings.LogTailBytes,
                VerifyInterval = settings.VerifyInterval,
                HistoryRowsMax = settings.HistoryRowsMax,
                HistoryAgeMax = settings.HistoryAgeMax,
                ChangesBytesMax = PreupdateHook.IsAvailable ? settings.ChangesBytesMax : 0,
                RecordsReads = settings.RecordsReads,
                Archive = settings.Archive,
                TimeProvider = settings.ClockOffsetFile is { } file ? new OffsetTimeProvider(file) : TimeProvider.System,
            },
            new() { ReaderCount = settings.ReaderCount, OpenDatabasesMax = settings.OpenDatabasesMax, ResultBytesMax = settings.ResultBytesMax },
            provider.GetRequiredService<PeerTransport>(),
            provider.GetRequiredService<IHostApplicationLifetime>(),
            provider.GetRequiredService<ILogger<ClusterNode>>(),
            provider.GetRequiredService<MetricStore>().Instruments));
        services.AddSingleton<ClusterOrigins>();
        services.AddSingleton<BrowserGuard>();
        services.AddSingleton(provider => new AccessControl(
            provider.GetRequiredService<ClusterNode>(), provider.GetRequiredService<BrowserGuard>(), settings.ClusterSecret, settings.IsLoopback));
        services.AddSingleton<SchemaGate>();
        services.AddSingleton<TransferGate>();
        services.AddSingleton<FollowerGate>();
        services.AddSingleton(_ => new RequestGate(settings.RequestsMax));
        services.AddSingleton(_ => new MemoryBudget(settings.RequestMemoryBytes));
        services.AddSingleton<RowsSender>();
        services.AddSingleton(_ => new StreamSeal(settings.ClusterSecret));
        services.AddSingleton<StreamStore>();
        services.AddSingleton<OwnerProxy>();
        HealthEndpoints.AddChecks(services);
        services.AddSingleton<StatusBuilder>();
        services.AddSingleton<ClusterFeed>();
        services.AddCors();
        services.AddSingleton<DatabaseCatalog>();

        // Started in this order, stopped in the reverse one; the web server comes last and goes first.
        services.AddHostedService(provider => provider.GetRequiredService<TlsStore>());
        services.AddHostedService(provider => provider.GetRequiredService<ClusterNode>());
        services.AddHostedService(provider => provider.GetRequiredService<PeerTransport>());
        services.AddHostedService<StatusReporter>();
        services.AddHostedService<IdleMemory>();
        services.AddHostedService(provider => provider.GetRequiredService<StreamStore>());
        services.AddHostedService(provider => provider.GetRequiredService<ClusterFeed>());
        if (settings.Backups is { } backups)
        {
            services.AddHostedService(provider => CreateBackupSchedule(backups, provider));
        }

        services.AddHostedService<OrderlyStop>();
    }

    private static BackupSchedule CreateBackupSchedule(BackupScheduleOptions options, IServiceProvider provider)
    {
        var node = provider.GetRequiredService<ClusterNode>();
        return new(
            options,
            () => node.IsReady,
            (folder, token) => BackupArchive.CollectAsync(node, folder, token),
            node.TransferPath,
            TimeProvider.System,
            provider.GetRequiredService<ILogger<BackupSchedule>>());
    }

    /// <summary>A banner for people; for programs one more line of the log.</summary>
    private static void TellStart(NodeSettings settings, string[] banner, ILogger logger)
    {
        if (settings.LogFormat == LogFormat.Text)
        {
            Console.WriteLine(banner[0]);
            foreach (var line in banner[1..])
            {
                Console.WriteLine("  " + line);
            }
        }
        else
        {
            var details = string.Join("; ", banner[1..].Select(line => Spaces().Replace(line, " ")));
            LogStarted(logger, banner[0], details);
        }
    }

    private static IEnumerable<string> Banner(NodeSettings settings, ClusterNode node, AccessMode mode)
    {
        yield return $"DistDb {BuildVersion.Current}, node {settings.Id} of {settings.Addresses.Count}; SQLite {SqliteLibrary.Version}";
        foreach (var line in settings.Describe())
        {
            yield return line;
        }

        yield return mode switch
        {
            AccessMode.Open or AccessMode.Unknown => "open        as long as the cluster has no tokens, everybody on this machine may read and write",
            AccessMode.ByToken => $"clients     by token; there are {node.Tokens!.All.Count}",
            _ when settings.InitialToken is not null => "clients     by token; unless the cluster has some, the first is the one given here, \"initial\"",
            _ => "clients     by token; which there are, the cluster will tell",
        };
        if (mode == AccessMode.ByToken && settings.InitialToken is { } given && node.Tokens!.Find(BearerToken.HashOf(given)) is null)
        {
            yield return $"ignored     the token in {settings.InitialTokenSource}: the cluster has tokens, and it is not one of them";
        }

        if (!settings.IsLoopback && !settings.HasTls)
        {
            yield return "unencrypted whoever can listen to this network can read tokens and data";
        }
    }

    /// <summary>One line for what an operator can mend; null for what is a defect and deserves its stack trace.</summary>
    private static string? DescribeFailure(Exception e, NodeSettings settings) => e switch
    {
        NodeLockedException or RaftStorageException or StorageFailedException => e.Message,
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } =>
            $"Port {settings.Port} is in use by another process. Stop that process, or choose other ports with --base-port.",
        IOException or UnauthorizedAccessException or SocketException => $"The node cannot start: {e.Message}",
        _ => null,
    };

    /// <summary>
    /// Clients are taken no more, leadership goes to another node, and whoever was taken gets an answer; only then do the peers' links end,
    /// without which no answer can be had.
    /// </summary>
    private sealed class OrderlyStop(IServer server, ClusterNode node, PeerTransport transport, ILogger<OrderlyStop> logger) : IHostedLifecycleService
    {
        public async Task StoppingAsync(CancellationToken cancellationToken)
        {
            LogStopping(logger);

            // Ends when the last request has, and the links are requests too.
            var stopped = server.StopAsync(cancellationToken);
            await node.DrainAsync().ConfigureAwait(false);
            transport.EndIncomingLinks();
            await stopped.ConfigureAwait(false);
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
    [GeneratedRegex("  +")]
    private static partial Regex Spaces();

    [LoggerMessage(EventId = 101, Level = LogLevel.Information, Message = "{What} was started: {Settings}")]
    private static partial void LogStarted(ILogger logger, string what, string settings);

    [LoggerMessage(EventId = 102, Level = LogLevel.Information, Message = "The node stops: it takes no more requests, hands leadership over, and answers what it has taken.")]
    private static partial void LogStopping(ILogger logger);

    [LoggerMessage(EventId = 103, Level = LogLevel.Information, Message = "The node's files were moved to {Quarantine}; it learns everything from the other nodes.")]
    private static partial void LogSetAside(ILogger logger, string quarantine);
}
