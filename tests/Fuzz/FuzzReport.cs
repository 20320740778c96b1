using System.Globalization;
using System.Text;

namespace DistDb.Tests.Fuzz;

/// <summary>What came of a run of the fuzzer.</summary>
/// <param name="Seed">Reproduces it.</param>
/// <param name="Sent">Requests.</param>
/// <param name="Answers">How often each code came; <c>ok</c>, and <c>closed</c> for raw bytes that were not answered.</param>
/// <param name="Findings">What must not happen.</param>
internal sealed record FuzzReport(int Seed, int Sent, IReadOnlyDictionary<string, int> Answers, IReadOnlyList<string> Findings)
{
    private const int ShownMax = 20;

    public bool IsClean => Findings.Count == 0;

    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"seed           {Seed}");
        text.AppendLine(CultureInfo.InvariantCulture, $"sent           {Sent}");
        foreach (var (code, count) in Answers.OrderByDescending(a => a.Value))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {code,-20} {count}");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"findings       {Findings.Count}");
        foreach (var finding in Findings.Take(ShownMax))
        {
            text.AppendLine(finding);
        }

        return text.ToString();
    }
}
