using System.Text;

namespace DistDb.Tools.Backup;

/// <summary>
/// Reads CSV (RFC 4180) row by row. A field without quotes that is empty is NULL, and one with quotes is text, however empty: so the nodes write
/// it, and so no library at hand tells it.
/// </summary>
internal sealed class CsvReader(TextReader reader, char separator)
{
    private readonly StringBuilder _field = new();
    private int _nextLine = 1;

    /// <summary>The line that the row read last began on, from 1.</summary>
    public int Line { get; private set; }

    /// <summary>The next row, or null at the end. Empty lines are passed over.</summary>
    /// <exception cref="InvalidDataException">A quoted field has no end, or something follows it.</exception>
    public List<string?>? Read()
    {
        while (reader.Peek() is '\r' or '\n')
        {
            _ = reader.Read() == '\n' ? _nextLine++ : 0;
        }

        if (reader.Peek() < 0)
        {
            return null;
        }

        Line = _nextLine;
        List<string?> row = [];
        while (true)
        {
            row.Add(ReadField());
            switch (reader.Read())
            {
                case var end when end == separator:
                    break;
                case '\r' when reader.Peek() == '\n':
                    _ = reader.Read();
                    _nextLine++;
                    return row;
                case '\r' or '\n':
                    _nextLine++;
                    return row;
                case < 0:
                    return row;
                case var other:
                    throw new InvalidDataException($"line {_nextLine}: \"{(char)other}\" follows the quote that ends a field");
            }
        }
    }

    private string? ReadField()
    {
        _field.Clear();
        if (reader.Peek() != '"')
        {
            while (reader.Peek() is var next && next >= 0 && next != separator && next is not ('\r' or '\n'))
            {
                _field.Append((char)reader.Read());
            }

            return _field.Length == 0 ? null : _field.ToString();
        }

        var start = _nextLine;
        _ = reader.Read();
        while (true)
        {
            switch (reader.Read())
            {
                case '"' when reader.Peek() != '"':
                    return _field.ToString();
                case '"':
                    _ = reader.Read();
                    _field.Append('"');
                    break;
                case < 0:
                    throw new InvalidDataException($"line {start}: a quoted field has no end");
                case var next:
                    _ = next == '\n' ? _nextLine++ : 0;
                    _field.Append((char)next);
                    break;
            }
        }
    }
}
