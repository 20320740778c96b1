using System.Collections.Concurrent;
using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Replication;

/// <summary>Interactive transactions of this node's clients (docs/adr/0018).</summary>
public sealed partial class ClusterNode
{
    private readonly TransactionDesk _desk;
    private readonly ConcurrentDictionary<ClientTransaction, byte> _transactions = [];

    /// <summary>A transaction whose client sends nothing for this long is rolled back.</summary>
    public TimeSpan TransactionIdle => _options.TransactionIdle;

    /// <summary>How long a transaction may last in all.</summary>
    public TimeSpan TransactionTimeout => _options.TransactionTimeout;

    /// <summary>How many transactions clients of this node have open.</summary>
    public int TransactionCount => _transactions.Count;

    /// <summary>A new transaction, which takes nothing yet: see <see cref="ClientTransaction.BeginAsync"/>. Whoever has it ends it.</summary>
    /// <returns>Null, and why, where this node takes none.</returns>
    public ClientTransaction? OpenTransaction(TransactionOptions options, out Failure? failure)
    {
        failure = Refusal()
            ?? (!_databases.Names.Contains(options.Database) ? DatabaseSet.NoSuchDatabase(options.Database) : null)
            ?? (_transactions.Count >= _options.TransactionsMax
                ? new(FailureCode.Overloaded, $"{_options.TransactionsMax} transactions are open at this node, which is the most there may be. Nothing was done; come back in a moment, or ask another node.")
                : null);
        if (failure is not null)
        {
            return null;
        }

        var transaction = new ClientTransaction(this, _desk, options);
        _transactions.TryAdd(transaction, 0);
        return transaction;
    }

    /// <summary>What a statement takes and returns, by this node's content, without executing it.</summary>
    /// <returns>Null, and why, where it cannot be prepared, or there is no such database.</returns>
    public async Task<(StatementDescription? Description, Failure? Failure)> DescribeAsync(string database, string sql, CancellationToken cancellationToken)
    {
        var (snapshot, lease, failure) = await OpenSnapshotAsync(database, cancellationToken).ConfigureAwait(false);
        if (failure is not null)
        {
            return (null, failure);
        }

        using (lease)
        using (snapshot)
        {
            return (snapshot!.Describe(sql, out failure), failure);
        }
    }

    internal void Forget(ClientTransaction transaction) => _transactions.TryRemove(transaction, out _);

    internal Failure NoLeader() => new(FailureCode.NoQuorum, $"The transaction was not begun: {DescribeQuorum()} Begin it again when more nodes are up; reads still work.");

    internal async Task<(ReadSnapshot? Snapshot, DatabaseLease? Lease, Failure? Failure)> OpenSnapshotAsync(string database, CancellationToken cancellationToken)
    {
        DatabaseLease? lease = null;
        try
        {
            if (IsClosed)
            {
                return (null, null, ClosedFailure());
            }

            lease = await _databases.LeaseAsync(database, cancellationToken).ConfigureAwait(false);
            if (lease is null)
            {
                return (null, null, DatabaseSet.NoSuchDatabase(database));
            }

            if (lease.Readers.BeginSnapshot(out var failure) is { } snapshot)
            {
                var kept = lease;
                lease = null;
                return (snapshot, kept, null);
            }

            return (null, null, failure);
        }
        catch (ObjectDisposedException) when (lease is { IsOver: true })
        {
            return (null, null, new(FailureCode.Overloaded, "The database was dropped or replaced at this moment. Nothing was done; try again."));
        }
        catch (StorageFailedException e) when (IsClosed || e.IsDamage)
        {
            OnUnreadable(e);
            return (null, null, ClosedFailure());
        }
        finally
        {
            lease?.Dispose();
        }
    }

    internal async Task<ReadOutcome> ReadAsync(
        ClientTransaction transaction, ReadSnapshot snapshot, DatabaseLease lease, Statement statement, Deadline deadline, CancellationToken cancellationToken)
    {
        try
        {
            if (IsClosed)
            {
                return new ReadOutcome.Failed(ClosedFailure());
            }

            // Not on the caller's thread, which may have others' requests to serve.
            var outcome = await Task.Run(() => snapshot.Query(statement, new(deadline.Remaining), cancellationToken), cancellationToken).ConfigureAwait(false);
            if (outcome is ReadOutcome.RowsRead)
            {
                transaction.NoteRead();
            }

            return outcome;
        }
        catch (ObjectDisposedException)
        {
            return new ReadOutcome.Failed(transaction.Loss ?? new(FailureCode.TransactionLost, "The transaction has ended."));
        }
        catch (StorageFailedException e) when (lease.IsOver || IsClosed || e.IsDamage)
        {
            if (!lease.IsOver)
            {
                OnUnreadable(e);
            }

            return new ReadOutcome.Failed(new(FailureCode.TransactionLost, "What the transaction was reading is gone. It is over; begin it again."));
        }
    }

    private void SweepTransactions()
    {
        _desk.Sweep();
        foreach (var transaction in _transactions.Keys.Where(t => t.IsReading && (t.Idle.HasPassed || t.End.HasPassed)))
        {
            transaction.Lose(new(
                FailureCode.TransactionTimeout,
                transaction.End.HasPassed
                    ? $"The transaction was ended, as it lasted longer than {TransactionTimeout.TotalSeconds:0.###} s (--transaction-timeout). It had written nothing; begin it again."
                    : $"The transaction was ended, as its client was silent for {TransactionIdle.TotalSeconds:0.###} s (--transaction-idle). It had written nothing; begin it again."));
        }
    }
}
