using System.Globalization;
using DistDb.Node.Commands;

namespace DistDb.Node.Api.Structured;

/// <summary>
/// Reads what <c>create_table</c> is told of a column in words, <c>VARCHAR(20) NOT NULL DEFAULT 'x'</c>. Its grammar is the part of SQLite's that
/// holds no expressions, and what it takes is written anew from what was understood, so that no text of a client's gets into the statement.
/// <code>
/// column      type constraint*
/// type        word+ [( digits [, digits] )]
/// constraint  PRIMARY KEY [ASC | DESC] [AUTOINCREMENT] | NOT NULL | NULL | UNIQUE | DEFAULT default | COLLATE BINARY | NOCASE | RTRIM
///           | REFERENCES reference
/// default     [+ | -] number | 'text' | x'blob' | NULL | TRUE | FALSE | CURRENT_TIME | CURRENT_DATE | CURRENT_TIMESTAMP
/// reference   table [( column )] (ON DELETE | ON UPDATE  SET NULL | SET DEFAULT | CASCADE | RESTRICT | NO ACTION)*
/// </code>
/// </summary>
internal sealed class ColumnDefinitionParser
{
    private const string UseExec = "Send a CREATE TABLE with command \"exec\" for what cannot be said here. Nothing was done.";

    /// <summary>Words that begin what may follow a type, and those that would make an expression follow.</summary>
    private static readonly HashSet<string> _typeEnds = new(StringComparer.OrdinalIgnoreCase)
    {
        "PRIMARY", "NOT", "NULL", "UNIQUE", "DEFAULT", "COLLATE", "REFERENCES", "CHECK", "CONSTRAINT", "GENERATED", "AS", "ON", "DEFERRABLE", "AUTOINCREMENT",
    };

    private static readonly string[] _collations = ["BINARY", "NOCASE", "RTRIM"];

    private readonly SqlTokens _tokens;
    private readonly string _where;

    private ColumnDefinitionParser(string text, string where)
    {
        _tokens = new(text);
        _where = where;
    }

    /// <summary>The instants that a default may stand for.</summary>
    public static IReadOnlyList<string> Instants { get; } = ["CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"];

    /// <summary>Reads a type with its constraints.</summary>
    /// <param name="name">The column's name.</param>
    /// <param name="text">What is said of it.</param>
    /// <param name="where">The field that it came in, for the refusal.</param>
    /// <exception cref="RequestRejectedException">It says what the grammar does not have.</exception>
    public static ColumnDefinition Parse(string name, string text, string where)
    {
        var parser = new ColumnDefinitionParser(text, where);
        var column = new ColumnDefinition { Name = name, Type = parser.ReadType() };
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (!parser._tokens.AtEnd)
        {
            column = parser.ReadConstraint(column, seen);
        }

        return column;
    }

    /// <summary>Reads a type that stands alone.</summary>
    /// <exception cref="RequestRejectedException">It is none, or more than that.</exception>
    public static string ParseType(string text, string where)
    {
        var parser = new ColumnDefinitionParser(text, where);
        var type = parser.ReadType();
        return parser._tokens.AtEnd
            ? type
            : throw parser.Bad("is more than a type; constraints have fields of their own (primary_key, autoincrement, not_null, unique, default, collate, references).");
    }

    /// <summary>Reads a reference to another table.</summary>
    /// <exception cref="RequestRejectedException">It is none.</exception>
    public static ForeignKey ParseReference(string text, string where)
    {
        var parser = new ColumnDefinitionParser(text, where);
        var reference = parser.ReadReference();
        return parser._tokens.AtEnd ? reference : throw parser.Unexpected("the end, or ON DELETE or ON UPDATE with an action");
    }

    /// <summary>Reads the name of a collation.</summary>
    /// <exception cref="RequestRejectedException">It is none of SQLite's.</exception>
    public static string ParseCollation(string text, string where)
    {
        var parser = new ColumnDefinitionParser(text, where);
        var collation = parser.ReadCollation();
        return parser._tokens.AtEnd ? collation : throw parser.Unexpected("the end");
    }

    private string ReadType()
    {
        var words = new List<string>();
        while (_tokens.Current.Kind == SqlTokenKind.Word && !_typeEnds.Contains(_tokens.Current.Text))
        {
            words.Add(_tokens.Current.Text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
                ? _tokens.Take().Text
                : throw Bad("has a type whose name is not made of the letters a to z, digits and \"_\"."));
        }

        if (words.Count == 0)
        {
            throw Bad("does not begin with a type, such as INTEGER, TEXT, REAL or BLOB (which takes any value as it is).");
        }

        return ColumnTypes.ToSql(words, _tokens.TakeSymbol('(') ? ReadSize() : "");
    }

    private string ReadSize()
    {
        var size = ReadDigits();
        if (_tokens.TakeSymbol(','))
        {
            size += "," + ReadDigits();
        }

        return _tokens.TakeSymbol(')') ? $"({size})" : throw Unexpected("one or two whole numbers between brackets behind the type");
    }

    private string ReadDigits() => _tokens.Current is { Kind: SqlTokenKind.Number, Text: var text } && text.All(char.IsAsciiDigit)
        ? _tokens.Take().Text
        : throw Unexpected("one or two whole numbers between brackets behind the type");

    private ColumnDefinition ReadConstraint(ColumnDefinition column, HashSet<string> seen)
    {
        var start = _tokens.Current;
        var read = start.Kind != SqlTokenKind.Word ? null : _tokens.Take().Text.ToUpperInvariant() switch
        {
            "PRIMARY" when Takes("KEY") => ReadPrimaryKey(column),
            "NOT" when Takes("NULL") => column with { IsNotNull = true },
            "NULL" => column,
            "UNIQUE" => column with { IsUnique = true },
            "DEFAULT" => column with { Default = ReadDefault() },
            "COLLATE" => column with { Collation = ReadCollation() },
            "REFERENCES" => column with { References = ReadReference() },
            _ => null,
        };
        if (read is null)
        {
            throw Bad($"goes on with \"{start.Text}\", where only PRIMARY KEY, NOT NULL, UNIQUE, DEFAULT, COLLATE or REFERENCES may follow. {UseExec}");
        }

        // NULL, which says nothing, must not stand beside NOT NULL, which says the contrary.
        var said = start.Text.ToUpperInvariant() is "NULL" ? "NOT" : start.Text.ToUpperInvariant();
        return seen.Add(said) ? read : throw Bad($"says \"{start.Text}\" twice, or its contrary.");
    }

    private ColumnDefinition ReadPrimaryKey(ColumnDefinition column) => column with
    {
        IsPrimaryKey = true,
        Direction = Takes("ASC") ? "ASC" : Takes("DESC") ? "DESC" : null,
        IsAutoincrement = Takes("AUTOINCREMENT"),
    };

    private string ReadDefault()
    {
        const string Expected = "a number, a 'text', a blob x'00', NULL, TRUE, FALSE or CURRENT_TIME, CURRENT_DATE, CURRENT_TIMESTAMP behind DEFAULT. " + UseExec;
        var isNegative = _tokens.TakeSymbol('-');
        var isSigned = isNegative || _tokens.TakeSymbol('+');
        var token = _tokens.Current;
        if (isSigned && token.Kind != SqlTokenKind.Number)
        {
            throw Unexpected(Expected);
        }

        switch (token.Kind)
        {
            case SqlTokenKind.Number:
                _tokens.Take();
                return SqlLiteral.Of(ReadNumber((isNegative ? "-" : "") + token.Text), _where);
            case SqlTokenKind.Text:
                _tokens.Take();
                return SqlLiteral.Of(SqlValue.From(token.Text), _where);
            case SqlTokenKind.Blob:
                _tokens.Take();
                return SqlLiteral.Of(SqlValue.From(Convert.FromHexString(token.Text)), _where);
            case SqlTokenKind.Word when Instants.Append("NULL").FirstOrDefault(Takes) is { } word:
                return word;
            case SqlTokenKind.Word when Takes("TRUE"):
                return "1";
            case SqlTokenKind.Word when Takes("FALSE"):
                return "0";
            default:
                throw Unexpected(Expected);
        }
    }

    private SqlValue ReadNumber(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) ? SqlValue.From(integer)
        : text.AsSpan().IndexOfAny('.', 'e', 'E') < 0
            ? throw Bad("has a default beyond 64 bits; give it between quotes, or with a fraction if an approximation will do.")
            : SqlValue.From(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture));

    private string ReadCollation() =>
        _collations.FirstOrDefault(Takes) ?? throw Unexpected("BINARY, NOCASE or RTRIM as the collation");

    private ForeignKey ReadReference()
    {
        var table = ReadName();
        string? column = null;
        if (_tokens.TakeSymbol('('))
        {
            column = ReadName();
            if (!_tokens.TakeSymbol(')'))
            {
                throw Unexpected("\")\" behind one column of the other table");
            }
        }

        string? onDelete = null;
        string? onUpdate = null;
        while (Takes("ON"))
        {
            if (onDelete is null && Takes("DELETE"))
            {
                onDelete = ReadAction();
            }
            else
            {
                onUpdate = onUpdate is null && Takes("UPDATE") ? ReadAction() : throw Unexpected("DELETE or UPDATE behind ON, each once");
            }
        }

        return new(table, column, onDelete, onUpdate);
    }

    private string ReadAction() =>
        Takes("CASCADE") ? "CASCADE"
        : Takes("RESTRICT") ? "RESTRICT"
        : Takes("NO") && Takes("ACTION") ? "NO ACTION"
        : !Takes("SET") ? throw Unexpected("SET NULL, SET DEFAULT, CASCADE, RESTRICT or NO ACTION")
        : Takes("NULL") ? "SET NULL"
        : Takes("DEFAULT") ? "SET DEFAULT"
        : throw Unexpected("NULL or DEFAULT behind SET");

    private string ReadName() => _tokens.Current.Kind is SqlTokenKind.Word or SqlTokenKind.Name
        ? _tokens.Take().Text
        : throw Unexpected("a table's or column's name");

    private bool Takes(string word) => _tokens.TakeWord(word);

    private RequestRejectedException Unexpected(string expected) => Bad(
        $"has {(_tokens.AtEnd ? "nothing" : $"\"{_tokens.Current.Text}\"")} where this is expected: {expected}.");

    private RequestRejectedException Bad(string what) => new(FailureCode.BadRequest, $"\"{_where}\" {what}");
}
