using System.Globalization;
using System.Text;
using DistDb.Tests.Linearizability;
using DistDb.Tests.Soak.Clients;

namespace DistDb.Tests.Soak;

/// <summary>What a run did and found.</summary>
/// <param name="Options">What it was to do.</param>
/// <param name="Elapsed">How long it took in all.</param>
/// <param name="Faults">How often each kind was injected.</param>
/// <param name="Statistics">What clients did.</param>
/// <param name="Findings">What is wrong.</param>
/// <param name="KeptFolder">Where the nodes' files and logs are, if anything is wrong.</param>
internal sealed record SoakReport(
    SoakOptions Options,
    TimeSpan Elapsed,
    IReadOnlyDictionary<string, int> Faults,
    Statistics Statistics,
    IReadOnlyList<(FindingKind Kind, string Text)> Findings,
    string? KeptFolder)
{
    private const int FindingsShown = 10;

    public bool IsClean => Findings.Count == 0;

    /// <summary>The table, and what was found.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"seed {Options.Seed}, {Options.NodeCount} nodes, {Elapsed:hh\\:mm\\:ss} in all");
        text.AppendLine();
        text.AppendLine("faults injected");
        foreach (var (kind, count) in Faults.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {kind,-40} {count,8}");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"  {"in all",-40} {Faults.Values.Sum(),8}");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{"operations",-42} {"ok",8} {"failed",8} {"unknown",8}");
        foreach (var operation in Statistics.Counts.Keys.Select(k => k.Operation).Distinct().Order(StringComparer.Ordinal))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {operation,-40} {Of(operation, Fate.Done),8} {Of(operation, Fate.NotDone),8} {Of(operation, Fate.Unknown),8}");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"  {"in all",-40} {Sum(Fate.Done),8} {Sum(Fate.NotDone),8} {Sum(Fate.Unknown),8}");
        text.AppendLine();
        text.AppendLine("answers other than 200");
        foreach (var (code, count) in Statistics.Refusals.OrderBy(r => r.Key, StringComparer.Ordinal))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {code,-40} {count,8}");
        }

        text.AppendLine();
        text.AppendLine("found");
        foreach (var kind in Enum.GetValues<FindingKind>())
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {NameOf(kind),-40} {Findings.Count(f => f.Kind == kind),8}");
        }

        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"histories checked: {Statistics.CheckedCount}, with {Statistics.CheckSteps} transitions");
        text.AppendLine(CultureInfo.InvariantCulture, $"longest without a write: {Describe(Statistics.LongestGap)}");
        text.AppendLine(CultureInfo.InvariantCulture, $"  while a majority was well: {Describe(Statistics.LongestGapOfMajority)}");
        foreach (var (kind, what) in Findings.Take(FindingsShown))
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{NameOf(kind)}: {what}");
        }

        if (KeptFolder is not null)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"The nodes' files, their logs and soak.log are kept in {KeptFolder}");
        }

        return text.ToString();
    }

    private static string NameOf(FindingKind kind) => kind switch
    {
        FindingKind.Lost => "lost writes",
        FindingKind.Doubled => "doubled writes",
        FindingKind.Phantom => "writes done though answered as not done",
        FindingKind.NotLinearizable => "not linearizable (stale strong reads)",
        FindingKind.Undecided => "undecided histories",
        FindingKind.LocalRead => "wrong local reads",
        FindingKind.MoneyMade => "sums that changed",
        FindingKind.Divergent => "divergent replicas",
        FindingKind.WrongDatabases => "databases that are there though dropped, or missing",
        FindingKind.Unexpected => "unexpected answers and ends",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string Describe((TimeSpan Time, string Faults) gap) =>
        string.Create(CultureInfo.InvariantCulture, $"{gap.Time.TotalSeconds:F2} s ({(gap.Faults.Length > 0 ? gap.Faults : "no fault under way when it ended")})");

    private int Of(string operation, Fate fate) => Statistics.Counts.GetValueOrDefault((operation, fate));

    private int Sum(Fate fate) => Statistics.Counts.Where(c => c.Key.Fate == fate).Sum(c => c.Value);
}
