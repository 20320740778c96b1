using DistDb.Node.Database;

namespace DistDb.Node.Replication;

/// <summary>Finds the first rows in which two replicas' lists of a table differ. Lists may end early, and what is behind their end is unknown.</summary>
internal static class KeyComparison
{
    /// <summary>The first keys, in the order of the lists, of rows that only one of them has, or that are not the same.</summary>
    public static List<string> FirstDiffering(RowKeyList one, RowKeyList other, int countMax)
    {
        var positions = Positions(one);
        var otherPositions = Positions(other);
        List<(int Position, string Label)> found =
        [
            .. Differing(one, other, otherPositions),

            // A row that both have in different forms is named once.
            .. Differing(other, one, positions).Where(d => !positions.ContainsKey(d.Label)),
        ];
        return [.. found.OrderBy(d => d.Position).Select(d => d.Label).Distinct().Take(countMax)];
    }

    private static Dictionary<string, int> Positions(RowKeyList list)
    {
        var positions = new Dictionary<string, int>(list.Keys.Count);
        for (var i = 0; i < list.Keys.Count; i++)
        {
            positions.TryAdd(list.Keys[i].Label, i);
        }

        return positions;
    }

    /// <summary>Rows of a list that the other does not have in the same form, as far as the other list reaches.</summary>
    private static IEnumerable<(int Position, string Label)> Differing(RowKeyList list, RowKeyList other, Dictionary<string, int> otherPositions)
    {
        var others = other.Keys.ToHashSet();
        for (var i = 0; i < ReachOf(list, other.End, otherPositions); i++)
        {
            if (!others.Contains(list.Keys[i]))
            {
                yield return (i, list.Keys[i].Label);
            }
        }
    }

    /// <summary>How many rows of a list are surely covered by the other, which ends for some reason.</summary>
    private static int ReachOf(RowKeyList list, ListEnd otherEnd, Dictionary<string, int> otherPositions)
    {
        if (otherEnd == ListEnd.Complete)
        {
            return list.Keys.Count;
        }

        var reach = list.Keys.Count;
        while (reach > 0 && !otherPositions.ContainsKey(list.Keys[reach - 1].Label))
        {
            reach--;
        }

        // The first row behind damage is surely one that cannot be read there.
        return otherEnd == ListEnd.Damage ? Math.Min(reach + 1, list.Keys.Count) : reach;
    }
}
