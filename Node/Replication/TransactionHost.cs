using System.Security.Cryptography;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// The interactive transactions of all nodes' clients, at the leader (docs/adr/0018): executes their statements between two batches, in the order in which they come, each in its own database's
/// turn (<see cref="LeaderQueue"/>), and ends those that take too long. A commit is a write like any other, which gets its statements here. It knows a term's transactions alone; with the
/// term they are gone. Belongs to the write loop's thread, but for <see cref="Receive"/> and <see cref="HasWork"/>, which its lock guards.
/// </summary>
/// <param name="databases">What is written.</param>
/// <param name="queue">Who waits for what; guarded by the lock.</param>
/// <param name="gate">The write loop's lock.</param>
/// <param name="options">Settings.</param>
/// <param name="send">Carries an answer to the node that asked.</param>
internal sealed class TransactionHost(
    DatabaseSet databases, LeaderQueue queue, object gate, ReplicationOptions options, Action<NodeId, TransactionReply> send)
{
    /// <summary>Ends that are remembered, so that a client is told why: as many as there may be transactions.</summary>
    private readonly Queue<Guid> _endedInOrder = new();
    private readonly Dictionary<Guid, Failure> _ended = [];
    private readonly Dictionary<Guid, HostedTransaction> _all = [];
    private readonly Queue<(NodeId From, TransactionRequest Request)> _inbox = new();
    private readonly List<HostedTransaction> _ready = [];
    private Term _term;

    /// <summary>Who is let in, as of the last applied entry.</summary>
    public required Func<TokenSet?> Tokens { get; init; }

    /// <summary>The time that a new entry would have.</summary>
    public required Func<long> NowMs { get; init; }

    /// <summary>Whether there is anything to do now.</summary>
    public bool HasWork => _inbox.Count > 0 || _ready.Count > 0 || _all.Values.Any(IsDue);

    /// <summary>Whether time alone may bring something to do.</summary>
    public bool HasTransactions => _all.Count > 0;

    /// <summary>Takes a request for which this node is the leader.</summary>
    public void Receive(NodeId from, TransactionRequest request) => _inbox.Enqueue((from, request));

    /// <summary>Forgets what came for a term that is over.</summary>
    public void Clear() => _inbox.Clear();

    /// <summary>Does what is to be done between two batches.</summary>
    /// <param name="term">The term that this node leads.</param>
    public void Run(Term term)
    {
        Begin(term);
        while (true)
        {
            (NodeId From, TransactionRequest Request) next;
            lock (gate)
            {
                if (!_inbox.TryDequeue(out next))
                {
                    break;
                }
            }

            if (next.Request.Term == term)
            {
                Take(next.From, next.Request);
            }
        }

        foreach (var transaction in _ready)
        {
            if (!transaction.IsOver && transaction.Request is { } request)
            {
                Execute(transaction, request);
            }
        }

        _ready.Clear();
        foreach (var transaction in _all.Values.Where(IsDue).ToList())
        {
            Expire(transaction);
        }
    }

    /// <summary>It is these transactions' turn, as soon as there is no open batch.</summary>
    public void TurnsBegin(IEnumerable<HostedTransaction> transactions)
    {
        foreach (var transaction in transactions)
        {
            if (transaction.IsOver)
            {
                EndTurn(transaction);
                continue;
            }

            transaction.End = Deadline.After(options.TransactionTimeout);
            transaction.Idle = transaction.End;
            _ready.Add(transaction);
        }
    }

    /// <summary>A transaction is to be committed, as a part of the batch that is being made.</summary>
    /// <param name="commit">What its origin sent.</param>
    /// <param name="content">What it has done.</param>
    /// <returns>Why it cannot be, or null.</returns>
    public Failure? Find(WriteCommand commit, out InteractiveTransaction? content)
    {
        var id = commit.Interactive!.Transaction;
        content = _all.TryGetValue(id, out var transaction) ? transaction.Content : null;
        return content is null ? _ended.GetValueOrDefault(id) ?? Unknown : null;
    }

    /// <summary>A transaction is a part of a batch, which is proposed now; or there was nothing to commit. Its turn is over.</summary>
    public void Committing(WriteCommand commit)
    {
        if (_all.TryGetValue(commit.Interactive!.Transaction, out var transaction))
        {
            transaction.IsCommitting = true;
            EndTurn(transaction);
        }
    }

    /// <summary>The entry that has it is committed.</summary>
    public void Committed(WriteCommand commit) => _all.Remove(commit.Interactive!.Transaction);

    /// <summary>A database is dropped or gets other content: the transaction in it has nothing to stand on.</summary>
    public void DatabaseGone(string database)
    {
        foreach (var transaction in _all.Values.Where(t => t.Start.Database == database && !t.IsCommitting).ToList())
        {
            End(transaction, new(FailureCode.TransactionLost, $"The database \"{database}\" was dropped or replaced meanwhile. The transaction was rolled back and nothing of it was done; begin it again."));
        }
    }

    private static Failure Unknown { get; } = new(
        FailureCode.TransactionLost,
        "The node that led the cluster when the transaction began does not lead any more, or was restarted. Nothing of the transaction was done; run it again from its beginning.");

    private void Begin(Term term)
    {
        if (_term == term)
        {
            return;
        }

        _term = term;
        foreach (var transaction in _all.Values)
        {
            transaction.IsOver = true;
            databases.Suspend(transaction.Start.Database);
        }

        _all.Clear();
        _ready.Clear();
    }

    private void Take(NodeId from, TransactionRequest request)
    {
        if (_ended.TryGetValue(request.Transaction, out var reason))
        {
            send(from, new(_term, request.Transaction, request.Number, IsOver: true, null, reason));
            return;
        }

        if (!_all.TryGetValue(request.Transaction, out var transaction))
        {
            if (request.Start is not { } start)
            {
                send(from, new(_term, request.Transaction, request.Number, IsOver: true, null, request.Statement is null ? null : Unknown));
                return;
            }

            if (Refusal(start) is { } refusal)
            {
                send(from, new(_term, request.Transaction, request.Number, IsOver: true, null, refusal));
                return;
            }

            transaction = new(request.Transaction, from, start);
            _all.Add(transaction.Id, transaction);
            lock (gate)
            {
                queue.AddTurn(transaction);
            }
        }
        else if (from != transaction.Origin || request.Number <= transaction.Number)
        {
            if (transaction.Reply is { } reply && reply.Number == request.Number)
            {
                send(from, reply);
            }

            return;
        }
        else if (request.Statement is null)
        {
            End(transaction, null);
            send(from, new(_term, request.Transaction, request.Number, IsOver: true, null, null));
            return;
        }

        transaction.Number = request.Number;
        transaction.Request = request;
        transaction.RequestDeadline = Deadline.After(TimeSpan.FromMilliseconds(request.RemainingMs));
        transaction.Reply = null;
        if (transaction.Content is not null)
        {
            _ready.Add(transaction);
        }
    }

    private Failure? Refusal(TransactionStart start) =>
        start is { Client: not null, Token: null } && Tokens() is { All.Count: > 0 } ? new(FailureCode.Unauthorized, "This cluster asks for a token since a moment ago. Nothing was done.")
        : _all.Count >= options.TransactionsMax ? new(FailureCode.Overloaded, "Too many transactions are open at the leader. This one was not begun; come back in a moment.")
        : null;

    private void Execute(HostedTransaction transaction, TransactionRequest request)
    {
        var start = transaction.Start;
        if (!databases.Names.Contains(start.Database))
        {
            Answer(transaction, null, DatabaseSet.NoSuchDatabase(start.Database), isOver: true);
            return;
        }

        if (transaction.Content is null)
        {
            if (start.BasisIndex is { } basis && databases.ContentIndexOf(start.Database) > basis)
            {
                Answer(
                    transaction,
                    null,
                    new(FailureCode.Busy, "database is locked: another client has written since this transaction began to read. It was rolled back; run it again, or begin it with BEGIN IMMEDIATE.", SqliteErrors.BusySnapshot),
                    isOver: true);
                return;
            }

            transaction.Content = new(
                new(transaction.Id, Math.Max(databases.AppliedTimeMs, NowMs()), BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8))), start.WithoutForeignKeys);
        }

        if (request.Statement is not { } statement)
        {
            Answer(transaction, null, null, isOver: false);
            return;
        }

        var bytes = WriteSize.Of([statement]);
        if (transaction.Content.Statements.Count >= options.TransactionStatementsMax || transaction.Bytes + bytes > options.TransactionBytesMax)
        {
            Answer(
                transaction,
                null,
                new(FailureCode.TooLarge, $"A transaction may have {options.TransactionStatementsMax} statements that write, and {options.TransactionBytesMax} bytes of SQL and parameters. This statement was not executed; commit what there is, or roll it back."),
                isOver: false);
            return;
        }

        var logged = transaction.Content.Statements.Count;
        var rights = new WriteRights(MaySchema: transaction.Origin.Value == databases.MasterNode, start.Role, options.TransactionResultBytesMax);
        var outcome = databases.Step(start.Database, transaction.Content, statement, rights, transaction.RequestDeadline.Remaining);
        transaction.Bytes += transaction.Content.Statements.Count > logged ? bytes : 0;
        if (!outcome.IsOver && transaction.Content.RepeatedFor > options.TransactionRepeatMax)
        {
            outcome = new(null, TimedOut("it was interrupted by writes to other databases too often for all that it has done"), IsOver: true);
        }

        Answer(transaction, outcome.Result, outcome.Failure, outcome.IsOver);
    }

    private void Answer(HostedTransaction transaction, StatementResult? result, Failure? failure, bool isOver)
    {
        var reply = new TransactionReply(_term, transaction.Id, transaction.Number, isOver, result, failure);
        transaction.Request = null;
        transaction.Reply = reply;
        transaction.Idle = Deadline.After(options.TransactionIdle);
        if (isOver)
        {
            End(transaction, failure);
        }

        send(transaction.Origin, reply);
    }

    private static bool IsDue(HostedTransaction transaction) =>
        !transaction.IsCommitting
        && (transaction.Content is null
            ? transaction.RequestDeadline.HasPassed
            : transaction.Request is null && (transaction.Idle.HasPassed || transaction.End.HasPassed));

    private void Expire(HostedTransaction transaction)
    {
        if (transaction.Content is null)
        {
            Answer(
                transaction,
                null,
                new(FailureCode.Timeout, "database is locked: others had their turn for the whole time limit of the request. The transaction was not begun; try it again.", SqliteErrors.Busy),
                isOver: true);
            return;
        }

        End(transaction, TimedOut(transaction.End.HasPassed
            ? $"it lasted longer than {options.TransactionTimeout.TotalSeconds:0.###} s (--transaction-timeout)"
            : $"its client was silent for {options.TransactionIdle.TotalSeconds:0.###} s (--transaction-idle)"));
    }

    private static Failure TimedOut(string why) => new(
        FailureCode.TransactionTimeout, $"The transaction was rolled back, as {why}. Nothing of it was done; run it again from its beginning.");

    private void End(HostedTransaction transaction, Failure? reason)
    {
        transaction.IsOver = true;
        _all.Remove(transaction.Id);
        if (transaction.Content is not null)
        {
            databases.Suspend(transaction.Start.Database);
        }

        EndTurn(transaction);
        if (reason is not null && _ended.TryAdd(transaction.Id, reason))
        {
            _endedInOrder.Enqueue(transaction.Id);
            if (_endedInOrder.Count > options.TransactionsMax)
            {
                _ended.Remove(_endedInOrder.Dequeue());
            }
        }
    }

    private void EndTurn(HostedTransaction transaction)
    {
        lock (gate)
        {
            queue.EndTurn(transaction);
        }
    }
}
