using System.Text;

namespace DistDb.Node.Commands;

/// <summary>A statement of a script.</summary>
/// <param name="Text">Without what stands before it, and without its semicolon.</param>
/// <param name="Line">The line on which it begins, from 1.</param>
internal readonly record struct ScriptStatement(string Text, int Line)
{
    /// <summary>The first words, in upper case; fewer where there are none.</summary>
    public IReadOnlyList<string> FirstWords(int count) =>
        [.. Text.Split((char[]?)null, count + 1, StringSplitOptions.RemoveEmptyEntries).Take(count).Select(word => word.ToUpperInvariant())];
}

/// <summary>
/// Cuts SQL into statements at the semicolons that end them: not those within quotes, comments and the bodies of triggers. It takes the text
/// piece by piece and looks at each character once, however long a statement is.
/// </summary>
internal sealed class StatementSplitter
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _word = new();
    private readonly List<string> _first = [];
    private State _state;
    private char _closing;
    private char _previous;
    private int _line = 1;
    private int _startLine = 1;

    // What the last two pieces were: a trigger ends with END after a semicolon, and that of a CASE has none before it.
    private bool _afterSemicolon;
    private bool _afterEnd;

    private enum State
    {
        Plain,
        Quoted,
        LineComment,
        BlockComment,
    }

    /// <summary>Whether a statement has begun and not ended.</summary>
    public bool HasBegun => _text.Length > 0;

    /// <summary>Whether the next text stands where a statement may begin; false within a comment, too.</summary>
    public bool IsBetween => !HasBegun && _state is State.Plain or State.LineComment;

    /// <summary>All statements of a text, the last one whether it ends or not.</summary>
    public static IEnumerable<ScriptStatement> Split(string text)
    {
        var splitter = new StatementSplitter();
        foreach (var statement in splitter.Add(text))
        {
            yield return statement;
        }

        if (splitter.End() is { } rest)
        {
            yield return rest;
        }
    }

    /// <summary>Whether a text holds nothing that waits for its end.</summary>
    public static bool IsComplete(string text)
    {
        var splitter = new StatementSplitter();
        foreach (var _ in splitter.Add(text))
        {
        }

        return splitter.IsBetween;
    }

    /// <summary>Takes the next piece.</summary>
    /// <returns>The statements that it ends.</returns>
    public IEnumerable<ScriptStatement> Add(string piece)
    {
        foreach (var c in piece)
        {
            if (Take(c))
            {
                yield return Finish();
            }

            _line += c == '\n' ? 1 : 0;
        }
    }

    /// <summary>What has begun, without the semicolon that it lacks; null where nothing has.</summary>
    public ScriptStatement? End()
    {
        var rest = HasBegun ? Finish() : (ScriptStatement?)null;
        _state = State.Plain;
        return rest;
    }

    private ScriptStatement Finish()
    {
        var statement = new ScriptStatement(_text.ToString().TrimEnd(), _startLine);
        _text.Clear();
        _word.Clear();
        _first.Clear();
        _afterSemicolon = _afterEnd = false;
        _previous = '\0';
        return statement;
    }

    /// <returns>Whether the character ends a statement.</returns>
    private bool Take(char c)
    {
        var previous = _previous;
        _previous = c;
        switch (_state)
        {
            case State.Quoted:
                // A doubled quote ends one and begins the next, which comes to the same.
                _state = c == _closing ? State.Plain : State.Quoted;
                break;
            case State.LineComment:
                _state = c == '\n' ? State.Plain : State.LineComment;
                break;
            case State.BlockComment:
                if (previous == '*' && c == '/')
                {
                    _state = State.Plain;
                    _previous = '\0';
                }

                break;
            default:
                return TakePlain(c, previous);
        }

        Keep(c);
        return false;
    }

    private bool TakePlain(char c, char previous)
    {
        if ((c == '-' && previous == '-') || (c == '*' && previous == '/'))
        {
            _state = c == '-' ? State.LineComment : State.BlockComment;
            _previous = '\0';
            if (_text.Length == 1)
            {
                // What began there is a comment, not a statement.
                _text.Clear();
                return false;
            }

            _text.Append(c);
            return false;
        }

        if (char.IsLetterOrDigit(c) || c is '_' or '$')
        {
            _word.Append(c);
            Begin(c);
            return false;
        }

        EndWord();
        if (c == ';' && !(IsTrigger() && !(_afterSemicolon && _afterEnd)))
        {
            return HasBegun;
        }

        if (c is '\'' or '"' or '`' or '[')
        {
            _state = State.Quoted;
            _closing = c == '[' ? ']' : c;
        }

        if (!char.IsWhiteSpace(c) && c is not ('-' or '/'))
        {
            _afterSemicolon = c == ';';
            _afterEnd = false;
        }

        if (c != ';' && !char.IsWhiteSpace(c))
        {
            Begin(c);
        }
        else
        {
            Keep(c);
        }

        return false;
    }

    private void EndWord()
    {
        if (_word.Length == 0)
        {
            return;
        }

        var word = _word.ToString().ToUpperInvariant();
        _word.Clear();
        if (_first.Count < 6)
        {
            _first.Add(word);
        }

        _afterEnd = word == "END";
        _afterSemicolon = _afterSemicolon && _afterEnd;
    }

    /// <summary><c>[EXPLAIN [QUERY PLAN]] CREATE [TEMP] TRIGGER</c>.</summary>
    private bool IsTrigger()
    {
        var words = _first.SkipWhile(word => word is "EXPLAIN" or "QUERY" or "PLAN").Take(3).ToArray();
        return words is ["CREATE", "TRIGGER", ..] or ["CREATE", "TEMP" or "TEMPORARY", "TRIGGER"];
    }

    private void Begin(char c)
    {
        if (!HasBegun)
        {
            _startLine = _line;
        }

        _text.Append(c);
    }

    /// <summary>White space and comments belong to a statement that has begun, and begin none.</summary>
    private void Keep(char c)
    {
        if (HasBegun)
        {
            _text.Append(c);
        }
    }
}
