using System.Collections.Concurrent;
using DistDb.Node.Replication;

namespace DistDb.Node.Api.Hrana;

/// <summary>
/// The streams that this node holds between requests, and the transactions of the native API. Thread safe. A stream that is quiet stays for long, as clients keep one for each of their
/// connections and cannot do without; its transaction does not (<see cref="ClientTransaction"/>).
/// </summary>
/// <param name="node">The node.</param>
internal sealed class StreamStore(ClusterNode node) : BackgroundService
{
    /// <summary>Streams at once: each some hundred bytes, with what <see cref="Count"/> counts. Beyond that the one that was quiet for the longest time goes.</summary>
    private const int StreamsMax = 10_000;

    /// <summary>Characters of stored texts in all streams.</summary>
    private const long StoredCharsMax = 16 << 20;

    /// <summary>A client that kept a connection idle for so long finds a new one in its pool.</summary>
    private static readonly TimeSpan _idleMax = TimeSpan.FromMinutes(30);

    /// <summary>How long a transaction's end is told to a client that asks again.</summary>
    private static readonly TimeSpan _endKept = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<Guid, HranaStream> _streams = [];
    private readonly ConcurrentDictionary<Guid, NativeTransaction> _transactions = [];
    private long _storedChars;

    /// <summary>Takes a stream that a request was answered by.</summary>
    public void Keep(HranaStream stream)
    {
        stream.UsedAtMs = Environment.TickCount64;
        _streams[stream.Id] = stream;
        if (_streams.Count > StreamsMax && _streams.Values.Where(s => s.IsAutocommit).MinBy(s => s.UsedAtMs) is { } oldest && _streams.TryRemove(oldest.Id, out _))
        {
            oldest.Dispose();
        }
    }

    /// <summary>Gives a stream out to a request, with the one baton that is good; null where there is none.</summary>
    public HranaStream? Take(StreamId id) =>
        _streams.TryGetValue(id.Id, out var stream) && stream.Sequence == id.Sequence && _streams.TryRemove(KeyValuePair.Create(id.Id, stream)) ? stream : null;

    public void Keep(NativeTransaction transaction) => _transactions[transaction.Id] = transaction;

    public NativeTransaction? Find(Guid id) => _transactions.GetValueOrDefault(id);

    /// <summary>Counts characters that a stream stores, or gives them back; false where there are too many.</summary>
    public bool Count(long chars)
    {
        if (Interlocked.Add(ref _storedChars, chars) <= StoredCharsMax || chars <= 0)
        {
            return true;
        }

        Interlocked.Add(ref _storedChars, -chars);
        return false;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5));
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                Sweep();
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }

        foreach (var stream in _streams.Values)
        {
            stream.Dispose();
        }

        foreach (var transaction in _transactions.Values)
        {
            transaction.Transaction.Dispose();
        }
    }

    private void Sweep()
    {
        var now = Environment.TickCount64;
        var transactionMax = node.TransactionTimeout + _endKept;
        foreach (var stream in _streams.Values.Where(s => now - s.UsedAtMs > (long)(s.IsAutocommit ? _idleMax : transactionMax).TotalMilliseconds))
        {
            if (_streams.TryRemove(KeyValuePair.Create(stream.Id, stream)))
            {
                stream.Dispose();
            }
        }

        foreach (var transaction in _transactions.Values.Where(t => now - t.UsedAtMs > (long)transactionMax.TotalMilliseconds))
        {
            _transactions.TryRemove(transaction.Id, out _);
            transaction.Transaction.Dispose();
        }
    }
}
