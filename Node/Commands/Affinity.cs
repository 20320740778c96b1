namespace DistDb.Node.Commands;

/// <summary>What a column of a declared type makes of values (datatype3, "Determination Of Column Affinity").</summary>
internal enum Affinity
{
    Integer,
    Text,
    Blob,
    Real,
    Numeric,
}

/// <summary>SQLite's rule for it.</summary>
internal static class Affinities
{
    /// <param name="declared">The type as it was declared; empty for none.</param>
    public static Affinity Of(string declared)
    {
        return Has("INT") ? Affinity.Integer
            : Has("CHAR") || Has("CLOB") || Has("TEXT") ? Affinity.Text
            : Has("BLOB") || declared.Length == 0 ? Affinity.Blob
            : Has("REAL") || Has("FLOA") || Has("DOUB") ? Affinity.Real
            : Affinity.Numeric;

        bool Has(string part) => declared.Contains(part, StringComparison.OrdinalIgnoreCase);
    }
}
