using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace DistDb.Bench;

/// <summary>Options that take several values with commas between them.</summary>
internal static class OptionLists
{
    public static Option<int[]> Clients(string byDefault) =>
        Create<int>("--clients", "How many clients at once", byDefault, text => int.TryParse(text, out var count) && count > 0 ? count : null);

    /// <param name="name">The option.</param>
    /// <param name="description">For its help.</param>
    /// <param name="byDefault">Its value where none is given.</param>
    /// <param name="parse">One of the values; null where it is none.</param>
    public static Option<T[]> Create<T>(string name, string description, string byDefault, Func<string, T?> parse)
        where T : struct
    {
        return new(name) { Description = description, CustomParser = result => Parse(result, result.Tokens[0].Value), DefaultValueFactory = result => Parse(result, byDefault) };

        T[] Parse(ArgumentResult result, string text)
        {
            var values = text.Split(',').Select(parse).ToArray();
            if (values.Any(value => value is null))
            {
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} takes one or more of {byDefault}, not '{text}'."));
                return [];
            }

            return [.. values.Select(value => value!.Value)];
        }
    }
}
