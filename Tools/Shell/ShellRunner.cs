using System.Runtime.InteropServices;
using DistDb.Node.Commands;
using Spectre.Console;

namespace DistDb.Tools.Shell;

/// <summary>Runs a shell: reads what is to be done, from somebody who types or from a script, has it done, and tells what failed.</summary>
internal sealed class ShellRunner
{
    private readonly ShellSession _session;
    private readonly ShellCommands _commands;
    private readonly SqlCompletion _completion;
    private readonly TextWriter _errors;
    private readonly IAnsiConsole _errorConsole;

    public ShellRunner(ShellSession session, TextWriter errors)
    {
        _session = session;
        _errors = errors;
        _errorConsole = ToolConsole.Create(errors);
        _commands = new(session, RunScriptAsync);
        _completion = new(_commands.All);
    }

    /// <summary>Runs scripts up to the first failure.</summary>
    /// <param name="scripts">Each with its name for messages.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunScriptsAsync(IEnumerable<(TextReader Reader, string Name)> scripts, CancellationToken cancellation)
    {
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            interrupt.Cancel();
        });
        try
        {
            foreach (var (reader, name) in scripts)
            {
                await RunScriptAsync(reader, name, interrupt.Token).ConfigureAwait(false);
                if (_commands.HasQuit)
                {
                    break;
                }
            }

            return _session.Unfinished is { } unfinished ? throw new ToolException(unfinished, ExitCode.BadNews) : ExitCode.Success;
        }
        catch (ShellException e)
        {
            throw new ToolException(e.Message, ExitCode.BadNews);
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            throw new ToolException("Interrupted. If the last statement was a write, it may be done all the same.", ExitCode.BadNews);
        }
        finally
        {
            await _session.Output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Lets somebody type until they leave.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> PromptAsync(CancellationToken cancellation)
    {
        CancellationTokenSource? running = null;
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            Volatile.Read(ref running)?.Cancel();
        });
        var history = ShellHistory.Open(ShellHistory.DefaultPath(), out var problem);
        if (problem is not null)
        {
            _session.Note($"What is typed is not kept: {problem}");
        }

        var members = _session.Cluster.Nodes.Count;
        _session.Note($"DistDb, at {_session.Cluster.Current.GetLeftPart(UriPartial.Authority)}{(members > 1 ? $" of {members} nodes" : "")}. SQL ends with a semicolon; .help lists commands; Ctrl-D leaves.");
        var editor = new LineEditor(CreateTerminal(), () => history.Entries, IsComplete, _completion.Complete);
        while (!_commands.HasQuit)
        {
            RefreshCompletion(cancellation);
            var (outcome, text) = Read(editor);
            if (outcome == EditorOutcome.Ended)
            {
                break;
            }

            if (outcome == EditorOutcome.Text)
            {
                history.Add(text);
                using var source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                Volatile.Write(ref running, source);
                await TryAsync(text, source.Token).ConfigureAwait(false);
                Volatile.Write(ref running, null);
            }
        }

        if (_session.Unfinished is { } unfinished)
        {
            _session.Warn(unfinished);
        }

        return ExitCode.Success;
    }

    private static bool IsComplete(string text) =>
        (ScriptReader.IsCommand(text) && !text.Contains('\n', StringComparison.Ordinal)) || StatementSplitter.IsComplete(text);

    private static EditorTerminal CreateTerminal() => new(
        () => Console.ReadKey(intercept: true), () => Console.KeyAvailable, () => (Console.WindowWidth, Console.WindowHeight), Console.Out);

    private (EditorOutcome Outcome, string Text) Read(LineEditor editor)
    {
        var prompt = $"{_session.Database}{(_session.IsCollecting ? "*" : "")}> ";
        if (Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb")
        {
            return ReadPlain(prompt);
        }

        // While somebody types Ctrl-C is a key; while a statement runs it is a signal.
        Console.TreatControlCAsInput = true;
        try
        {
            return editor.Read(prompt);
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    /// <summary>For terminals that cannot move the cursor.</summary>
    private static (EditorOutcome Outcome, string Text) ReadPlain(string prompt)
    {
        var text = "";
        while (true)
        {
            Console.Out.Write(text.Length == 0 ? prompt : "...> ".PadLeft(prompt.Length));
            if (Console.In.ReadLine() is not { } line)
            {
                return (EditorOutcome.Ended, "");
            }

            text = text.Length == 0 ? line : $"{text}\n{line}";
            if (IsComplete(text))
            {
                return (EditorOutcome.Text, text);
            }
        }
    }

    private async Task TryAsync(string text, CancellationToken cancellation)
    {
        try
        {
            using var reader = new StringReader(text);
            await foreach (var statement in ScriptReader.ReadAsync(reader).ConfigureAwait(false))
            {
                await DoAsync(statement, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is ShellException or NodeProblemException)
        {
            Fail(e.Message);
        }
        catch (NodeUnreachableException e)
        {
            Fail($"{e.Message}, and so are the other nodes. If this was a write, it may be done all the same.");
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Fail("Cancelled. If this was a write, it may be done all the same.");
        }
    }

    private void Fail(string message) => _errorConsole.Line($"Error: {message}", new(Color.Red));

    private async Task RunScriptAsync(TextReader reader, string name, CancellationToken cancellation)
    {
        await foreach (var statement in ScriptReader.ReadAsync(reader).ConfigureAwait(false))
        {
            try
            {
                await DoAsync(statement, cancellation).ConfigureAwait(false);
            }
            catch (NodeProblemException e)
            {
                throw new ShellException($"{name}:{statement.Line}: {e.Message}") { IsPlaced = true };
            }
            catch (ShellException e) when (!e.IsPlaced)
            {
                throw new ShellException($"{name}:{e.Line ?? statement.Line}: {e.Message}") { IsPlaced = true };
            }

            if (_commands.HasQuit)
            {
                return;
            }
        }
    }

    private Task DoAsync(ScriptStatement statement, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return ScriptReader.IsCommand(statement.Text)
            ? _commands.RunAsync(statement.Text, cancellation)
            : _session.ExecuteAsync(statement, cancellation);
    }

    /// <summary>Asks for the names of tables beside what is typed; until they are there, keywords are completed alone.</summary>
    private void RefreshCompletion(CancellationToken cancellation)
    {
        _completion.Database = _session.Database;
        if (_session.HasChangedSchema)
        {
            _session.HasChangedSchema = false;
            _ = LearnNamesAsync(cancellation);
        }
    }

    private async Task LearnNamesAsync(CancellationToken cancellation)
    {
        try
        {
            var cluster = _session.Cluster;
            _completion.Databases = await cluster.Client.GetDatabasesAsync(cluster.Current, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NodeException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody asked for it; whatever is wrong shows with the next statement.
            _session.HasChangedSchema = true;
        }
    }
}
