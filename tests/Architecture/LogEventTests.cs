using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using DistDb.Node;
using DistDb.Tests.Support;
using Microsoft.Extensions.Logging;

namespace DistDb.Tests.Architecture;

/// <summary>Events of the log are told apart by their numbers: each has one of its own, and stands in docs/operating.md. Whoever adds one adds it there.</summary>
public sealed partial class LogEventTests
{
    private static readonly List<LoggerMessageAttribute> _events =
    [
        .. typeof(NodeSettings).Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(m => m.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>(),
    ];

    [Fact]
    public void Every_event_has_a_number_of_its_own()
    {
        _events.Should().HaveCountGreaterThan(30);
        _events.Select(e => e.EventId).Should().OnlyHaveUniqueItems().And.OnlyContain(id => id > 0);
    }

    [Fact]
    public void Every_event_is_documented_as_it_is_and_no_other()
    {
        var documented = Rows().Matches(File.ReadAllText(Repository.PathOf("docs/operating.md")))
            .Select(m => (int.Parse(m.Groups["id"].Value, CultureInfo.InvariantCulture), m.Groups["level"].Value, m.Groups["message"].Value));
        documented.Should().BeEquivalentTo(_events.Select(e => (e.EventId, e.Level.ToString().ToLowerInvariant(), e.Message)));
    }

    [GeneratedRegex(@"^\| (?<id>\d+) \| (?<level>\w+) \| (?<message>.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
