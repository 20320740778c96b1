using System.Globalization;
using System.Text;
using Spectre.Console.Rendering;

namespace DistDb.Tools.Shell;

/// <summary>A terminal, as far as an editor needs one.</summary>
/// <param name="ReadKey">Waits for a key; nothing is echoed.</param>
/// <param name="HasKey">Whether more keys were pressed already, as when text is pasted.</param>
/// <param name="Size">Columns and rows.</param>
/// <param name="Output">Where it draws; understands the usual escape sequences.</param>
internal sealed record EditorTerminal(Func<ConsoleKeyInfo> ReadKey, Func<bool> HasKey, Func<(int Width, int Height)> Size, TextWriter Output);

/// <summary>How reading ended.</summary>
internal enum EditorOutcome
{
    /// <summary>Something was typed.</summary>
    Text,

    /// <summary>Ctrl-C: what was typed is not meant.</summary>
    Cleared,

    /// <summary>Ctrl-D: the user leaves.</summary>
    Ended,
}

/// <summary>
/// Lets somebody type and change a text of one or several lines, with a history and completion. No library that is kept well and can be had
/// does this on several lines with Ctrl-C in the shell's own hands, so here is what readline's users have in their fingers.
/// </summary>
/// <param name="terminal">Where.</param>
/// <param name="history">What was typed before, the oldest first.</param>
/// <param name="isComplete">Whether Enter ends the text, instead of beginning a new line.</param>
/// <param name="complete">What may stand at the cursor: where it begins in the text before it, and what it may be.</param>
internal sealed class LineEditor(
    EditorTerminal terminal, Func<IReadOnlyList<string>> history, Func<string, bool> isComplete, Func<string, (int Start, IReadOnlyList<string> Words)> complete)
{
    private readonly StringBuilder _text = new();
    private string _prompt = "";
    private string _killed = "";
    private int _cursor;

    // Where the cursor was left, in rows from the first that was drawn.
    private int _drawnRow;
    private int _historyAt;
    private string _draft = "";

    private string Text => _text.ToString();

    /// <summary>Reads until Enter ends a text that is complete.</summary>
    /// <param name="prompt">Stands before it; further lines get dots of the same width.</param>
    public (EditorOutcome Outcome, string Text) Read(string prompt)
    {
        (_prompt, _cursor, _drawnRow, _draft) = (prompt, 0, 0, "");
        _historyAt = history().Count;
        _text.Clear();
        Draw();
        while (true)
        {
            if (Handle(terminal.ReadKey()) is { } outcome)
            {
                return (outcome, Text);
            }

            if (!terminal.HasKey())
            {
                Draw();
            }
        }
    }

    private EditorOutcome? Handle(ConsoleKeyInfo key)
    {
        var isControl = key.Modifiers.HasFlag(ConsoleModifiers.Control);
        var isAlt = key.Modifiers.HasFlag(ConsoleModifiers.Alt);
        switch (key.Key)
        {
            case ConsoleKey.C when isControl:
                return Leave("^C", EditorOutcome.Cleared);
            case ConsoleKey.D when isControl && _text.Length == 0:
                return Leave("", EditorOutcome.Ended);
            case ConsoleKey.Enter when isAlt:
                Insert("\n");
                break;
            case ConsoleKey.Enter or ConsoleKey.J or ConsoleKey.M when key.Key == ConsoleKey.Enter || isControl:
                if (isComplete(Text))
                {
                    return Leave("", EditorOutcome.Text);
                }

                // Whoever mended something in the last line goes on behind it; pasted text goes where it belongs.
                _cursor = LineEnd(_cursor) == _text.Length && !terminal.HasKey() ? _text.Length : _cursor;
                Insert("\n");
                break;
            case ConsoleKey.Tab when !terminal.HasKey():
                Complete();
                break;
            case ConsoleKey.Tab:
                // Pasted text has tabs that ask for nothing.
                Insert("    ");
                break;
            case ConsoleKey.R when isControl:
                return Search();
            case ConsoleKey.L when isControl:
                terminal.Output.Write("\e[H\e[2J");
                _drawnRow = 0;
                break;
            default:
                if (!Edit(key.Key, isControl, isAlt) && !char.IsControl(key.KeyChar) && !isControl)
                {
                    Insert(key.KeyChar.ToString());
                }

                break;
        }

        return null;
    }

    /// <returns>Whether the key moves or deletes.</returns>
    private bool Edit(ConsoleKey key, bool isControl, bool isAlt)
    {
        switch (key)
        {
            case ConsoleKey.LeftArrow when isControl || isAlt:
            case ConsoleKey.B when isAlt:
                _cursor = WordBefore();
                break;
            case ConsoleKey.RightArrow when isControl || isAlt:
            case ConsoleKey.F when isAlt:
                _cursor = WordAfter();
                break;
            case ConsoleKey.LeftArrow:
            case ConsoleKey.B when isControl:
                _cursor = Before(_cursor);
                break;
            case ConsoleKey.RightArrow:
            case ConsoleKey.F when isControl:
                _cursor = After(_cursor);
                break;
            case ConsoleKey.Home:
            case ConsoleKey.A when isControl:
                _cursor = LineStart(_cursor);
                break;
            case ConsoleKey.End:
            case ConsoleKey.E when isControl:
                _cursor = LineEnd(_cursor);
                break;
            case ConsoleKey.UpArrow:
            case ConsoleKey.P when isControl:
                Up();
                break;
            case ConsoleKey.DownArrow:
            case ConsoleKey.N when isControl:
                Down();
                break;
            case ConsoleKey.Backspace when isControl || isAlt:
            case ConsoleKey.W when isControl:
                Kill(WordBefore(), _cursor);
                break;
            case ConsoleKey.Backspace:
            case ConsoleKey.H when isControl:
                Remove(Before(_cursor), _cursor);
                break;
            case ConsoleKey.Delete:
            case ConsoleKey.D when isControl:
                Remove(_cursor, After(_cursor));
                break;
            case ConsoleKey.D when isAlt:
                Kill(_cursor, WordAfter());
                break;
            case ConsoleKey.K when isControl:
                Kill(_cursor, LineEnd(_cursor));
                break;
            case ConsoleKey.U when isControl:
                Kill(LineStart(_cursor), _cursor);
                break;
            case ConsoleKey.Y when isControl:
                Insert(_killed);
                break;
            default:
                return false;
        }

        return true;
    }

    private EditorOutcome Leave(string mark, EditorOutcome outcome)
    {
        _cursor = _text.Length;
        Draw();
        terminal.Output.Write(mark + "\r\n");
        terminal.Output.Flush();
        return outcome;
    }

    private void Insert(string text)
    {
        _text.Insert(_cursor, text);
        _cursor += text.Length;
    }

    private void Remove(int from, int to)
    {
        _text.Remove(from, to - from);
        _cursor = from;
    }

    private void Kill(int from, int to)
    {
        _killed = Text[from..to];
        Remove(from, to);
    }

    private void Replace(string text)
    {
        _text.Clear().Append(text);
        _cursor = text.Length;
    }

    private void Up()
    {
        var start = LineStart(_cursor);
        if (start > 0)
        {
            _cursor = Math.Min(LineStart(start - 1) + _cursor - start, start - 1);
        }
        else if (_historyAt > 0)
        {
            GoTo(_historyAt - 1);
        }
    }

    private void Down()
    {
        var end = LineEnd(_cursor);
        if (end < _text.Length)
        {
            _cursor = Math.Min(end + 1 + _cursor - LineStart(_cursor), LineEnd(end + 1));
        }
        else if (_historyAt < history().Count)
        {
            GoTo(_historyAt + 1);
        }
    }

    private void GoTo(int position)
    {
        if (_historyAt == history().Count)
        {
            _draft = Text;
        }

        _historyAt = position;
        Replace(position == history().Count ? _draft : history()[position]);
    }

    private void Complete()
    {
        var (start, words) = complete(Text[.._cursor]);
        if (words.Count == 0)
        {
            return;
        }

        var typed = Text[start.._cursor];
        var common = words[0];
        foreach (var word in words)
        {
            var same = 0;
            while (same < Math.Min(common.Length, word.Length) && char.ToUpperInvariant(common[same]) == char.ToUpperInvariant(word[same]))
            {
                same++;
            }

            common = common[..same];
        }

        if (words.Count > 1 && common.Length <= typed.Length)
        {
            ShowBelow(words);
            return;
        }

        Remove(start, _cursor);
        Insert(words.Count == 1 ? common + " " : common);
    }

    private void ShowBelow(IReadOnlyList<string> words)
    {
        const int RowsMax = 12;
        var (screen, _) = terminal.Size();
        var width = words.Max(Width) + 2;
        var columns = Math.Max(1, screen / width);
        var shown = words.Take(columns * RowsMax).ToArray();
        var cursor = _cursor;
        _cursor = _text.Length;
        Draw();
        _cursor = cursor;
        terminal.Output.Write("\r\n");
        foreach (var row in shown.Chunk(columns))
        {
            terminal.Output.Write(string.Concat(row.Select(word => word + new string(' ', width - Width(word)))).TrimEnd() + "\r\n");
        }

        if (shown.Length < words.Count)
        {
            terminal.Output.Write($"and {words.Count - shown.Length} more\r\n");
        }

        _drawnRow = 0;
    }

    /// <summary>Ctrl-R: the newest entry that contains what is typed; again for an older one. Any other key takes it and does what it always does.</summary>
    private EditorOutcome? Search()
    {
        var (prompt, before, wanted, at) = (_prompt, Text, "", history().Count);
        while (true)
        {
            _prompt = $"(search '{wanted}') ";
            Draw();
            var key = terminal.ReadKey();
            var isControl = key.Modifiers.HasFlag(ConsoleModifiers.Control);
            if (key.Key == ConsoleKey.R && isControl)
            {
                Find(at - 1);
            }
            else if (key.Key == ConsoleKey.Backspace)
            {
                wanted = wanted.Length > 0 ? wanted[..^1] : "";
                Find(history().Count - 1);
            }
            else if (!char.IsControl(key.KeyChar) && !isControl && key.KeyChar != '\0')
            {
                wanted += key.KeyChar;
                Find(Math.Min(at, history().Count - 1));
            }
            else
            {
                _prompt = prompt;
                if ((key.Key is ConsoleKey.C or ConsoleKey.G && isControl) || key.Key == ConsoleKey.Escape)
                {
                    Replace(before);
                    return null;
                }

                _historyAt = Math.Min(at, history().Count);
                return Handle(key);
            }
        }

        void Find(int from)
        {
            for (var i = from; i >= 0; i--)
            {
                if (history()[i].Contains(wanted, StringComparison.OrdinalIgnoreCase))
                {
                    at = i;
                    Replace(history()[i]);
                    return;
                }
            }
        }
    }

    private int Before(int position) => position == 0 ? 0 : StringInfo.ParseCombiningCharacters(Text[..position])[^1];

    private int After(int position) => position == _text.Length ? position : position + StringInfo.GetNextTextElementLength(Text, position);

    private int WordBefore()
    {
        var at = _cursor;
        while (at > 0 && !IsWord(_text[at - 1]))
        {
            at--;
        }

        while (at > 0 && IsWord(_text[at - 1]))
        {
            at--;
        }

        return at;
    }

    private int WordAfter()
    {
        var at = _cursor;
        while (at < _text.Length && !IsWord(_text[at]))
        {
            at++;
        }

        while (at < _text.Length && IsWord(_text[at]))
        {
            at++;
        }

        return at;
    }

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_' || char.IsSurrogate(c);

    private int LineStart(int position) => position == 0 ? 0 : Text.LastIndexOf('\n', position - 1) + 1;

    private int LineEnd(int position) => Text.IndexOf('\n', position) is >= 0 and var end ? end : _text.Length;

    /// <summary>Draws all of it anew from its first row, or as much around the cursor as the screen holds. Lines are broken here: terminals differ in when they do it.</summary>
    private void Draw()
    {
        var (width, height) = terminal.Size();
        var (rows, row, column) = Layout(Math.Max(width, 8));
        var top = Math.Max(0, Math.Min(row - (height / 2), rows.Count - height));
        var shown = rows.Skip(top).Take(height).ToArray();
        var frame = new StringBuilder();
        frame.Append(_drawnRow > 0 ? $"\e[{_drawnRow}A" : "").Append("\r\e[J").AppendJoin("\r\n", shown);
        var up = shown.Length - 1 - (row - top);
        frame.Append(up > 0 ? $"\e[{up}A" : "").Append('\r').Append(column > 0 ? $"\e[{column}C" : "");
        _drawnRow = row - top;
        terminal.Output.Write(frame.ToString());
        terminal.Output.Flush();
    }

    private (List<string> Rows, int Row, int Column) Layout(int width)
    {
        var text = Text;
        var further = "...> ".PadLeft(Width(_prompt));
        var rows = new List<string>();
        var line = new StringBuilder(_prompt);
        var column = Width(_prompt);
        var (cursorRow, cursorColumn) = (0, 0);
        for (var i = 0; ; i = After(i))
        {
            var element = i < text.Length ? text.AsSpan(i, StringInfo.GetNextTextElementLength(text, i)).ToString() : "";
            var cells = element is "\n" or "" ? 0 : Width(element);
            if (column + cells > width - (cells == 0 ? 1 : 0))
            {
                Break("");
            }

            if (i == _cursor)
            {
                (cursorRow, cursorColumn) = (rows.Count, column);
            }

            if (i == text.Length)
            {
                break;
            }

            if (element == "\n")
            {
                Break(further);
            }
            else
            {
                line.Append(element);
                column += cells;
            }
        }

        rows.Add(line.ToString());
        return (rows, cursorRow, cursorColumn);

        void Break(string next)
        {
            rows.Add(line.ToString());
            line.Clear().Append(next);
            column = next.Length;
        }
    }

    private static int Width(string text) => text.All(char.IsAscii) ? text.Length : new Segment(text).CellCount();
}
