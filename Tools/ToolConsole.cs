using System.Text;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary>The one style in which tools print for people.</summary>
public static class ToolConsole
{
    /// <summary>Longer values are cut: a row should stay on one line. Comparisons see the whole value.</summary>
    private const int ValueCharactersMax = 60;

    /// <summary>Wide enough that nothing wraps in a file or a pipe, where lines are read by <c>grep</c>.</summary>
    private const int UnlimitedWidth = 10_000;

    public static IAnsiConsole Create(TextWriter writer)
    {
        var output = new AnsiConsoleOutput(writer);
        if (output.IsTerminal)
        {
            return AnsiConsole.Create(new() { Out = output });
        }

        var console = AnsiConsole.Create(new() { Out = output, Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = UnlimitedWidth;
        return console;
    }

    public static Table NewTable(IEnumerable<string> columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(Printable(column), new(decoration: Decoration.Bold))));
        }

        return table;
    }

    public static void Line(this IAnsiConsole console, string text, Style? style = null)
    {
        console.Write(new Text(Printable(text), style));
        console.WriteLine();
    }

    /// <summary>A value as SQL writes it, except that text goes without quotes where its column shows what it is.</summary>
    /// <param name="value">The value.</param>
    /// <param name="quoted">Whether text is to have its quotes.</param>
    /// <param name="cut">Whether long ones are cut.</param>
    public static string Show(SqlValue value, bool quoted, bool cut = true)
    {
        var text = value.Kind switch
        {
            SqlValueKind.Real => SqlValueJson.RealText(value.Real),
            SqlValueKind.Text => Printable(cut ? Cut(value.Text) : value.Text),
            SqlValueKind.Blob => cut ? Cut(value.ToString()) : value.ToString(),
            _ => value.ToString(),
        };
        return quoted && value.Kind == SqlValueKind.Text ? $"'{text}'" : text;
    }

    private static string Cut(string text) => text.Length <= ValueCharactersMax ? text : text[..(ValueCharactersMax - 1)] + "…";

    /// <summary>Data must not steer the terminal: control characters are shown, not sent.</summary>
    public static string Printable(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var builder = new StringBuilder();
        foreach (var character in text)
        {
            _ = character switch
            {
                '\n' => builder.Append("\\n"),
                '\t' => builder.Append("\\t"),
                '\r' => builder.Append("\\r"),
                _ when char.IsControl(character) => builder.Append("\\u").Append(((int)character).ToString("x4", null)),
                _ => builder.Append(character),
            };
        }

        return builder.ToString();
    }
}
