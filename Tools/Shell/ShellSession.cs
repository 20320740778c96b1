using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using DistDb.Node.Commands;
using Spectre.Console;

namespace DistDb.Tools.Shell;

/// <summary>
/// What a shell has between two statements: the cluster, the database, how to show things, and the transaction that is being collected.
/// The cluster has no transactions that stay open, so what stands between BEGIN and COMMIT waits here and is sent at once.
/// </summary>
/// <param name="cluster">The cluster.</param>
/// <param name="output">Where results go.</param>
/// <param name="notes">Where everything else goes that people are told.</param>
/// <param name="isInteractive">Whether somebody types.</param>
internal sealed class ShellSession(ClusterConnection cluster, TextWriter output, TextWriter notes, bool isInteractive)
{
    /// <summary>An election is over by then.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private static readonly Style _quiet = new(Color.Grey);

    private readonly IAnsiConsole _notes = ToolConsole.Create(notes);
    private readonly bool _isTerminal = ToolConsole.Create(output).Profile.Out.IsTerminal;
    private List<ScriptStatement>? _transaction;
    private long _index;

    public ClusterConnection Cluster => cluster;

    /// <summary>How the cluster is reached, for what takes a connection of its own.</summary>
    public required ConnectionSettings Settings { get; init; }

    public TextWriter Output => output;

    /// <summary>Where everything but results goes.</summary>
    public TextWriter Errors => notes;

    public string Database { get; set; } = "main";

    public OutputMode Mode { get; set; } = OutputMode.Table;

    public bool HasTimer { get; set; }

    /// <summary>Whether reads see every write that was answered anywhere before.</summary>
    public bool IsStrong { get; set; }

    /// <summary>Whether statements are being collected for a COMMIT.</summary>
    public bool IsCollecting => _transaction is not null;

    /// <summary>Whether the last statements may have changed what is defined.</summary>
    public bool HasChangedSchema { get; set; } = true;

    /// <summary>Does what a statement says.</summary>
    /// <exception cref="ShellException">It failed; where, if not in this statement itself.</exception>
    /// <exception cref="NodeException">It failed.</exception>
    public async Task ExecuteAsync(ScriptStatement statement, CancellationToken cancellation)
    {
        var words = statement.FirstWords(4);
        switch (words)
        {
            case ["BEGIN"] or ["BEGIN", "DEFERRED" or "IMMEDIATE" or "EXCLUSIVE" or "TRANSACTION"] or ["BEGIN", "DEFERRED" or "IMMEDIATE" or "EXCLUSIVE", "TRANSACTION"]:
                Begin();
                break;
            case ["COMMIT" or "END"] or ["COMMIT" or "END", "TRANSACTION"]:
                await CommitAsync(cancellation).ConfigureAwait(false);
                break;
            case ["ROLLBACK"] or ["ROLLBACK", "TRANSACTION"]:
                Rollback();
                break;
            default:
                if (_transaction is not null)
                {
                    _transaction.Add(statement);
                    Note($"{_transaction.Count} waiting for COMMIT.");
                }
                else
                {
                    await RunAsync(statement, cancellation).ConfigureAwait(false);
                }

                break;
        }
    }

    /// <summary>Runs one statement with parameters of the shell's own, and shows its rows.</summary>
    public Task ShowAsync(string sql, CancellationToken cancellation, params SqlValue[] parameters) =>
        SendAsync(NodeRequest.Query(sql, parameters), cancellation);

    /// <summary>Shows rows that were not asked for by SQL.</summary>
    public void Show(IReadOnlyList<string> columns, IEnumerable<SqlValue[]> rows)
    {
        var printer = RowsPrinter.Create(Mode, output, _isTerminal);
        printer.Begin(columns);
        foreach (var row in rows)
        {
            printer.Add(row);
        }

        printer.End();
        output.Flush();
    }

    /// <summary>Asks for rows that are not shown.</summary>
    public Task<RowsAnswer> QueryAsync(string sql, CancellationToken cancellation, params SqlValue[] parameters)
    {
        var request = Fill(NodeRequest.Query(sql, parameters));
        return AskAsync(node => cluster.Client.QueryAsync(node, request, cancellation), cancellation);
    }

    /// <summary>A read as this session asks for it: of its database, and never older than what was written here.</summary>
    public NodeRequest Fill(NodeRequest request) => request with
    {
        Database = Database,
        Consistency = IsStrong && request.Command == "query" ? "strong" : null,
        MinIndex = request.Command == "query" ? _index : 0,
    };

    public Task<T> AskAsync<T>(Func<Uri, Task<T>> ask, CancellationToken cancellation) => cluster.AskAsync(ask, cancellation, _patience);

    /// <summary>Tells somebody who types something beside the results.</summary>
    public void Note(string text)
    {
        if (isInteractive)
        {
            _notes.Line(text, _quiet);
        }
    }

    /// <summary>Tells whoever uses the shell, also from a script.</summary>
    public void Warn(string text) => notes.WriteLine($"distdb: {text}");

    /// <summary>What is lost when the shell ends now; null for nothing.</summary>
    public string? Unfinished => _transaction is { Count: > 0 }
        ? $"{Count(_transaction.Count, "statement")} since BEGIN {(_transaction.Count == 1 ? "was" : "were")} not committed, and nothing of them is done."
        : null;

    private void Begin()
    {
        if (_transaction is not null)
        {
            throw new ShellException("A transaction has begun already; COMMIT sends it, ROLLBACK forgets it.");
        }

        _transaction = [];
        Note("Statements are collected here from now on, and sent together at COMMIT: all of them are done, or none. Their rows are shown only then. ROLLBACK forgets them.");
    }

    private void Rollback()
    {
        var waiting = _transaction ?? throw new ShellException("No transaction has begun.");
        _transaction = null;
        Note($"{Count(waiting.Count, "statement")} forgotten; nothing was sent.");
    }

    private async Task CommitAsync(CancellationToken cancellation)
    {
        var statements = _transaction ?? throw new ShellException("No transaction has begun.");
        _transaction = null;
        if (statements.Count == 0)
        {
            return;
        }

        var request = Fill(NodeRequest.All([.. statements.Select(statement => statement.Text)])) with { Id = NewId() };
        var start = Stopwatch.GetTimestamp();
        IReadOnlyList<TransactionResult> results;
        try
        {
            results = await AskAsync(node => cluster.Client.RunTransactionAsync(node, request, cancellation), cancellation).ConfigureAwait(false);
        }
        catch (NodeProblemException e) when (e.Statement is { } position && position < statements.Count)
        {
            throw new ShellException($"{e.Message.TrimEnd('.')}. Nothing of the transaction was done.", statements[position].Line);
        }
        finally
        {
            HasChangedSchema |= statements.Exists(IsSchema);
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        foreach (var result in results)
        {
            if (result.Columns is { } columns)
            {
                Show(columns, result.Rows);
            }

            _index = result.Index;
        }

        Note($"Committed {Count(results.Count, "statement")}, {Count(results.Sum(result => result.RowsAffected), "row")} changed.");
        ShowTime(elapsed, null);
    }

    private async Task RunAsync(ScriptStatement statement, CancellationToken cancellation)
    {
        try
        {
            // Either command does either; but for "query" a reader of the node looks first, whose picture of the schema may be an older one.
            var request = statement.FirstWords(1) is ["INSERT" or "REPLACE" or "UPDATE" or "DELETE"] || IsSchema(statement)
                ? NodeRequest.Exec(statement.Text)
                : NodeRequest.Query(statement.Text);
            await SendAsync(request with { Id = NewId() }, cancellation).ConfigureAwait(false);
        }
        finally
        {
            HasChangedSchema |= IsSchema(statement);
        }
    }

    private async Task SendAsync(NodeRequest request, CancellationToken cancellation)
    {
        request = Fill(request);
        var printer = RowsPrinter.Create(Mode, output, _isTerminal);
        var start = Stopwatch.GetTimestamp();
        StatementAnswer answer;
        try
        {
            answer = await AskAsync(node => RunOnAsync(node, request, printer, cancellation), cancellation).ConfigureAwait(false);
        }
        finally
        {
            await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        if (answer.HasRows)
        {
            printer.End();
            await output.FlushAsync(cancellation).ConfigureAwait(false);
            if (answer.RowsAffected is null || printer.Count > 0)
            {
                Note(Count(printer.Count, "row") + ".");
            }
        }

        if (answer.RowsAffected is { } changed)
        {
            _index = Math.Max(_index, answer.Index);
            Note(changed > 0 ? $"{Count(changed, "row")} changed." : "Done.");
            if (Mode == OutputMode.Json && !answer.HasRows)
            {
                await output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture, $"{{\"rows_affected\":{changed},\"last_insert_id\":{answer.LastInsertId},\"index\":{answer.Index}}}")).ConfigureAwait(false);
                await output.FlushAsync(cancellation).ConfigureAwait(false);
            }
        }

        ShowTime(elapsed, answer);
    }

    private async Task<StatementAnswer> RunOnAsync(Uri node, NodeRequest request, RowsPrinter printer, CancellationToken cancellation)
    {
        try
        {
            return await cluster.Client.RunAsync(node, request, printer, cancellation).ConfigureAwait(false);
        }
        catch (NodeUnreachableException e) when (printer.HasShown)
        {
            // From the first row that is shown on it cannot be asked for again without showing rows twice.
            throw new ShellException(
                $"After {Count(printer.Count, "row")} the answer broke off: {e.Reason}. The rows shown are not all; ask again, for less at once if it took as long as the node's time limit.");
        }
    }

    private void ShowTime(TimeSpan elapsed, StatementAnswer? answer)
    {
        if (HasTimer)
        {
            var atNode = answer is null ? "" : string.Create(CultureInfo.InvariantCulture, $", {answer.ElapsedMs:0.0} ms of them at node {answer.Node}");
            notes.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Time: {elapsed.TotalMilliseconds:0.0} ms{atNode}."));
        }
    }

    private static bool IsSchema(ScriptStatement statement) => statement.FirstWords(1) is ["CREATE" or "ALTER" or "DROP"];

    private static string Count(long count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");

    private static string NewId() => RandomNumberGenerator.GetHexString(24, lowercase: true);
}
