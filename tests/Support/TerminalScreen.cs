using System.Globalization;
using System.Text;

namespace DistDb.Tests.Support;

/// <summary>A terminal's screen, as far as line editors and tables use one: where the cursor goes and what is overwritten, without colours.</summary>
internal sealed class TerminalScreen(int width, int height)
{
    private readonly Lock _lock = new();
    private readonly List<char[]> _cells = [.. Enumerable.Range(0, height).Select(_ => Blank(width))];
    private readonly StringBuilder _sequence = new();
    private int _row;
    private int _column;

    /// <summary>Without what is blank at their ends.</summary>
    public IReadOnlyList<string> Rows
    {
        get
        {
            lock (_lock)
            {
                return [.. _cells.Select(row => new string(row).TrimEnd())];
            }
        }
    }

    /// <summary>Takes what a program writes.</summary>
    public void Write(ReadOnlySpan<char> text)
    {
        lock (_lock)
        {
            foreach (var character in text)
            {
                Put(character);
            }
        }
    }

    private void Put(char character)
    {
        if (_sequence.Length > 0)
        {
            _sequence.Append(character);
            if (IsWhole())
            {
                Obey(_sequence.ToString());
                _sequence.Clear();
            }

            return;
        }

        switch (character)
        {
            case '\e':
                _sequence.Append(character);
                break;
            case '\r':
                _column = 0;
                break;
            case '\n':
                NextRow();
                break;
            case '\b':
                _column = Math.Max(0, _column - 1);
                break;
            case < ' ':
                break;
            default:
                if (_column == width)
                {
                    _column = 0;
                    NextRow();
                }

                _cells[_row][_column++] = character;
                break;
        }
    }

    /// <summary><c>ESC [ ... letter</c>, or <c>ESC</c> and one character, some of which are followed by another.</summary>
    private bool IsWhole() => _sequence.Length > 1 && _sequence[1] switch
    {
        '[' => _sequence.Length > 2 && _sequence[^1] is >= '@' and <= '~',
        '(' or ')' => _sequence.Length == 3,
        _ => true,
    };

    private void Obey(string sequence)
    {
        if (sequence[1] != '[')
        {
            return;
        }

        var numbers = sequence[2..^1].Split(';').Select(text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0).ToArray();
        var count = Math.Max(1, numbers[0]);
        switch (sequence[^1])
        {
            case 'A':
                _row = Math.Max(0, _row - count);
                break;
            case 'B':
                _row = Math.Min(height - 1, _row + count);
                break;
            case 'C':
                _column = Math.Min(width - 1, _column + count);
                break;
            case 'D':
                _column = Math.Max(0, _column - count);
                break;
            case 'G':
                _column = Math.Min(width, count) - 1;
                break;
            case 'H':
                (_row, _column) = (Math.Min(height, count) - 1, Math.Min(width, Math.Max(1, numbers.ElementAtOrDefault(1))) - 1);
                break;
            case 'J' when numbers[0] == 2:
                _cells.ForEach(row => Array.Fill(row, ' '));
                break;
            case 'J':
                Array.Fill(_cells[_row], ' ', Math.Min(_column, width), width - Math.Min(_column, width));
                _cells.Skip(_row + 1).ToList().ForEach(row => Array.Fill(row, ' '));
                break;
            case 'K' when numbers[0] == 0:
                Array.Fill(_cells[_row], ' ', Math.Min(_column, width), width - Math.Min(_column, width));
                break;
            default:
                // Colours and modes.
                break;
        }
    }

    private void NextRow()
    {
        if (_row < height - 1)
        {
            _row++;
            return;
        }

        _cells.RemoveAt(0);
        _cells.Add(Blank(width));
    }

    private static char[] Blank(int width) => [.. Enumerable.Repeat(' ', width)];
}
