using System.Globalization;
using System.Text;

namespace DistDb.Tests.Overload;

/// <summary>What a cluster did that was asked for more than it can do.</summary>
/// <param name="Acknowledged">Writes answered with 200.</param>
/// <param name="Answers">All answers by their code, and broken connections.</param>
/// <param name="Lost">Acknowledged writes that are not there.</param>
/// <param name="Doubled">Writes that are there more than once.</param>
/// <param name="Unasked">Writes that are there though they were refused.</param>
/// <param name="PeakMemoryBytes">For each node the most that was resident.</param>
/// <param name="DeadNodes">Nodes that have ended.</param>
/// <param name="RecoveryTime">How long after the last answer a write through each node had succeeded.</param>
internal sealed record OverloadReport(
    int Acknowledged,
    IReadOnlyDictionary<string, int> Answers,
    int Lost,
    int Doubled,
    int Unasked,
    IReadOnlyList<long> PeakMemoryBytes,
    IReadOnlyList<int> DeadNodes,
    TimeSpan RecoveryTime)
{
    /// <summary>Whether every promise was kept; what the memory may be is for the caller to say.</summary>
    public bool IsClean => Lost == 0 && Doubled == 0 && Unasked == 0 && DeadNodes.Count == 0 && Acknowledged > 0;

    public override string ToString()
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"acknowledged   {Acknowledged}");
        foreach (var (code, count) in Answers.OrderByDescending(a => a.Value))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {code,-20} {count}");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"lost           {Lost}");
        text.AppendLine(CultureInfo.InvariantCulture, $"doubled        {Doubled}");
        text.AppendLine(CultureInfo.InvariantCulture, $"done unasked   {Unasked}");
        text.AppendLine(CultureInfo.InvariantCulture, $"peak memory    {string.Join(", ", PeakMemoryBytes.Select(b => $"{b >> 20} MiB"))}");
        text.AppendLine(CultureInfo.InvariantCulture, $"dead nodes     {(DeadNodes.Count == 0 ? "none" : string.Join(", ", DeadNodes))}");
        text.AppendLine(CultureInfo.InvariantCulture, $"recovered in   {RecoveryTime.TotalMilliseconds:0} ms");
        return text.ToString();
    }
}
