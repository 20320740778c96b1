namespace DistDb.Tests.Database;

/// <summary>A row of the README's table of what is not available.</summary>
/// <param name="Row">The row's first cell. What it names in backticks is refused; or allowed, where it stands behind "except".</param>
/// <param name="Statements">What falls under it; every name is in one of them.</param>
internal sealed record SqlRefusal(string Row, params string[] Statements)
{
    /// <summary>Whether a query is refused as well.</summary>
    public bool IsForReadsToo => !Row.StartsWith("in writes: ", StringComparison.Ordinal);
}
