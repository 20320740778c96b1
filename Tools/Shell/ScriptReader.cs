using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary>Reads SQL and the shell's own commands, which begin with a dot at the beginning of a line where no statement has begun.</summary>
internal static class ScriptReader
{
    /// <summary>What is ready to be done, piece by piece; the last statement may lack its semicolon.</summary>
    public static async IAsyncEnumerable<ScriptStatement> ReadAsync(TextReader reader)
    {
        var splitter = new StatementSplitter();
        var number = 0;
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            number++;
            if (splitter.IsBetween && IsCommand(line))
            {
                // Counted as a line, and not looked at.
                _ = splitter.Add("\n").Count();
                yield return new(line.Trim(), number);
                continue;
            }

            foreach (var statement in splitter.Add(line + "\n"))
            {
                yield return statement;
            }
        }

        if (splitter.End() is { } rest)
        {
            yield return rest;
        }
    }

    /// <summary>Whether a line is a command of the shell.</summary>
    public static bool IsCommand(string line) => line.StartsWith('.') && line.Length > 1 && char.IsAsciiLetter(line[1]);
}
