using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.Text;

namespace DistDb.Tools;

/// <summary><c>distdb man</c>: prints the manual page, which is made of the commands as they are, so that it has all of them and says of each what its own help says.</summary>
public static class ManualTool
{
    /// <summary>An option that so many commands have in the same words is told once, for all of them.</summary>
    private const int CommonFrom = 5;

    /// <param name="version">Stands at the page's foot.</param>
    public static Command Create(string version)
    {
        var command = new Command(
            "man",
            """
            Print the manual page

            Examples:
              distdb man | man -l -
              distdb man > ~/.local/share/man/man1/distdb.1
            """);
        command.SetTool(async (parsed, cancellation) =>
        {
            var page = Write(parsed.RootCommandResult.Command, version);
            await parsed.InvocationConfiguration.Output.WriteAsync(page.AsMemory(), cancellation).ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>The page in roff, with the <c>man</c> macros.</summary>
    private static string Write(Command root, string version)
    {
        var more = root.Options.OfType<HelpOption>().Select(option => option.Action).OfType<ToolHelp>().SingleOrDefault()?.More ?? new Dictionary<Command, string>();
        var page = new StringBuilder();
        var common = All(root).SelectMany(command => Shown(command.Options)).GroupBy(KeyOf).Where(same => same.Count() >= CommonFrom).ToDictionary(same => same.Key, same => same.First());
        page.Append(".\\\" Made by \"distdb man\".\n")
            .Append($".TH DISTDB 1 \"\" \"distdb {Escape(version)}\" \"DistDb\"\n.ad l\n.SH NAME\ndistdb \\- SQLite, replicated\n")
            .Append(".SH SYNOPSIS\n.B distdb\n.I command\n.RI [ arguments ]\n.RI [ options ]\n.SH DESCRIPTION\n");
        Text(page, "DistDb is SQLite, replicated. Every node holds whole SQLite databases and takes reads and writes as JSON over HTTP; every write reaches every replica exactly once, in one order.");
        Text(page, "\"distdb master\" and \"distdb node\" start nodes and run until they are stopped. All other commands are tools, which speak to any node of a cluster and find the others from it.");
        page.Append(".SH COMMANDS\n");
        var options = new Dictionary<string, Command>();
        foreach (var command in root.Subcommands.Where(command => !command.Hidden))
        {
            Tell(page, command, "distdb", more, common, options);
        }

        page.Append(".SH COMMON OPTIONS\n");
        Text(page, "Taken by all commands that have [common options] in their first line.");
        foreach (var option in common.Values)
        {
            Tell(page, option);
        }

        page.Append(".SH OTHER OPTIONS\n");
        foreach (var option in Shown(root.Options))
        {
            Tell(page, option);
        }

        page.Append(
            """
            .SH ENVIRONMENT
            Where an option names a variable in brackets, such as DISTDB_URL, the variable holds for all that do not give the option. Variables may also stand in a file
            .I .env
            in the current folder. The option comes first, then the variable, then the file.
            .PP
            DISTDB_SHELL_HISTORY is the file in which the shell keeps what was typed; nothing is kept where it is empty.
            .SH EXIT STATUS
            .TP
            0
            It is done, and all is well.
            .TP
            1
            It failed, or the answer is bad news: replicas differ, a node is down.
            .TP
            2
            Wrong usage or a wrong setting; nothing was done.
            .TP
            3
            No node of the cluster could be reached.
            .SH SEE ALSO
            .BR sqlite3 (1)

            """);
        return page.ToString();
    }

    private static IEnumerable<Command> All(Command command) => command.Subcommands.Where(one => !one.Hidden).SelectMany(one => All(one).Prepend(one));

    private static void Tell(
        StringBuilder page, Command command, string parent, IReadOnlyDictionary<Command, string> more, Dictionary<string, Option> common, Dictionary<string, Command> told)
    {
        var name = $"{parent} {command.Name}";
        var options = Shown(command.Options).ToArray();
        var own = options.Where(option => !common.ContainsKey(KeyOf(option))).ToArray();
        var arguments = command.Arguments.Where(argument => !argument.Hidden).ToArray();
        page.Append($".SS \"{Escape(name)}{string.Concat(arguments.Select(argument => " " + Escape(Usage(argument))))}{(own.Length > 0 ? " [options]" : "")}{(own.Length < options.Length ? " [common options]" : "")}\"\n");
        Text(page, command.Description ?? "");
        foreach (var argument in arguments)
        {
            Entry(page, $"\\fI{Escape(argument.Name)}\\fR", argument.Description ?? "");
        }

        var key = string.Join('\n', own.Select(KeyOf));
        if (own.Length > 0 && told.TryGetValue(key, out var same))
        {
            Text(page, $"The options are those of \"{same.Name}\".");
        }
        else
        {
            told[key] = command;
            foreach (var option in own)
            {
                Tell(page, option);
            }
        }

        if (more.TryGetValue(command, out var text))
        {
            foreach (var paragraph in text.Split("\n\n"))
            {
                Paragraph(page, paragraph);
            }
        }

        foreach (var below in command.Subcommands.Where(below => !below.Hidden))
        {
            Tell(page, below, name, more, common, told);
        }
    }

    private static void Tell(StringBuilder page, Option option)
    {
        var names = string.Join(", ", option.Aliases.Order(StringComparer.Ordinal).Append(option.Name).Distinct().OrderBy(name => name.Length).Select(name => $"\\fB{Escape(name)}\\fR"));
        var value = option.Arity.MaximumNumberOfValues > 0 && option.ValueType != typeof(bool) ? $" \\fI{Escape(ValueOf(option))}\\fR" : "";
        // What the words say of the default is true everywhere; the value itself may be this machine's.
        var fallback = option.HasDefaultValue && option.Description?.Contains("default", StringComparison.OrdinalIgnoreCase) != true ? option.GetDefaultValue() : null;
        Entry(page, names + value, (option.Description ?? "") + (fallback is not (null or "" or false or Array) ? $" [default: {fallback}]" : ""));
    }

    private static IEnumerable<Option> Shown(IEnumerable<Option> options) => options.Where(option => !option.Hidden);

    private static string ValueOf(Option option) =>
        option.HelpName ?? (option.GetCompletions(CompletionContext.Empty).Select(choice => choice.Label).ToArray() is { Length: > 0 } choices ? string.Join('|', choices) : option.Name.TrimStart('-'));

    private static string KeyOf(Option option) => $"{option.Name} {option.Description}";

    private static string Usage(Argument argument) => argument.Arity.MinimumNumberOfValues == 0 ? $"[<{argument.Name}>]" : $"<{argument.Name}>";

    private static void Entry(StringBuilder page, string head, string text) => page.Append(".TP\n").Append(head).Append('\n').Append(Escape(text)).Append('\n');

    private static void Text(StringBuilder page, string text) => page.Append(".PP\n").Append(Escape(text)).Append('\n');

    /// <summary>Indented lines are to be typed, and stay as they are.</summary>
    private static void Paragraph(StringBuilder page, string text)
    {
        var lines = text.TrimEnd('\n').Split('\n');
        page.Append(".PP\n");
        for (var i = 0; i < lines.Length; i++)
        {
            var isExample = lines[i].StartsWith(' ');
            if (isExample && (i == 0 || !lines[i - 1].StartsWith(' ')))
            {
                page.Append(".nf\n.RS 4\n");
            }

            page.Append(Escape(lines[i].Trim())).Append('\n');
            if (isExample && (i == lines.Length - 1 || !lines[i + 1].StartsWith(' ')))
            {
                page.Append(".RE\n.fi\n");
            }
        }
    }

    /// <summary>Text that roff prints as it is: no escapes, no requests, and hyphens that can be copied into a command line.</summary>
    private static string Escape(string text)
    {
        var escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal).Replace("\"", "\\(dq", StringComparison.Ordinal)
            .Replace("'", "\\(aq", StringComparison.Ordinal).Replace("~", "\\(ti", StringComparison.Ordinal).Replace("^", "\\(ha", StringComparison.Ordinal);
        return escaped.StartsWith('.') ? "\\&" + escaped : escaped;
    }
}
