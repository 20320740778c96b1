using System.Text;

namespace DistDb.Node.Commands;

/// <summary>What a piece of SQL is.</summary>
internal enum SqlTokenKind
{
    /// <summary>The text's end.</summary>
    End,

    /// <summary>A keyword or a bare name.</summary>
    Word,

    /// <summary>A name between double quotes, back quotes or brackets.</summary>
    Name,

    /// <summary>A text between single quotes.</summary>
    Text,

    /// <summary>A blob; its text is the hexadecimal digits.</summary>
    Blob,

    /// <summary>A number without its sign.</summary>
    Number,

    /// <summary>Any other single character.</summary>
    Symbol,

    /// <summary>A quote that is never closed, or a number or blob that is none.</summary>
    Broken,
}

/// <summary>A piece of SQL.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">What it says, without its quotes.</param>
internal readonly record struct SqlToken(SqlTokenKind Kind, string Text);

/// <summary>Takes a SQL text apart as SQLite does, leaving out white space and comments. For short texts of a small grammar.</summary>
internal sealed class SqlTokens
{
    private readonly string _sql;
    private int _position;

    public SqlTokens(string sql)
    {
        _sql = sql;
        Current = Next();
    }

    /// <summary>The piece that is to be read next.</summary>
    public SqlToken Current { get; private set; }

    public bool AtEnd => Current.Kind == SqlTokenKind.End;

    /// <summary>Whether the next piece is this bare word, in either case.</summary>
    public bool IsWord(string word) => Current.Kind == SqlTokenKind.Word && Current.Text.Equals(word, StringComparison.OrdinalIgnoreCase);

    /// <summary>Goes past this bare word; false where another piece stands there.</summary>
    public bool TakeWord(string word) => IsWord(word) && Advance();

    /// <summary>Goes past this character; false where another piece stands there.</summary>
    public bool TakeSymbol(char symbol) => Current.Kind == SqlTokenKind.Symbol && Current.Text[0] == symbol && Advance();

    /// <summary>Goes past the next piece, and gives it.</summary>
    public SqlToken Take()
    {
        var taken = Current;
        Advance();
        return taken;
    }

    private bool Advance()
    {
        Current = Next();
        return true;
    }

    private SqlToken Next()
    {
        SkipBlank();
        if (_position == _sql.Length)
        {
            return new(SqlTokenKind.End, "");
        }

        var c = _sql[_position];
        var next = _position + 1 < _sql.Length ? _sql[_position + 1] : '\0';
        return c switch
        {
            '"' or '`' => Quoted(SqlTokenKind.Name, c),
            '[' => Quoted(SqlTokenKind.Name, ']'),
            '\'' => Quoted(SqlTokenKind.Text, c),
            'x' or 'X' when next == '\'' => Blob(),
            _ when char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(next)) => Number(),
            _ when IsWordStart(c) => new(SqlTokenKind.Word, TakeWhile(IsWordPart)),
            _ => new(SqlTokenKind.Symbol, _sql[_position++].ToString()),
        };
    }

    private void SkipBlank()
    {
        while (_position < _sql.Length)
        {
            if (_sql[_position] is ' ' or '\t' or '\n' or '\r' or '\f')
            {
                _position++;
            }
            else if (IsAt("--"))
            {
                GoBehind("\n");
            }
            else if (IsAt("/*"))
            {
                // SQLite takes a comment without an end for one that reaches to the end.
                _position += 2;
                GoBehind("*/");
            }
            else
            {
                break;
            }
        }
    }

    private SqlToken Quoted(SqlTokenKind kind, char end)
    {
        // Within brackets nothing can be doubled.
        var isDoubled = end != ']';
        var text = new StringBuilder();
        for (_position++; _position < _sql.Length; _position++)
        {
            if (_sql[_position] == end)
            {
                _position++;
                if (!isDoubled || _position == _sql.Length || _sql[_position] != end)
                {
                    return new(kind, text.ToString());
                }
            }

            text.Append(_sql[_position]);
        }

        return new(SqlTokenKind.Broken, text.ToString());
    }

    private SqlToken Blob()
    {
        _position++;
        var (kind, digits) = Quoted(SqlTokenKind.Blob, '\'');
        return new(digits.Length % 2 == 0 && digits.All(char.IsAsciiHexDigit) ? kind : SqlTokenKind.Broken, digits);
    }

    private SqlToken Number()
    {
        var start = _position;
        TakeWhile(char.IsAsciiDigit);
        if (_position < _sql.Length && _sql[_position] == '.')
        {
            _position++;
            TakeWhile(char.IsAsciiDigit);
        }

        if (_position < _sql.Length && _sql[_position] is 'e' or 'E')
        {
            _position++;
            if (_position < _sql.Length && _sql[_position] is '+' or '-')
            {
                _position++;
            }

            if (TakeWhile(char.IsAsciiDigit).Length == 0)
            {
                return new(SqlTokenKind.Broken, _sql[start.._position]);
            }
        }

        // Such as 0x10 or 12abc.
        var rest = TakeWhile(IsWordPart);
        return new(rest.Length == 0 ? SqlTokenKind.Number : SqlTokenKind.Broken, _sql[start.._position]);
    }

    private string TakeWhile(Func<char, bool> isPart)
    {
        var start = _position;
        while (_position < _sql.Length && isPart(_sql[_position]))
        {
            _position++;
        }

        return _sql[start.._position];
    }

    private void GoBehind(string end)
    {
        var at = _sql.IndexOf(end, _position, StringComparison.Ordinal);
        _position = at < 0 ? _sql.Length : at + end.Length;
    }

    private bool IsAt(string text) => string.CompareOrdinal(_sql, _position, text, 0, text.Length) == 0;

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c == '_' || c > '\x7f';

    private static bool IsWordPart(char c) => IsWordStart(c) || char.IsAsciiDigit(c) || c == '$';
}
