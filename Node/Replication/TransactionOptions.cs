using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Replication;

/// <summary>What a client's interactive transaction is.</summary>
public sealed record TransactionOptions
{
    /// <summary>The database.</summary>
    public string Database { get; init; } = "main";

    /// <summary>How it begins.</summary>
    public TransactionMode Mode { get; init; }

    /// <summary>What its client may do.</summary>
    public TokenRole Role { get; init; } = TokenRole.Admin;

    /// <summary>Who sent it: an IP address.</summary>
    public string? Client { get; init; }

    /// <summary>The name of its token, or null.</summary>
    public string? Token { get; init; }

    /// <summary>Whether foreign keys are not enforced in it.</summary>
    public bool WithoutForeignKeys { get; init; }
}
