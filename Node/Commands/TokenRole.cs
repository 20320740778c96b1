namespace DistDb.Node.Commands;

/// <summary>What a client may do. Each role includes those before it; the numbers are part of the log's format.</summary>
public enum TokenRole : byte
{
    /// <summary>Reads rows, and what the cluster says of itself.</summary>
    Read = 1,

    /// <summary>Changes rows as well.</summary>
    Write = 2,

    /// <summary>Changes the schema as well, where the master does.</summary>
    Schema = 3,

    /// <summary>Everything: databases, members, the master's role, verifications and tokens as well.</summary>
    Admin = 4,
}
