using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DistDb.Tools.Backup;

/// <summary>A column of a CSV file: INTEGER or REAL if all its values look like such numbers, and otherwise TEXT, so that <c>007</c> stays what it is.</summary>
internal sealed partial class CsvColumn(string name)
{
    private bool _mayBeInteger = true;
    private bool _mayBeReal = true;
    private bool _hasValue;

    public string Name { get; } = name;

    /// <summary>By the values looked at so far.</summary>
    public string Type => !_hasValue ? "TEXT" : _mayBeInteger ? "INTEGER" : _mayBeReal ? "REAL" : "TEXT";

    /// <summary>Looks at a value.</summary>
    public void Note(string? value)
    {
        if (value is not null)
        {
            _hasValue = true;
            _mayBeInteger = _mayBeInteger && Integer().IsMatch(value);
            _mayBeReal = _mayBeReal && (Integer().IsMatch(value) || Real().IsMatch(value));
        }
    }

    /// <summary>Writes a value as its column has it.</summary>
    public void Write(Utf8JsonWriter json, string? value)
    {
        switch (value is null ? null : Type)
        {
            case null:
                json.WriteNullValue();
                break;
            case "INTEGER":
                json.WriteNumberValue(long.Parse(value!, CultureInfo.InvariantCulture));
                break;
            case "REAL":
                // As it stands there, so that SQLite rounds it, once.
                json.WriteRawValue(Integer().IsMatch(value!) ? value + ".0" : value!, skipInputValidation: true);
                break;
            default:
                json.WriteStringValue(value);
                break;
        }
    }

    // 18 digits are below 2^63 whatever they are.
    [GeneratedRegex(@"^-?(0|[1-9][0-9]{0,17})\z")]
    private static partial Regex Integer();

    [GeneratedRegex(@"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?\z")]
    private static partial Regex Real();
}
