using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Telemetry;

namespace DistDb.Node.Replication;

/// <summary>Every node's share: what is committed is applied in order, as recorded or, where a majority sees something else, as seen here.</summary>
internal sealed partial class WriteLoop
{
    private void ApplyUpTo(LogIndex committed)
    {
        if (_batch is { } batch)
        {
            if (_log.TermAt(batch.Index) == batch.Term)
            {
                CommitBatch(batch);
                return;
            }

            // Another leader's entry stands there: this one's will never be committed.
            _databases.Rollback();
            _batch = null;
        }

        foreach (var entry in _log.Read(_appliedIndex.Next, committed, ApplyBytesAtOnce))
        {
            Apply(entry);
        }

        CheckpointIfDue();
    }

    /// <summary>Now and then has the disk confirm the database, so that the log can be cut behind it. Where a long reader prevents it, the next time will do.</summary>
    private void CheckpointIfDue()
    {
        if (_appliedIndex - _checkpointTried < Math.Min(_options.CheckpointEntries, _options.LogTailEntriesMax))
        {
            return;
        }

        _checkpointTried = _appliedIndex;
        if (_databases.Checkpoint() is { } durable)
        {
            _raft.AllowTrim(KeepLogFrom() is { } kept ? LogIndex.Min(kept, new(durable)) : new(durable));
        }
    }

    /// <summary>Either this file is bad or the leader's was: nothing more is applied until the voters have said which.</summary>
    private void Differ(ObservationDifferedException e)
    {
        _databases.Rollback();
        lock (_lock)
        {
            _overruleWanted = null;
        }

        var disagreement = new Disagreement(new(e.Entry), e.Observation, e.Message, DateTimeOffset.UtcNow);
        Opinions.Differ(disagreement);
        Differed(disagreement);
    }

    /// <summary>A majority observes what this node observes: so is the entry applied.</summary>
    private void ApplyOverruling()
    {
        var disagreement = Opinions.Disagreement!;
        Apply(_log.Read(disagreement.Index, disagreement.Index, ApplyBytesAtOnce).Single(), disagreement);
        Opinions.Overruled();
        Overruled(disagreement);
    }

    private void Apply(Entry entry, Disagreement? overruling = null)
    {
        var started = Stopwatch.GetTimestamp();
        if (entry.Kind == EntryKind.Configuration)
        {
            _databases.Begin(new(entry.Index.Value, _databases.AppliedTimeMs, 0));
            _databases.SetMembership(entry.Data.Span);
            _databases.Commit();
        }

        List<(WriteId Id, WriteOutcome Outcome)> own = [];
        IReadOnlyList<LoggedWrite> writes = [];
        switch (entry.Kind == EntryKind.Command ? LogCommandCodec.Decode(entry.Data.Span) : null)
        {
            case null:
                break;
            case BootstrapCommand bootstrap:
                _databases.Begin(new(entry.Index.Value, _databases.AppliedTimeMs, 0));
                _databases.SetClusterId(bootstrap.ClusterId);
                _databases.Commit();
                NoteClusterId(bootstrap.ClusterId);
                break;
            case WriteBatch batch:
                writes = batch.Writes;
                var stamp = new EntryStamp(entry.Index.Value, batch.TimeMs, batch.Seed, batch.ChangesBytesMax);
                own = overruling is null ? Replay(stamp, batch) : ReplayOverruling(stamp, batch, overruling.Observation);
                break;
            case var command:
                throw new UnreachableException(command.GetType().Name);
        }

        FinishEntry(entry.Index, writes.Count);
        _instruments.EntryApplied(started);
        foreach (var (id, outcome) in own)
        {
            if (NodeTracing.IsOn)
            {
                NodeTracing.Ended("apply", _pending.TraceOf(id), started, entry.Index.Value);
            }

            if (outcome is WriteOutcome.Succeeded { Results: var results })
            {
                _pending.Applied(id, entry.Index, results);
            }
            else
            {
                _pending.Refused(id, entry.Term, ((WriteOutcome.Failed)outcome).Failure);
            }
        }

        FinishTerm(entry.Term);
        AnnounceVerifications(entry.Index, writes.Select(w => w.Command));
    }

    /// <summary>Executes an entry as recorded. Gives the outcomes of those writes that clients of this node wait for.</summary>
    private List<(WriteId Id, WriteOutcome Outcome)> Replay(EntryStamp stamp, WriteBatch batch)
    {
        var writes = batch.Writes;
        List<(WriteId, WriteOutcome)> own = [];
        _databases.Begin(stamp);
        for (var i = 0; i < writes.Count; i++)
        {
            var id = writes[i].Command.Id;
            var isAwaited = _pending.IsAwaited(id);
            var results = _databases.Replay(writes[i], i, isAwaited);
            if (isAwaited && results is not null)
            {
                own.Add((id, new WriteOutcome.Succeeded(results, writes[i].Observation)));
            }
        }

        _databases.Commit(batch);
        return own;
    }

    /// <summary>Executes an entry as this node's content has it, and notes that. Otherwise as <see cref="Replay"/>.</summary>
    private List<(WriteId Id, WriteOutcome Outcome)> ReplayOverruling(EntryStamp stamp, WriteBatch batch, ulong observation)
    {
        var writes = batch.Writes;

        // Those at which SQLite rolls back the whole entry: it is begun again without them.
        Dictionary<int, WriteOutcome?> leftOut = [];
        while (true)
        {
            List<(WriteId, WriteOutcome)> own = [];
            _databases.Begin(stamp);
            for (var i = 0; i < writes.Count && !_databases.TransactionLost; i++)
            {
                var id = writes[i].Command.Id;
                var isAwaited = _pending.IsAwaited(id);
                if (!leftOut.TryGetValue(i, out var outcome))
                {
                    outcome = _databases.ReplayOverruling(writes[i], i, isAwaited);
                    if (_databases.TransactionLost)
                    {
                        leftOut.Add(i, outcome);
                    }
                }

                if (isAwaited && outcome is not null)
                {
                    own.Add((id, outcome));
                }
            }

            if (!_databases.TransactionLost)
            {
                _databases.SetOverruled(observation);
                _databases.Commit(batch);
                return own;
            }

            _databases.Rollback();
        }
    }

    private void AnnounceVerifications(LogIndex index, IEnumerable<WriteCommand> applied)
    {
        VerifyOperation? found = null;
        foreach (var command in applied)
        {
            if (command.Operation is VerifyOperation verify)
            {
                // One looks at the entry as a whole, for all.
                found = new(verify.Repairs || found is { Repairs: true });
            }
        }

        if (found is not null)
        {
            VerifyApplied(index, found);
        }
    }

    private void FinishEntry(LogIndex index, int writeCount)
    {
        _appliedIndex = index;
        if (writeCount > 0)
        {
            Interlocked.Add(ref _writeCount, writeCount);
            Interlocked.Increment(ref _batchCount);
        }

        MasterNode = new(_databases.MasterNode);
        Tokens = _databases.Tokens;
        _applied.Advance(index);
    }

    private void NoteClusterId(Guid? known)
    {
        if (known is { } id && id != ClusterId)
        {
            ClusterId = id;
            _raft.SetClusterId(id);
        }
    }

    /// <summary>After the entry's own writes were announced: see <see cref="PendingWrites"/> for why the order matters.</summary>
    private void FinishTerm(Term term)
    {
        if (term > _appliedTerm)
        {
            _appliedTerm = term;
            _pending.AppliedTerm(term);
        }
    }
}
