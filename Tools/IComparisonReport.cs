namespace DistDb.Tools;

/// <summary>Prints a comparison while it runs: for people or for programs.</summary>
internal interface IComparisonReport
{
    /// <summary>One table was compared.</summary>
    void Add(TableComparison table);

    /// <summary>All is compared.</summary>
    void Finish(ComparisonResult result);
}
