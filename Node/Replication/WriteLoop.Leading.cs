using System.Diagnostics;
using System.Security.Cryptography;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Telemetry;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>The leader's share: clients' writes are executed, proposed, committed and answered, or undone where another leads by then.</summary>
internal sealed partial class WriteLoop
{
    /// <summary>Executes what waits, as far as it fits one batch, and proposes it.</summary>
    private void Execute(Term term)
    {
        var batch = new OpenBatch(_appliedIndex.Next, term);
        LogCommand? command;
        (Membership Membership, Membership Basis)? proposed;
        lock (_lock)
        {
            (proposed, _proposedMembership) = (_proposedMembership, null);
        }

        if (proposed is var (membership, basis) && membership.Find(new(_databases.MasterNode)) is not null)
        {
            _databases.Begin(new(batch.Index.Value, _databases.AppliedTimeMs, 0));
            _databases.SetMembership(MembershipCodec.Encode(membership));
            _batch = batch;
            batch.ProposedAt = Stopwatch.GetTimestamp();
            _raft.Propose(batch.Term, batch.Index, membership, basis, () => Refused(batch));
            return;
        }

        if (_databases.ClusterId is null)
        {
            var bootstrap = new BootstrapCommand(Guid.NewGuid());
            _databases.Begin(new(batch.Index.Value, _databases.AppliedTimeMs, 0));
            _databases.SetClusterId(bootstrap.ClusterId);
            command = bootstrap;
        }
        else
        {
            if (IsTrusted())
            {
                _transactions.Run(term);
            }

            var started = Stopwatch.GetTimestamp();
            command = batch.Content = ExecuteWrites(batch);
            if (command is not null)
            {
                _instruments.BatchExecuted(batch.Succeeded.Count, started);
            }
        }

        if (command is null)
        {
            _databases.Rollback();
            AnswerOnceStillLeader(batch);
            return;
        }

        _batch = batch;
        batch.ProposedAt = Stopwatch.GetTimestamp();
        _raft.Propose(batch.Term, batch.Index, LogCommandCodec.Encode(command), () => Refused(batch));
    }

    /// <summary>Called on the Raft loop's thread.</summary>
    private void Refused(OpenBatch batch)
    {
        lock (_lock)
        {
            _refusedBatch = batch;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>The command for the log, or null if no write succeeded.</summary>
    private WriteBatch? ExecuteWrites(OpenBatch batch)
    {
        List<QueuedWrite> candidates;
        List<HostedTransaction> begun = [];
        var isTrusted = IsTrusted();
        lock (_lock)
        {
            candidates = isTrusted ? _queue.TakeBatch(out begun) : _queue.TakeUrgent();
        }

        _transactions.TurnsBegin(begun);
        if (candidates.Count == 0)
        {
            return null;
        }

        var stamp = new EntryStamp(
            batch.Index.Value,
            Math.Max(_databases.AppliedTimeMs, BoundTime(_options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds())),
            BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)),
            _options.ChangesBytesMax);
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            _databases.Begin(stamp);
            var settledCount = batch.Unlogged.Count;
            var executedCount = 0;
            while (executedCount < candidates.Count && !_databases.TransactionLost
                && (executedCount == 0 || Stopwatch.GetElapsedTime(started) < _options.BatchTimeMax)
                && !(batch.Succeeded.Count > 0 && batch.Succeeded[^1].Write.Command.Operation is not null)
                && !(batch.Succeeded.Count > 0 && candidates[executedCount].Command.Operation is LoadDatabaseOperation))
            {
                // An operation ends its batch: what follows must see what it did. A load undoes what was written before it.
                ExecuteOne(candidates[executedCount++], batch);
            }

            if (!_databases.TransactionLost)
            {
                PutBackOrDrop(candidates.Skip(executedCount), batch.Term);
                break;
            }

            // The last write made SQLite roll back those before it as well (an interrupted statement, ON CONFLICT ROLLBACK). All that
            // was seen in this transaction is void; the others are executed again without it, and nobody notices.
            _databases.Rollback();
            var culprit = batch.Unlogged[^1];
            batch.Succeeded.Clear();
            batch.Unlogged.RemoveRange(settledCount, batch.Unlogged.Count - settledCount);
            if (executedCount == 1 || culprit.Outcome is WriteOutcome.Failed { Failure.Code: FailureCode.Timeout })
            {
                batch.Unlogged.Add(culprit);
                candidates.RemoveAt(executedCount - 1);
            }
            else
            {
                // Its verdict may rest on one of those: it is executed again as well, first in the next batch, where it is alone with
                // what is committed.
                PutBackOrDrop(candidates.Skip(executedCount - 1), batch.Term);
                candidates.RemoveRange(executedCount - 1, candidates.Count - executedCount + 1);
            }

            started = Stopwatch.GetTimestamp();
        }

        foreach (var (write, _) in batch.Succeeded.Where(s => s.Write.Command.Interactive is not null))
        {
            _transactions.Committing(write.Command);
        }

        return batch.Succeeded.Count == 0
            ? null
            : new WriteBatch(
                stamp.TimeMs,
                stamp.Seed,
                [.. batch.Succeeded.Select(s => new LoggedWrite(s.Write.Command, s.Outcome.Observation) { Summary = s.Outcome.Summary })])
            {
                History = HistoryTermsOf(batch),
                ChangesBytesMax = _options.ChangesBytesMax,
            };
    }

    private HistoryTerms? HistoryTermsOf(OpenBatch batch) =>
        _options.HistoryRowsMax == 0
            ? null
            : new(
                _options.HistoryRowsMax,
                (long)_options.HistoryAgeMax.TotalMilliseconds,
                batch.Succeeded.Select(s => s.Write.Command.Id.Node).Distinct().ToDictionary(n => n, n => AddressOf(new(n))));

    private void ExecuteOne(QueuedWrite write, OpenBatch batch)
    {
        if (write.Deadline.HasPassed)
        {
            batch.Unlogged.Add((write, new WriteOutcome.Failed(new(
                FailureCode.Timeout,
                IsTrusted()
                    ? "The write waited longer than its time limit for others before it. It was not done; send it again."
                    : "The leader has not yet found its content equal to a majority's, as it was just started or another node observes something else than it recorded; so it takes no writes. This one was not done; send it again in a moment."))));
            return;
        }

        if (write.Command.Operation is PromoteOperation { Node: var heir } && RefusalToPromote(new(heir)) is { } refusal)
        {
            batch.Unlogged.Add((write, new WriteOutcome.Failed(refusal)));
            return;
        }

        if (write.Command is { Client: not null, Token: null } && Tokens is { All.Count: > 0 })
        {
            // Its node has yet to hear of the first token.
            batch.Unlogged.Add((write, new WriteOutcome.Failed(new(FailureCode.Unauthorized, "This cluster asks for a token since a moment ago. Nothing was done."))));
            return;
        }

        var rights = new WriteRights(MaySchema: write.Command.Id.Node == _databases.MasterNode, write.Command.Role, write.ResultBytesMax);
        if (write.Command.Interactive is not null)
        {
            if (_transactions.Find(write.Command, out var content) is { } lost)
            {
                batch.Unlogged.Add((write, new WriteOutcome.Failed(lost)));
                return;
            }

            if (!content!.HasWritten)
            {
                _transactions.Committing(write.Command);
                _transactions.Committed(write.Command);
                batch.Unlogged.Add((write, new WriteOutcome.Remembered([], _databases.AppliedIndex)));
                return;
            }

            rights = rights with { Expected = content.Observation };
            write = write with { Command = write.Command with { Statements = content.Statements, Interactive = content.Terms, WithoutForeignKeys = content.WithoutForeignKeys } };
        }

        var started = Stopwatch.GetTimestamp();
        var outcome = _databases.Execute(write.Command, batch.Succeeded.Count, rights, write.Deadline.Remaining);
        NodeTracing.Ended("execute", write.Trace, started, batch.Index.Value);
        if (outcome is WriteOutcome.Succeeded succeeded)
        {
            if (write.Command.Operation is DropDatabaseOperation { Name: var dropped })
            {
                _transactions.DatabaseGone(dropped);
            }
            else if (write.Command.Operation is LoadDatabaseOperation { Name: var loaded })
            {
                _transactions.DatabaseGone(loaded);
            }

            // Another node gets its client's results from its own execution of the entry.
            batch.Succeeded.Add((write, write.Command.Id.Node == _self.Value ? succeeded : succeeded with { Results = [] }));
        }
        else
        {
            batch.Unlogged.Add((write, outcome));
        }
    }

    private Failure? RefusalToPromote(NodeId heir)
    {
        var membership = _raft.View.Membership;
        return membership.Find(heir) is null ? MembershipPolicy.NoSuchNode(heir, membership)
            : membership.IsVoter(heir) ? null
            : new(FailureCode.Conflict, $"Node {heir} cannot become the master as long as it does not vote ({membership}). Nothing was done; try again when it has caught up.");
    }

    private void CommitBatch(OpenBatch batch)
    {
        _instruments.EntryCommitted(batch.ProposedAt);
        EndSpans("replicate", batch, batch.ProposedAt);
        var started = Stopwatch.GetTimestamp();
        _databases.Commit(batch.Content);
        _batch = null;
        if (ClusterId == Guid.Empty)
        {
            NoteClusterId(_databases.ClusterId);
        }

        FinishEntry(batch.Index, batch.Succeeded.Count);
        _instruments.EntryApplied(started);
        EndSpans("apply", batch, started);
        foreach (var (write, outcome) in batch.Succeeded)
        {
            if (write.Command.Interactive is not null)
            {
                _transactions.Committed(write.Command);
            }

            if (write.Command.Id.Node == _self.Value)
            {
                _pending.Applied(write.Command.Id, batch.Index, outcome.Results);
            }
        }

        FinishTerm(batch.Term);
        AnswerUnlogged(batch);
        AnnounceVerifications(batch.Index, batch.Succeeded.Select(s => s.Write.Command));
        CheckpointIfDue();
    }

    private static void EndSpans(string name, OpenBatch batch, long started)
    {
        if (!NodeTracing.IsOn)
        {
            return;
        }

        foreach (var (write, _) in batch.Succeeded)
        {
            NodeTracing.Ended(name, write.Trace, started, batch.Index.Value);
        }
    }

    /// <summary>Leadership is lost, or the proposal came too late for it: undoes the open batch.</summary>
    private void Abandon(OpenBatch batch)
    {
        _batch = null;
        _databases.Rollback();
        bool wasRefused;
        lock (_lock)
        {
            wasRefused = batch == _refusedBatch;
            _refusedBatch = null;
        }

        // A refused proposal never comes near the log. One that was taken is in it or not, which the log alone will tell; but what
        // was not meant for the log can be sent again at once. (A refusal within the term means a hand-over, which may fail.)
        PutBackOrDrop(wasRefused ? batch.Writes : batch.Unlogged.Select(u => u.Write), batch.Term);
    }

    /// <summary>Writes taken in a term wait on while this node leads that term, and are dropped with it: no other term may have them.</summary>
    private void PutBackOrDrop(IEnumerable<QueuedWrite> writes, Term term)
    {
        lock (_lock)
        {
            if (_leadership.Leads(term))
            {
                _queue.PutBack(writes);
                return;
            }
        }

        AnnounceDropped(writes, term);
    }

    private void AnnounceDropped(IEnumerable<QueuedWrite> writes, Term term)
    {
        foreach (var write in writes.Where(w => w.Command.Id.Node == _self.Value))
        {
            _pending.Dropped(write.Command.Id, term);
        }
    }

    /// <summary>
    /// Nothing to log, so no entry confirms that this node still led when it saw what the answers rest on; a read round does.
    /// If it does not lead any more, the writes' origins send them to whoever does.
    /// </summary>
    private void AnswerOnceStillLeader(OpenBatch batch)
    {
        if (batch.Unlogged.Count == 0)
        {
            return;
        }

        _raft.ReadIndexAsync(_stopped.Token).ContinueWith(
            confirmed =>
            {
                if (confirmed.IsCompletedSuccessfully && _raft.Leadership.Leads(batch.Term))
                {
                    AnswerUnlogged(batch);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
    }

    private void AnswerUnlogged(OpenBatch batch)
    {
        foreach (var (write, outcome) in batch.Unlogged)
        {
            var id = write.Command.Id;
            switch (outcome)
            {
                case WriteOutcome.Failed { Failure: var failure }:
                    lock (_lock)
                    {
                        if (_leadership.Leads(batch.Term))
                        {
                            _queue.Refuse(id, failure);
                        }
                    }

                    SendRefusal(id, batch.Term, failure);
                    break;
                case WriteOutcome.Remembered { Index: var index, Results: var results }:
                    lock (_lock)
                    {
                        if (_leadership.Leads(batch.Term))
                        {
                            _queue.Forget(id);
                        }
                    }

                    SendRemembered(new(id, batch.Term, new(index), results));
                    break;
                default:
                    throw new UnreachableException(outcome.GetType().Name);
            }
        }
    }

    private void SendRefusal(WriteId id, Term term, Failure failure)
    {
        if (id.Node == _self.Value)
        {
            _pending.Refused(id, term, failure);
        }
        else
        {
            _send(new(id.Node), new WriteRefused(id, term, failure));
        }
    }

    private void SendReply(NodeId origin, TransactionReply reply)
    {
        if (origin == _self)
        {
            TransactionAnswered(reply);
        }
        else
        {
            _send(origin, reply);
        }
    }

    private void SendRemembered(WriteRemembered message)
    {
        if (message.Id.Node == _self.Value)
        {
            _pending.Remembered(message.Id, message.Term, message.Index, message.Results);
        }
        else
        {
            _send(new(message.Id.Node), message);
        }
    }
}
