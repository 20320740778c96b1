using System.Security.Cryptography;
using System.Text;
using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// Remembers the outcome of writes that carried an idempotency key, so that a client may send one again and have it done once.
/// It lives in the database itself: a key and what was done under it are committed together, on every replica alike.
/// The oldest are forgotten, by their time, their number and their bytes.
/// </summary>
internal sealed class RequestLedger(
    Connection connection,
    long countMax = DatabaseOptions.RememberedCountMax,
    long bytesMax = DatabaseOptions.RememberedTotalBytesMax) : IDisposable
{
    /// <summary>Past their time and forgotten with each keyed write: more than the one it adds, so that they run out, and few enough to cost nothing.</summary>
    private const int ForgottenAtOnce = 64;

    private readonly InternalStatement _find = connection.CreateInternal(
        "SELECT fingerprint, entry_index, results FROM _distdb_requests WHERE key = ?1 AND time_ms >= ?2");

    private readonly InternalStatement _store = connection.CreateInternal(
        "INSERT INTO _distdb_requests(key, fingerprint, entry_index, time_ms, results) VALUES (?1, ?2, ?3, ?4, ?5)");

    private readonly InternalStatement _findOldest = connection.CreateInternal("SELECT key, time_ms FROM _distdb_requests ORDER BY time_ms, key LIMIT 1");

    private readonly InternalStatement _measure = connection.CreateInternal(
        $"SELECT {InternalSchema.RequestBytes} FROM _distdb_requests WHERE key = ?1");

    private readonly InternalStatement _forget = connection.CreateInternal("DELETE FROM _distdb_requests WHERE key = ?1");

    // Counting a million rows with each write would take too long, and totals in memory would have to be taken back with what is rolled back.
    private readonly InternalStatement _readTotals = connection.CreateInternal("SELECT count, bytes FROM _distdb_request_totals");

    private readonly InternalStatement _storeTotals = connection.CreateInternal("UPDATE _distdb_request_totals SET count = ?1, bytes = ?2");

    /// <summary>Looks a write up before it is executed.</summary>
    /// <returns>Its first outcome, a failure where the key stands for another write, or null where the key is new.</returns>
    public WriteOutcome? Find(WriteCommand command, EntryStamp stamp)
    {
        _find.Bind(1, command.IdempotencyKey!).Bind(2, OldestKept(stamp));
        if (!_find.Step())
        {
            return null;
        }

        var sameBody = _find.Blob(0).AsSpan().SequenceEqual(Fingerprint(command));
        var index = _find.Integer(1);
        var results = _find.Blob(2);
        _find.Reset();
        return sameBody
            ? new WriteOutcome.Remembered(ResultCodec.Decode(results), index)
            : new WriteOutcome.Failed(new(
                FailureCode.IdReused,
                $"The id \"{command.IdempotencyKey}\" was used for another write, in entry {index}; use a new id for each write."));
    }

    /// <summary>Stores what a write answered, and forgets those for which there is no room besides, and some of those past their time.</summary>
    /// <param name="command">A write that succeeded.</param>
    /// <param name="stamp">The entry that it is in.</param>
    /// <param name="results">As <see cref="ResultCodec.Encode"/> gives them.</param>
    public void Store(WriteCommand command, EntryStamp stamp, ReadOnlySpan<byte> results)
    {
        var key = command.IdempotencyKey!;
        var bytesAdded = Encoding.UTF8.GetByteCount(key) + results.Length;
        _ = _readTotals.Step();
        var (count, bytes) = (_readTotals.Integer(0), _readTotals.Integer(1));
        _readTotals.Reset();

        // The same key, past its time.
        Forget(key, ref count, ref bytes);
        for (var forgotten = 0; _findOldest.Step(); forgotten++)
        {
            var (oldest, timeMs) = (_findOldest.Text(0), _findOldest.Integer(1));
            _findOldest.Reset();
            var isPastItsTime = timeMs < OldestKept(stamp) && forgotten < ForgottenAtOnce;
            if (!isPastItsTime && count < countMax && bytes + bytesAdded <= bytesMax)
            {
                break;
            }

            Forget(oldest, ref count, ref bytes);
        }

        _storeTotals.Bind(1, count + 1).Bind(2, bytes + bytesAdded).Run();
        _store.Bind(1, key)
            .Bind(2, Fingerprint(command))
            .Bind(3, stamp.Index)
            .Bind(4, stamp.TimeMs)
            .Bind(5, results)
            .Run();
    }

    public void Dispose()
    {
        _find.Dispose();
        _store.Dispose();
        _findOldest.Dispose();
        _measure.Dispose();
        _forget.Dispose();
        _readTotals.Dispose();
        _storeTotals.Dispose();
    }

    /// <summary>Does nothing where the key is not remembered.</summary>
    private void Forget(string key, ref long count, ref long bytes)
    {
        if (_measure.Bind(1, key).Step())
        {
            bytes -= _measure.Integer(0);
            count--;
            _measure.Reset();
            _forget.Bind(1, key).Run();
        }
    }

    private static long OldestKept(EntryStamp stamp) => stamp.TimeMs - (long)DatabaseOptions.RequestRetention.TotalMilliseconds;

    /// <summary>Stands for what the client asked for; not for the write's id, which differs when it asks again.</summary>
    private static byte[] Fingerprint(WriteCommand command)
    {
        var writer = new WireWriter();
        writer.WriteText(command.Database);
        writer.WriteBool(command.IsTransaction);
        if (command.Operation is { } operation)
        {
            LogCommandCodec.WriteOperation(writer, operation);
        }

        writer.WriteUnsigned((ulong)command.Statements.Count);
        foreach (var statement in command.Statements)
        {
            LogCommandCodec.WriteStatement(writer, statement);
        }

        return SHA256.HashData(writer.Written.Span);
    }
}
