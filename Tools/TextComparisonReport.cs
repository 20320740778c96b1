using System.Globalization;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary>Tables for people, and a last line that says it all.</summary>
internal sealed class TextComparisonReport(IAnsiConsole console) : IComparisonReport
{
    private static readonly Style _good = new(Color.Green);
    private static readonly Style _bad = new(Color.Red);
    private static readonly Style _quiet = new(Color.Grey);
    private static readonly Style _heading = new(decoration: Decoration.Bold);

    public void Add(TableComparison table)
    {
        console.Line(table.Database == "main" ? $"Table {table.Table}" : $"Table {table.Table} of database {table.Database}", _heading);
        foreach (var content in table.Contents)
        {
            AddContent(content, table.Finding is { Kind: FindingKind.Rows } ? RowDifference.Find(content, table.Contents) : []);
        }

        console.WriteLine();
    }

    public void Finish(ComparisonResult result)
    {
        foreach (var replica in result.Replicas.Where(replica => replica.Failure is not null))
        {
            console.Line($"Node {replica.Id} ({replica.Address.GetLeftPart(UriPartial.Authority)}) {replica.Failure}.", _bad);
        }

        foreach (var finding in result.Findings)
        {
            var database = finding.Database == "main" || finding.Name is null ? "" : $" in database {finding.Database}";
            console.Line($"{(finding.Kind == FindingKind.Undecided ? "Not known" : "Different")}{database}: {finding.Detail.TrimEnd('.')}.", _bad);
        }

        console.Line(Summary(result), result.GoodNews ? _good : _bad);
    }

    private void AddContent(TableContent content, HashSet<int> different)
    {
        console.Line($"Node {content.Replica.Id}: {(content.RowCount is { } count ? Count(count, "row") : "number of rows not known")}", _quiet);
        if (content.Rows.Count > 0)
        {
            var table = ToolConsole.NewTable(content.Columns);
            for (var i = 0; i < content.Rows.Count; i++)
            {
                var style = different.Contains(i) ? _bad : null;
                table.AddRow(content.Rows[i].Select(value => new Text(ToolConsole.Show(value, quoted: false), style)));
            }

            console.Write(table);
        }

        if (content.RowCount - content.Rows.Count is > 0 and var more)
        {
            console.Line($"… and {Count(more, "more row")}", _quiet);
        }
    }

    private static string Summary(ComparisonResult result)
    {
        var compared = result.Compared.Count;
        var failed = result.Replicas.Count - compared;
        var without = failed == 0 ? "" : $"; {failed} of {Count(result.Replicas.Count, "node")} could not be compared";
        if (result.Findings.Any(finding => finding.Kind != FindingKind.Undecided))
        {
            return $"Replicas differ{without}.";
        }

        if (result.Findings.Count > 0)
        {
            return $"Cannot tell whether the replicas are identical{without}.";
        }

        if (compared <= 1)
        {
            return failed > 0
                ? $"Nothing to compare with: {(compared == 1 ? $"only node {result.Compared[0].Id} could be read" : "no node could be read to the end")}."
                : $"There is one replica: {What(result)}.";
        }

        return failed > 0
            ? $"Replicas of {Replica.NamesOf(result.Compared)} are identical{without}."
            : $"Replicas are identical: {Count(compared, "node")}, {What(result)}.";
    }

    private static string What(ComparisonResult result) =>
        $"{Count(result.TableCount, "table")}, {Count(result.RowCount, "row")}, at index " + (result.IndexMin == result.IndexMax
            ? $"{result.IndexMax}"
            : $"{result.IndexMin} to {result.IndexMax} (writes came in meanwhile)");

    private static string Count(long count, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {what}{(count == 1 ? "" : "s")}");
}
