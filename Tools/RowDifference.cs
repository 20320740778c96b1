using DistDb.Node.Commands;

namespace DistDb.Tools;

/// <summary>Says in words where pages that should be the same first differ.</summary>
internal static class RowDifference
{
    /// <param name="pages">The same page of each replica, not all the same; each row has its key in front.</param>
    /// <param name="paging">Knows the keys.</param>
    /// <returns>A phrase that follows the table's name.</returns>
    public static string Describe(IReadOnlyList<(Replica Replica, RowsAnswer Answer)> pages, TablePaging paging)
    {
        var columns = pages.GroupBy(page => string.Join(", ", page.Answer.Columns.Skip(paging.KeyNames.Count)), page => page.Replica).ToArray();
        if (columns.Length > 1)
        {
            return "its columns are " + string.Join(" but ", columns.Select(group => $"{group.Key} on {Replica.NamesOf(group)}"));
        }

        var position = Enumerable.Range(0, pages.Max(page => page.Answer.Rows.Count)).First(i => DifferAt(pages, i));
        var rows = pages
            .Select(page => (page.Replica, Row: position < page.Answer.Rows.Count ? page.Answer.Rows[position] : null))
            .ToArray();
        var present = rows.Where(row => row.Row is not null).ToArray();
        var first = present.MinBy(row => row.Row![0].Kind == SqlValueKind.Integer ? row.Row[0].Integer : 0).Row!;
        var having = present.Where(row => paging.KeyOf(row.Row!).AsSpan().SequenceEqual(paging.KeyOf(first))).ToArray();
        if (having.Length == rows.Length)
        {
            return DescribeValues(rows!, pages[0].Answer.Columns, paging);
        }

        // Pages follow the key, so whoever is past the lowest one lacks it. Only of integers the lowest is known here.
        var others = rows.Except(having).ToArray();
        if (others.All(row => row.Row is null) || (paging.KeyNames.Count == 1 && present.All(row => row.Row![0].Kind == SqlValueKind.Integer)))
        {
            return $"the row with {paging.Show(first)} is missing on {Replica.NamesOf(others.Select(row => row.Replica))}";
        }

        return "where the keys go apart, the next row is " + string.Join(", ", rows.Select(row =>
            $"{(row.Row is null ? "none" : "that with " + paging.Show(row.Row))} on {row.Replica.Name}"));
    }

    /// <summary>Which of the rows shown of a replica are not the same on all others; those of which nobody can tell, since the others show less, are left out.</summary>
    /// <returns>Their positions.</returns>
    public static HashSet<int> Find(TableContent content, IEnumerable<TableContent> all)
    {
        var different = new HashSet<int>();
        foreach (var other in all.Where(one => one != content))
        {
            var shown = other.Rows.Select(Key).ToHashSet(StringComparer.Ordinal);
            var missing = Enumerable.Range(0, content.Rows.Count).Where(i => !shown.Contains(Key(content.Rows[i]))).ToArray();

            // Both are in the order of their keys: behind the last row that both show, the other's may just not be shown any more.
            var lastShared = Enumerable.Range(0, content.Rows.Count).Except(missing).DefaultIfEmpty(-1).Max();
            different.UnionWith(missing.Where(i => other.RowCount == other.Rows.Count || i < lastShared));
        }

        return different;

        static string Key(SqlValue[] row) => string.Join('\0', row.Select(value => $"{value.Kind}{value}"));
    }

    private static string DescribeValues(
        (Replica Replica, SqlValue[] Row)[] rows, IReadOnlyList<string> columns, TablePaging paging)
    {
        var column = Enumerable.Range(0, columns.Count).First(i => rows.Any(row => row.Row[i] != rows[0].Row[i]));
        var values = rows.GroupBy(row => row.Row[column], row => row.Replica);
        return $"{columns[column]} of the row with {paging.Show(rows[0].Row)} is " + string.Join(" but ", values.Select(group =>
            $"{ToolConsole.Show(group.Key, quoted: true)} on {Replica.NamesOf(group)}"));
    }

    private static bool DifferAt(IReadOnlyList<(Replica Replica, RowsAnswer Answer)> pages, int position)
    {
        var first = pages[0].Answer.Rows;
        return pages.Any(page => position >= page.Answer.Rows.Count || position >= first.Count
            || !page.Answer.Rows[position].AsSpan().SequenceEqual(first[position]));
    }
}
