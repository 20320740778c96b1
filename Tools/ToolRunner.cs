using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;

namespace DistDb.Tools;

/// <summary>
/// Runs a tool so that every way it can end is an exit code and at most one line on standard error: a stack trace tells a user nothing.
/// </summary>
public static class ToolRunner
{
    /// <summary>Parses and runs a command line; wrong usage is told in a few lines, with exit code 2.</summary>
    public static Task<int> InvokeAsync(Command root, IReadOnlyList<string> arguments, InvocationConfiguration? configuration = null)
    {
        configuration ??= new();
        ToolHelp.AddTo(root);
        var parsed = root.Parse(arguments);
        return parsed.Action is ParseErrorAction ? Task.FromResult(ExplainUsage(parsed, configuration)) : parsed.InvokeAsync(configuration);
    }

    /// <summary>Gives a command its action.</summary>
    /// <param name="command">The command.</param>
    /// <param name="run">Ends soon when it is cancelled, which the first Ctrl-C does; a second one ends the process.</param>
    /// <param name="ownsInterrupts">Whether it listens to Ctrl-C by itself.</param>
    public static void SetTool(this Command command, Func<ParseResult, CancellationToken, Task<int>> run, bool ownsInterrupts = false) =>
        command.SetAction(async (parsed, outer) =>
        {
            using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(outer);
            using var interrupted = ownsInterrupts ? null : PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            var cancellation = interrupt.Token;
            try
            {
                return await run(parsed, cancellation).ConfigureAwait(false);
            }
            catch (ToolException e)
            {
                return Fail(parsed, e.Message, e.ExitCode);
            }
            catch (NodeUnreachableException e)
            {
                return Fail(parsed, $"{e.Message}.", ExitCode.Unreachable);
            }
            catch (NodeProblemException e)
            {
                return Fail(parsed, e.Message, ExitCode.BadNews);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return Fail(parsed, "Interrupted.", ExitCode.BadNews);
            }

            void Stop(PosixSignalContext signal)
            {
                if (!interrupt.IsCancellationRequested)
                {
                    signal.Cancel = true;
                    interrupt.Cancel();
                }
            }
        });

    private static int ExplainUsage(ParseResult parsed, InvocationConfiguration configuration)
    {
        var command = parsed.CommandResult.Command;
        if (command is RootCommand && parsed.UnmatchedTokens is [var word, ..])
        {
            // Of the parser's three messages about this, the first says that no command was given.
            configuration.Error.WriteLine($"distdb: there is no command or option \"{word}\".");
        }
        else
        {
            // The parser has one message for each of them, which does not say which.
            Argument[] missing = [.. command.Arguments.Where(a => a.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(a) is null or { Tokens.Count: 0 })];
            if (missing.Length > 0)
            {
                configuration.Error.WriteLine($"distdb: {PathOf(parsed.CommandResult)}needs {string.Join(" and ", missing.Select(a => $"<{a.Name}>"))}.");
            }

            foreach (var error in parsed.Errors.Where(e => e.SymbolResult is not ArgumentResult { Argument: var argument } || !missing.Contains(argument)))
            {
                configuration.Error.WriteLine($"distdb: {error.Message}");
            }
        }

        configuration.Error.WriteLine($"See: distdb {PathOf(parsed.CommandResult)}--help");
        return ExitCode.WrongUsage;
    }

    /// <summary>How a command is called, such as <c>token create </c>; empty for the program itself.</summary>
    private static string PathOf(CommandResult command) =>
        command is { Command: not RootCommand, Parent: CommandResult parent } ? $"{PathOf(parent)}{command.Command.Name} " : "";

    private static int Fail(ParseResult parsed, string message, int exitCode)
    {
        parsed.InvocationConfiguration.Error.WriteLine($"distdb: {message}");
        return exitCode;
    }
}
