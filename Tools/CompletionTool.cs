using System.CommandLine;

namespace DistDb.Tools;

/// <summary><c>distdb completion</c>: prints what a shell needs to complete the command line; what may stand there, the parser itself says.</summary>
public static class CompletionTool
{
    private const string Bash =
        """
        # distdb's commands and options in bash. For every shell: distdb completion bash > ~/.local/share/bash-completion/completions/distdb
        _distdb() {
          local word="${COMP_WORDS[COMP_CWORD]}" line
          COMPREPLY=()
          while IFS= read -r line; do
            [[ -n $line && $line == "$word"* ]] && COMPREPLY+=("$line")
          done < <("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
          # Where nothing is known, such as after an option that takes a file, a file may stand.
          ((${#COMPREPLY[@]})) || compopt -o default 2>/dev/null
        }
        complete -F _distdb distdb
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "Which shell" };
        shell.AcceptOnlyFromAmong("bash");
        var command = new Command(
            "completion",
            """
            Print what a shell needs to complete commands and options

            Examples:
              source <(distdb completion bash)
              distdb completion bash > ~/.local/share/bash-completion/completions/distdb
            """) { shell };
        command.SetTool(async (parsed, cancellation) =>
        {
            await parsed.InvocationConfiguration.Output.WriteLineAsync(Bash.AsMemory(), cancellation).ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }
}
