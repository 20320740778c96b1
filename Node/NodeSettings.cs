using System.Globalization;
using DistDb.Node.Archive;
using DistDb.Node.Backups;
using DistDb.Node.Database.Changes;
using DistDb.Node.Raft;
using DistDb.Node.Telemetry;
using DistDb.Node.Tls;

namespace DistDb.Node;

/// <summary>Everything that a node's command line decides, checked.</summary>
public sealed record NodeSettings
{
    /// <summary>This node; 0 is the first master.</summary>
    public required NodeId Id { get; init; }

    /// <summary>How many nodes there are beside node 0.</summary>
    public required int NodeCount { get; init; }

    /// <summary>The address to listen on.</summary>
    public required string Host { get; init; }

    /// <summary>Node <c>i</c> listens on this plus <c>i</c>.</summary>
    public required int BasePort { get; init; }

    /// <summary>The folder that holds <c>node-&lt;id&gt;</c>.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Where every node is reached, this one included.</summary>
    public required IReadOnlyDictionary<NodeId, Uri> Addresses { get; init; }

    /// <summary>Those of them that were given in <c>--peers</c>.</summary>
    public required IReadOnlyDictionary<NodeId, Uri> GivenAddresses { get; init; }

    /// <summary>Nodes of a cluster that this one is to be taken into; empty for a node of a cluster's first.</summary>
    public required IReadOnlyList<Uri> Join { get; init; }

    /// <summary>Whether to put this node's files aside and learn everything from the others.</summary>
    public required bool IsRebuilding { get; init; }

    /// <summary>The cluster secret's bytes.</summary>
    public required byte[] ClusterSecret { get; init; }

    /// <summary>Where the secret comes from, for the start-up banner.</summary>
    public required string ClusterSecretSource { get; init; }

    /// <summary>The token that is to be the first admin's, if the cluster has none yet; or null.</summary>
    public required string? InitialToken { get; init; }

    /// <summary>Where that token comes from.</summary>
    public required string? InitialTokenSource { get; init; }

    /// <summary>The certificate that this node shows, if any, and the CA by which it judges others'.</summary>
    public TlsMaterial Tls { get; init; } = TlsMaterial.None;

    /// <summary>How long a request may take.</summary>
    public required TimeSpan Timeout { get; init; }

    /// <summary>Largest request body, in bytes.</summary>
    public required long BodyBytesMax { get; init; }

    /// <summary>Requests to <c>/query</c> under way at once.</summary>
    public required int RequestsMax { get; init; }

    /// <summary>Connections of clients.</summary>
    public required int ConnectionsMax { get; init; }

    /// <summary>Bytes of request bodies and of rows gathered for answers, held at once.</summary>
    public required long RequestMemoryBytes { get; init; }

    /// <summary>Writes that wait for their fate.</summary>
    public required int PendingWritesMax { get; init; }

    /// <summary>Bytes of the same.</summary>
    public required long PendingBytesMax { get; init; }

    /// <summary>Queries that run at once.</summary>
    public required int ReaderCount { get; init; }

    /// <summary>Databases that are kept open, at most.</summary>
    public required int OpenDatabasesMax { get; init; }

    /// <summary>Largest row of a query, and largest result that is gathered, in bytes.</summary>
    public required long ResultBytesMax { get; init; }

    /// <summary>Entries that the log keeps behind what the database holds durably.</summary>
    public required int LogTailEntries { get; init; }

    /// <summary>Bytes of the same.</summary>
    public required long LogTailBytes { get; init; }

    /// <summary>For tests: a file with milliseconds that are added to the machine's clock; null for the clock as it is.</summary>
    public string? ClockOffsetFile { get; init; }

    /// <summary>How often all nodes compare their content; zero for never.</summary>
    public required TimeSpan VerifyInterval { get; init; }

    /// <inheritdoc cref="Replication.ReplicationOptions.TransactionIdle"/>
    public required TimeSpan TransactionIdle { get; init; }

    /// <inheritdoc cref="Replication.ReplicationOptions.TransactionTimeout"/>
    public required TimeSpan TransactionTimeout { get; init; }

    /// <summary>Backups that the node makes by itself; null for none.</summary>
    public BackupScheduleOptions? Backups { get; init; }

    /// <summary>Where what the log had is kept; null for nowhere.</summary>
    public LogArchiveOptions? Archive { get; init; }

    /// <summary>Bytes that each database keeps of what was changed last; 0 for nothing.</summary>
    public required long ChangesBytesMax { get; init; }

    /// <summary>Rows that the query history keeps; 0 for no history.</summary>
    public required long HistoryRowsMax { get; init; }

    /// <summary>How long it keeps them.</summary>
    public required TimeSpan HistoryAgeMax { get; init; }

    /// <summary>Whether reads are recorded in it as well.</summary>
    public required bool RecordsReads { get; init; }

    /// <summary>How the log looks.</summary>
    public LogFormat LogFormat { get; init; } = LogFormat.Text;

    /// <summary>The least important level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    public int Port => BasePort + Id.Value;

    /// <summary>Whether only this machine can reach the node.</summary>
    public bool IsLoopback => NodePlace.IsLoopback(Host);

    /// <summary>Whether it speaks https, to clients and peers alike, and nothing else.</summary>
    public bool HasTls => Tls.Certificate is not null;

    /// <summary>The settings as lines for the start-up banner; secrets are named, not shown.</summary>
    public IEnumerable<string> Describe()
    {
        yield return $"listening   {Host}:{Port}{(HasTls ? ", with TLS" : "")}";
        yield return $"data        {Path.GetFullPath(DataFolder)}";
        yield return $"secret      {ClusterSecretSource}";
        if (InitialTokenSource is { } source)
        {
            yield return $"token       {source}";
        }

        foreach (var line in Tls.Describe())
        {
            yield return line;
        }

        yield return $"timeout     {Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s";
        yield return $"max body    {BodyBytesMax} bytes";
        yield return $"requests    {RequestsMax} at once, on {ConnectionsMax} connections, holding {RequestMemoryBytes} bytes";
        yield return $"writes      {PendingWritesMax} waiting, of {PendingBytesMax} bytes";
        yield return $"reads       {ReaderCount} at once; rows of {ResultBytesMax} bytes; {OpenDatabasesMax} databases kept open at most";
        yield return $"log tail    {LogTailEntries} entries, {LogTailBytes} bytes";
        yield return $"transactions rolled back after {TransactionIdle:c} idle, or {TransactionTimeout:c} in all";
        yield return $"verify      {(VerifyInterval == TimeSpan.Zero ? "never" : $"every {VerifyInterval:c}, and after a start")}";
        if (Backups is { } backups)
        {
            yield return $"backups     every {backups.Interval:c} to {backups.Folder}; {backups.KeptCount} are kept";
        }

        if (Archive is { } archive)
        {
            yield return $"archive     of the log, every {archive.Interval:c} to {archive.Folder}";
        }

        yield return HistoryRowsMax == 0
            ? "history     off"
            : $"history     {HistoryRowsMax} rows, {HistoryAgeMax.TotalDays.ToString(CultureInfo.InvariantCulture)} days{(RecordsReads ? ", reads too" : "")}";
        yield return ChangesBytesMax == 0 ? "changes     off"
            : PreupdateHook.IsAvailable ? $"changes     {ChangesBytesMax} bytes for each database"
            : "changes     off, as this SQLite is built without its preupdate hook";
        yield return $"log         {LogLevels.NameOf(LogLevel)}, as {LogFormat.ToString().ToLowerInvariant()}";
        if (TraceExport.Endpoint is { } traces)
        {
            yield return $"traces      to {traces}";
        }

        if (Join.Count > 0)
        {
            yield return $"joining     {string.Join(", ", Join)}";
        }

        if (ClockOffsetFile is { } clock)
        {
            yield return $"clock       moved by {Path.GetFullPath(clock)}, for tests";
        }

        foreach (var (node, address) in Addresses.OrderBy(a => a.Key))
        {
            yield return $"node {node,-6} {address.GetLeftPart(UriPartial.Authority)}{(node == Id ? " (this one)" : "")}";
        }
    }
}
