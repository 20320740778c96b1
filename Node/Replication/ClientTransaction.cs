using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// An interactive transaction of a client, at the node that the client uses. It reads from a snapshot of this node's until it writes; from then on it is the leader's
/// (<see cref="TransactionHost"/>), and this forwards. Used for one thing at a time, but for <see cref="Dispose"/> and the times.
/// </summary>
public sealed class ClientTransaction : IDisposable
{
    private readonly ClusterNode _node;
    private readonly TransactionDesk _desk;
    private readonly TransactionOptions _options;
    private readonly SavepointStack _savepoints = new();
    private readonly Guid _id = Guid.NewGuid();
    private DatabaseLease? _lease;
    private ReadSnapshot? _snapshot;
    private (NodeId Leader, Term Term)? _leader;
    private long? _basis;
    private int _number;
    private bool _hasRead;
    private int _isEnded;
    private volatile Failure? _loss;

    internal ClientTransaction(ClusterNode node, TransactionDesk desk, TransactionOptions options)
    {
        _node = node;
        _desk = desk;
        _options = options;
    }

    /// <summary>What was asked for.</summary>
    public TransactionOptions Options => _options;

    /// <summary>Why it is over without its client's having ended it; null where it is not.</summary>
    public Failure? Loss => _loss;

    /// <summary>Whether it is over.</summary>
    public bool IsOver => Volatile.Read(ref _isEnded) != 0;

    /// <summary>When it reads only, or has read only so far: by when it must go on, and be over. A leader has times of its own.</summary>
    internal Deadline Idle { get; private set; } = new(long.MaxValue);

    internal Deadline End { get; private set; } = new(long.MaxValue);

    internal bool IsReading => _snapshot is not null;

    /// <summary>Takes its turn, or its snapshot. Nothing more where it begins with its first statement.</summary>
    /// <param name="limit">How long it may wait.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Why it could not begin, and is over; or null.</returns>
    public async Task<Failure?> BeginAsync(TimeSpan limit, CancellationToken cancellationToken) => _options.Mode switch
    {
        TransactionMode.Immediate => (await AskAsync(null, Deadline.After(limit), cancellationToken).ConfigureAwait(false)).Failure,
        TransactionMode.ReadOnly => await OpenSnapshotAsync(cancellationToken).ConfigureAwait(false),
        _ => null,
    };

    /// <summary>Executes a statement: any but BEGIN, COMMIT and ROLLBACK.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="limit">How long it may take, with all waiting.</param>
    /// <param name="cancellationToken">Ends the waiting, and with it the transaction.</param>
    public async Task<StepOutcome> RunAsync(Statement statement, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (IsOver)
        {
            return new(null, _loss ?? new(FailureCode.NoSuchTransaction, "The transaction has ended."), IsOver: true);
        }

        Touch();
        var deadline = Deadline.After(limit);
        if (_leader is null && TransactionControl.Parse(statement.Sql) is { } control)
        {
            if (_options.Mode == TransactionMode.ReadOnly)
            {
                return _savepoints.Apply(control, out _) is { } unknown ? new(null, unknown) : new(new(0, 0, null), null);
            }

            // Who makes savepoints is about to write.
            return await UpgradeAsync(statement, deadline, cancellationToken).ConfigureAwait(false);
        }

        if (_leader is not null)
        {
            return await AskAsync(statement, deadline, cancellationToken).ConfigureAwait(false);
        }

        if (_snapshot is null && await OpenSnapshotAsync(cancellationToken).ConfigureAwait(false) is { } refusal)
        {
            return new(null, refusal, IsOver: true);
        }

        switch (await _node.ReadAsync(this, _snapshot!, _lease!, statement, deadline, cancellationToken).ConfigureAwait(false))
        {
            case ReadOutcome.RowsRead { Rows: var rows }:
                Touch();
                return new(new(0, 0, rows), null);
            case ReadOutcome.NotARead when _options.Mode == TransactionMode.ReadOnly:
                return new(null, new(FailureCode.Forbidden, "attempt to write a readonly database: the transaction was begun to read only.", SqliteErrors.ReadOnly));
            case ReadOutcome.NotARead:
                return await UpgradeAsync(statement, deadline, cancellationToken).ConfigureAwait(false);
            case ReadOutcome.Failed { Failure: { Code: FailureCode.TransactionLost } lost }:
                return new(null, Lose(lost), IsOver: true);
            case ReadOutcome.Failed { Failure.Code: FailureCode.SqlError } when _options is { Mode: not TransactionMode.ReadOnly, Role: >= TokenRole.Write } && !_hasRead:
                // It may be about a table that this node has yet to hear of.
                return await UpgradeAsync(statement, deadline, cancellationToken).ConfigureAwait(false);
            case ReadOutcome.Failed { Failure: var failure }:
                return new(null, failure);
            case var outcome:
                throw new System.Diagnostics.UnreachableException(outcome.GetType().Name);
        }
    }

    /// <summary>Commits it: all of it is done, as one entry of the log, or nothing.</summary>
    /// <param name="limit">How long that may take.</param>
    /// <param name="cancellationToken">Ends the waiting, not the commit.</param>
    /// <returns>With <see cref="IsOver"/> false it was not done, and goes on: a deferred foreign key is violated.</returns>
    public async Task<WriteResult> CommitAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        if (IsOver)
        {
            return new WriteResult.NotDone(_loss ?? new(FailureCode.NoSuchTransaction, "The transaction has ended."));
        }

        if (_leader is null)
        {
            Dispose();
            return new WriteResult.Done(_node.AppliedIndex, []);
        }

        var commit = new WriteCommand
        {
            Database = _options.Database,
            IsTransaction = true,
            Interactive = new(_id),
            Role = _options.Role,
            Client = _options.Client,
            Token = _options.Token,
        };
        var result = await _node.WriteAsync(commit, limit, memory: null, cancellationToken).ConfigureAwait(false);
        switch (result)
        {
            case WriteResult.NotDone { Failure.Code: FailureCode.Constraint }:
                break;
            case WriteResult.NotDone { Failure: var failure }:
                Lose(failure);
                break;
            default:
                Interlocked.Exchange(ref _isEnded, 1);
                _node.Forget(this);
                break;
        }

        return result;
    }

    /// <summary>Rolls it back, where it is not over.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isEnded, 1) != 0)
        {
            return;
        }

        EndSnapshot();
        if (_leader is { } leader)
        {
            _desk.Abandon(leader.Leader, new(leader.Term, _id, int.MaxValue, 0, null, null));
        }

        _node.Forget(this);
    }

    /// <summary>It has seen something of its snapshot, which must still be so if it writes.</summary>
    internal void NoteRead() => _hasRead = true;

    /// <summary>It is over, and its client is told why when it comes next.</summary>
    internal Failure Lose(Failure reason)
    {
        _loss ??= reason;
        Dispose();
        return reason;
    }

    private void Touch() => Idle = Deadline.After(_node.TransactionIdle);

    private async Task<Failure?> OpenSnapshotAsync(CancellationToken cancellationToken)
    {
        Touch();
        End = Deadline.After(_node.TransactionTimeout);
        var (snapshot, lease, refusal) = await _node.OpenSnapshotAsync(_options.Database, cancellationToken).ConfigureAwait(false);
        if (refusal is not null)
        {
            return Lose(refusal);
        }

        (_snapshot, _lease) = (snapshot, lease);
        return null;
    }

    private void EndSnapshot()
    {
        var snapshot = _snapshot;
        _snapshot = null;
        snapshot?.Dispose();
        _lease?.Dispose();
        _lease = null;
        End = Idle = new(long.MaxValue);
    }

    private Task<StepOutcome> UpgradeAsync(Statement statement, Deadline deadline, CancellationToken cancellationToken)
    {
        if (_options.Role < TokenRole.Write)
        {
            return Task.FromResult<StepOutcome>(new(null, TokenRoles.Refusal("To write", TokenRole.Write, _options.Role)));
        }

        // A snapshot that was not used for anything yet binds nobody.
        _basis = _hasRead ? _snapshot?.Index : null;
        EndSnapshot();
        return AskAsync(statement, deadline, cancellationToken);
    }

    private async Task<StepOutcome> AskAsync(Statement? statement, Deadline deadline, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                TransactionStart? start = null;
                if (_leader is null)
                {
                    if (_options.Role < TokenRole.Write)
                    {
                        return Over(TokenRoles.Refusal("To write", TokenRole.Write, _options.Role));
                    }

                    if (await _desk.LeaderAsync(deadline, cancellationToken).ConfigureAwait(false) is not { } leader)
                    {
                        return Over(_node.NoLeader());
                    }

                    _leader = leader;
                    start = new(_options.Database, _options.Role, _options.Client, _options.Token, _options.WithoutForeignKeys, _basis);
                }
                else if (_number == 0)
                {
                    throw new InvalidOperationException("The transaction has a leader and no request.");
                }

                var request = new TransactionRequest(_leader.Value.Term, _id, _number + 1, (int)deadline.Remaining.TotalMilliseconds, start, statement);
                var reply = await _desk.AskAsync(_leader.Value.Leader, request).WaitAsync(cancellationToken).ConfigureAwait(false);
                if (reply is null && _number == 0 && !deadline.HasPassed)
                {
                    // Nobody has seen anything of it: it can begin anew at the next leader. The last one forgets it with its term.
                    _leader = null;
                    continue;
                }

                _number++;
                return reply switch
                {
                    null => Over(Lost()),
                    { IsOver: true, Failure: { } failure } => Over(failure),
                    { IsOver: true } => Over(Lost()),
                    _ => new(reply.Result, reply.Failure),
                };
            }
        }
        catch (OperationCanceledException)
        {
            Dispose();
            throw;
        }

        StepOutcome Over(Failure failure) => new(null, Lose(failure), IsOver: true);
    }

    private static Failure Lost() => new(
        FailureCode.TransactionLost, "The leader that held the transaction does not answer, or leads no more. Nothing of the transaction was done; run it again from its beginning.");
}
