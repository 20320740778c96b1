using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace DistDb.Tools;

/// <summary>Options whose value is a whole number of a range; anything else is wrong usage.</summary>
internal static class IntegerOption
{
    /// <param name="name">E.g. <c>--count</c>.</param>
    /// <param name="description">What it is for.</param>
    /// <param name="helpName">What the number counts.</param>
    /// <param name="byDefault">Its value when neither it nor the variable is given.</param>
    /// <param name="min">The lowest value allowed.</param>
    /// <param name="max">The highest value allowed.</param>
    /// <param name="variable">An environment variable to take the default from.</param>
    public static Option<int> Create(
        string name, string description, string helpName, int byDefault, int min, int max = int.MaxValue, string? variable = null) => new(name)
        {
            Description = description,
            HelpName = helpName,
            CustomParser = result => Parse(result, result.Tokens[0].Value, name, min, max),
            DefaultValueFactory = result => variable is not null && Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
                ? Parse(result, text, variable, min, max)
                : byDefault,
        };

    /// <summary>Reads a number, or notes what is wrong with it.</summary>
    public static int Parse(ArgumentResult result, string text, string name, int min, int max)
    {
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
        {
            return value;
        }

        var range = max == int.MaxValue ? $"a whole number of at least {min}" : $"a whole number from {min} to {max}";
        result.AddError($"{name} must be {range}, not '{text}'.");
        return min;
    }
}
