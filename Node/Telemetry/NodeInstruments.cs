using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace DistDb.Node.Telemetry;

/// <summary>
/// The instruments that a node's parts record in while they work. What can be asked for when somebody wants to know (sizes, indexes, lag) is not here: gauges
/// on the same <see cref="Meter"/> do that. Nobody listening, recording costs a look at a flag. Names are OpenTelemetry's way, with the unit apart;
/// <see cref="MetricStore"/> makes Prometheus' names of them. Thread safe.
/// </summary>
public sealed class NodeInstruments : IDisposable
{
    /// <summary>The one meter's name.</summary>
    public const string MeterName = "DistDb";

    /// <summary>Seconds. From a fast disk's sync to the default time limit of a request.</summary>
    private static readonly InstrumentAdvice<double> _requestTimes =
        new() { HistogramBucketBoundaries = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

    /// <summary>Seconds. What goes through whole databases.</summary>
    private static readonly InstrumentAdvice<double> _longTimes = new() { HistogramBucketBoundaries = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800] };

    /// <summary>Up to the most writes that one log entry holds.</summary>
    private static readonly InstrumentAdvice<int> _batchSizes = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] };

    private readonly Counter<long> _requests;
    private readonly Histogram<double> _requestDuration;
    private readonly Histogram<double> _readDuration;
    private readonly Histogram<double> _writeDuration;
    private readonly Counter<long> _logEntries;
    private readonly Counter<long> _logBytes;
    private readonly Histogram<double> _logSync;
    private readonly Histogram<double> _execute;
    private readonly Histogram<double> _commit;
    private readonly Histogram<double> _apply;
    private readonly Histogram<int> _batchWrites;
    private readonly Counter<long> _leaderChanges;
    private readonly Counter<long> _elections;
    private readonly Histogram<double> _snapshotMake;
    private readonly Counter<long> _snapshotsSent;
    private readonly Counter<long> _snapshotSentBytes;
    private readonly Histogram<double> _snapshotReceive;
    private readonly Counter<long> _snapshotReceivedBytes;
    private readonly Counter<long> _verifications;
    private readonly Histogram<double> _verificationDuration;

    public NodeInstruments()
    {
        Meter = new(MeterName);
        _requests = Meter.CreateCounter<long>("distdb.http.requests", "{request}", "Requests of clients that were answered, by route, command and HTTP status.");
        _requestDuration = Meter.CreateHistogram(
            "distdb.http.request.duration", "s", "Time from a request's head to the end of its answer, by route and command; streams of events are left out.", advice: _requestTimes);
        _readDuration = Meter.CreateHistogram("distdb.read.duration", "s", "Time until a query of this node's clients had its first rows.", advice: _requestTimes);
        _writeDuration = Meter.CreateHistogram("distdb.write.duration", "s", "Time until a write of this node's clients was committed and applied here.", advice: _requestTimes);
        _logEntries = Meter.CreateCounter<long>("distdb.log.appended.entries", "{entry}", "Entries appended to this node's Raft log.");
        _logBytes = Meter.CreateCounter<long>("distdb.log.appended", "By", "Bytes of the data of those entries.");
        _logSync = Meter.CreateHistogram("distdb.log.sync.duration", "s", "Time that a commit of the Raft log waited for the disk.", advice: _requestTimes);
        _execute = Meter.CreateHistogram("distdb.execute.duration", "s", "Time that the leader took to execute the writes of one log entry, before it was proposed.", advice: _requestTimes);
        _commit = Meter.CreateHistogram("distdb.commit.duration", "s", "Time from an entry's proposal by this leader until a majority had it on disk.", advice: _requestTimes);
        _apply = Meter.CreateHistogram("distdb.apply.duration", "s", "Time to apply one committed entry to the databases: at the leader a commit, elsewhere its execution as well.", advice: _requestTimes);
        _batchWrites = Meter.CreateHistogram("distdb.batch.writes", "{write}", "Writes of clients in one log entry, as proposed by this leader.", advice: _batchSizes);
        _leaderChanges = Meter.CreateCounter<long>("distdb.raft.leader.changes", "{change}", "Times that this node came to know another leader.");
        _elections = Meter.CreateCounter<long>("distdb.raft.elections", "{election}", "Elections that this node stood for.");
        _snapshotMake = Meter.CreateHistogram("distdb.snapshot.make.duration", "s", "Time to copy and hash all databases for a peer.", advice: _longTimes);
        _snapshotsSent = Meter.CreateCounter<long>("distdb.snapshots.sent", "{snapshot}", "Snapshots of which a peer was sent the last piece.");
        _snapshotSentBytes = Meter.CreateCounter<long>("distdb.snapshot.sent", "By", "Bytes of snapshots sent to peers.");
        _snapshotReceive = Meter.CreateHistogram("distdb.snapshot.receive.duration", "s", "Time from a snapshot's first piece until all of it was here and checked.", advice: _longTimes);
        _snapshotReceivedBytes = Meter.CreateCounter<long>("distdb.snapshot.received", "By", "Bytes of snapshots received from peers.");
        _verifications = Meter.CreateCounter<long>("distdb.verifications", "{verification}", "Comparisons of all replicas that came to an end here, by their outcome.");
        _verificationDuration = Meter.CreateHistogram("distdb.verification.duration", "s", "Time from the entry of a comparison of all replicas to its outcome.", advice: _longTimes);
    }

    /// <summary>All of a node's instruments are its own.</summary>
    public Meter Meter { get; }

    /// <summary>Those that are recorded with labels; all others have one series, which is there from the beginning.</summary>
    internal IReadOnlyCollection<Instrument> Labelled => [_requests, _requestDuration, _verifications];

    /// <summary>A request was answered.</summary>
    /// <param name="route">The route's pattern; empty for none.</param>
    /// <param name="command">The command of a request to <c>/query</c>; empty for others, and for what is none.</param>
    /// <param name="code">The HTTP status.</param>
    /// <param name="started">When it came, by the stopwatch; null where its end tells nothing.</param>
    public void RequestAnswered(string route, string command, string code, long? started)
    {
        var (onRoute, ofCommand) = (Label("route", route), Label("command", command));
        _requests.Add(1, onRoute, ofCommand, Label("code", code));
        if (started is { } at)
        {
            _requestDuration.Record(Since(at), onRoute, ofCommand);
        }
    }

    /// <summary>A query has its first rows.</summary>
    public void ReadDone(TimeSpan duration) => _readDuration.Record(duration.TotalSeconds);

    /// <summary>A client's write is done.</summary>
    public void WriteDone(TimeSpan duration) => _writeDuration.Record(duration.TotalSeconds);

    /// <summary>The disk has a commit of the log.</summary>
    /// <param name="started">When it was asked, by the stopwatch.</param>
    public void LogSynced(long started) => _logSync.Record(Since(started));

    public void LogAppended(int entries, long bytes)
    {
        _logEntries.Add(entries);
        _logBytes.Add(bytes);
    }

    /// <summary>A batch of writes was executed by this leader.</summary>
    /// <param name="writes">How many of them succeeded.</param>
    /// <param name="started">When it began, by the stopwatch.</param>
    public void BatchExecuted(int writes, long started)
    {
        _execute.Record(Since(started));
        _batchWrites.Record(writes);
    }

    /// <summary>A majority has this leader's entry.</summary>
    /// <param name="proposed">When it was proposed, by the stopwatch.</param>
    public void EntryCommitted(long proposed) => _commit.Record(Since(proposed));

    /// <summary>An entry was applied.</summary>
    /// <param name="started">When that began, by the stopwatch.</param>
    public void EntryApplied(long started) => _apply.Record(Since(started));

    public void LeaderChanged() => _leaderChanges.Add(1);

    public void ElectionBegun() => _elections.Add(1);

    /// <summary>A snapshot was made for peers.</summary>
    /// <param name="started">When that began, by the stopwatch.</param>
    public void SnapshotMade(long started) => _snapshotMake.Record(Since(started));

    /// <summary>A piece of a snapshot was sent.</summary>
    public void SnapshotPieceSent(int bytes, bool isLast)
    {
        _snapshotSentBytes.Add(bytes);
        if (isLast)
        {
            _snapshotsSent.Add(1);
        }
    }

    public void SnapshotPieceReceived(int bytes) => _snapshotReceivedBytes.Add(bytes);

    /// <summary>All of a snapshot is here, and is what was offered.</summary>
    public void SnapshotReceived(TimeSpan duration) => _snapshotReceive.Record(duration.TotalSeconds);

    /// <summary>A comparison of all replicas came to its end.</summary>
    /// <param name="outcome">One of a few words.</param>
    /// <param name="duration">How long it took.</param>
    public void Verified(string outcome, TimeSpan duration)
    {
        _verifications.Add(1, Label("outcome", outcome));
        _verificationDuration.Record(duration.TotalSeconds);
    }

    public void Dispose() => Meter.Dispose();

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private static double Since(long started) => Stopwatch.GetElapsedTime(started).TotalSeconds;
}
