using System.Security.Cryptography;
using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// Remembers the outcome of writes that carried an idempotency key, so that a client may send one again and have it done once.
/// It lives in the database itself: a key and what was done under it are committed together, on every replica alike.
/// </summary>
internal sealed class RequestLedger(Connection connection) : IDisposable
{
    /// <summary>Forgotten with each keyed write: more than the one it adds, so that old ones run out, and few enough to cost nothing.</summary>
    private const int ForgottenAtOnce = 64;

    private readonly InternalStatement _find = connection.PrepareInternal(
        "SELECT fingerprint, entry_index, results FROM _distdb_requests WHERE key = ?1 AND time_ms >= ?2");

    private readonly InternalStatement _store = connection.PrepareInternal(
        "INSERT OR REPLACE INTO _distdb_requests(key, fingerprint, entry_index, time_ms, results) VALUES (?1, ?2, ?3, ?4, ?5)");

    private readonly InternalStatement _forget = connection.PrepareInternal(
        $"""
        DELETE FROM _distdb_requests WHERE key IN (
            SELECT key FROM _distdb_requests WHERE time_ms < ?1 ORDER BY time_ms, key LIMIT {ForgottenAtOnce})
        """);

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

    /// <summary>Stores what a write answered, and forgets some of those past their time.</summary>
    /// <param name="command">A write that succeeded.</param>
    /// <param name="stamp">The entry that it is in.</param>
    /// <param name="results">As <see cref="ResultCodec.Encode"/> gives them.</param>
    public void Store(WriteCommand command, EntryStamp stamp, ReadOnlySpan<byte> results)
    {
        _forget.Bind(1, OldestKept(stamp)).Run();
        _store.Bind(1, command.IdempotencyKey!)
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
        _forget.Dispose();
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
