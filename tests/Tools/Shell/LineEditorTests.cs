using DistDb.Tools.Shell;

namespace DistDb.Tests.Tools.Shell;

public sealed class LineEditorTests
{
    private const string Left = "\x01", Up = "\x02", Down = "\x03", Home = "\x04", ControlC = "\x05", ControlD = "\x06", Tab = "\t", Back = "\b", ControlW = "\x07", ControlR = "\x0e";

    [Theory]
    [InlineData("SELECT 1;\n", "SELECT 1;")]
    [InlineData("SELEC" + Left + Left + "X\n;\n", "SELXEC\n;")]
    [InlineData("SELECT\n1;\n", "SELECT\n1;")]
    [InlineData("one two" + ControlW + "three;\n", "one three;")]
    [InlineData("e\u0301" + Back + "a;\n", "a;")]
    [InlineData(Up + "\n", "second\nline;")]
    [InlineData("draft" + Up + Up + Up + Down + Down + Down + Down + ";\n", "draft;")]
    [InlineData(Up + Up + Up + "\n", "first;")]
    [InlineData("sel" + Tab + "1;\n", "SELECT 1;")]
    [InlineData(ControlR + "irs\n", "first;")]
    public void Keys_do_what_they_do_elsewhere(string keys, string text) => Read(keys).Should().Be((EditorOutcome.Text, text));

    [Fact]
    public void Control_C_clears_and_control_D_leaves_where_nothing_is_typed()
    {
        Read("SELECT" + ControlC).Outcome.Should().Be(EditorOutcome.Cleared);
        Read(ControlD).Outcome.Should().Be(EditorOutcome.Ended);
        Read("ab;" + Left + Left + ControlD + "\n").Text.Should().Be("a;");
    }

    private static (EditorOutcome Outcome, string Text) Read(string keys)
    {
        var next = 0;
        var terminal = new EditorTerminal(() => KeyOf(keys[next++]), () => false, () => (20, 10), TextWriter.Null);
        var editor = new LineEditor(
            terminal,
            () => ["first;", "second\nline;"],
            text => text.EndsWith(';'),
            before => (before.LastIndexOf(' ') + 1, before.EndsWith("sel", StringComparison.Ordinal) ? ["SELECT"] : []));
        return editor.Read("> ");
    }

    private static ConsoleKeyInfo KeyOf(char key) => key.ToString() switch
    {
        Left => new('\0', ConsoleKey.LeftArrow, false, false, false),
        Up => new('\0', ConsoleKey.UpArrow, false, false, false),
        Down => new('\0', ConsoleKey.DownArrow, false, false, false),
        Home => new('\0', ConsoleKey.Home, false, false, false),
        ControlC => new('\x03', ConsoleKey.C, false, false, true),
        ControlD => new('\x04', ConsoleKey.D, false, false, true),
        ControlW => new('\x17', ConsoleKey.W, false, false, true),
        ControlR => new('\x12', ConsoleKey.R, false, false, true),
        Tab => new('\t', ConsoleKey.Tab, false, false, false),
        Back => new('\x7f', ConsoleKey.Backspace, false, false, false),
        "\n" => new('\r', ConsoleKey.Enter, false, false, false),
        _ => new(key, ConsoleKey.None, false, false, false),
    };
}
