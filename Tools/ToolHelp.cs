using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace DistDb.Tools;

/// <summary>
/// <c>--help</c> with more than a line about each command: what stands behind the first empty line of its description, such as examples, comes at
/// the end of its own help, and not in the list of all commands.
/// </summary>
internal sealed class ToolHelp(HelpAction usual, IReadOnlyDictionary<Command, string> more) : SynchronousCommandLineAction
{
    /// <summary>What comes at the end of each command's help; nothing for those that are not here.</summary>
    public IReadOnlyDictionary<Command, string> More => more;

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = usual.Invoke(parseResult);
        if (more.TryGetValue(parseResult.CommandResult.Command, out var text))
        {
            parseResult.InvocationConfiguration.Output.WriteLine(text);
            parseResult.InvocationConfiguration.Output.WriteLine();
        }

        return exitCode;
    }

    /// <summary>Gives this help to a command and all below it.</summary>
    public static void AddTo(Command root)
    {
        var more = new Dictionary<Command, string>();
        Split(root, more);
        foreach (var option in root.Options.OfType<HelpOption>().Where(option => option.Action is HelpAction))
        {
            option.Action = new ToolHelp((HelpAction)option.Action!, more);
        }
    }

    private static void Split(Command command, Dictionary<Command, string> more)
    {
        if (command.Description?.Split("\n\n", 2) is [var first, var rest])
        {
            command.Description = first;
            more[command] = rest;
        }

        foreach (var below in command.Subcommands)
        {
            Split(below, more);
        }
    }
}
