namespace DistDb.Data;

/// <summary>SQLite's storage classes, as which parameters can be sent.</summary>
public enum DistDbType
{
    /// <summary>A signed integer of 64 bits.</summary>
    Integer = 1,

    /// <summary>A floating point number of 64 bits.</summary>
    Real = 2,

    /// <summary>Text.</summary>
    Text = 3,

    /// <summary>Bytes.</summary>
    Blob = 4,
}
