namespace DistDb.Node.Commands;

/// <summary>Names of roles, and what is said to somebody whose role does not do.</summary>
public static class TokenRoles
{
    /// <summary>All of them, from the least.</summary>
    public static IReadOnlyList<TokenRole> All { get; } = [TokenRole.Read, TokenRole.Write, TokenRole.Schema, TokenRole.Admin];

    /// <summary>The name that users know.</summary>
    public static string NameOf(TokenRole role) => role switch
    {
        TokenRole.Read => "read",
        TokenRole.Write => "write",
        TokenRole.Schema => "schema",
        TokenRole.Admin => "admin",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, null),
    };

    /// <summary>The role of that name, or null where there is none.</summary>
    public static TokenRole? Find(string name) => All.Cast<TokenRole?>().FirstOrDefault(r => NameOf(r!.Value) == name);

    /// <summary>Why something is not done for a client.</summary>
    /// <param name="what">What takes a role, as the beginning of a sentence: "To change rows".</param>
    /// <param name="needed">The role that it takes.</param>
    /// <param name="had">The client's.</param>
    public static Failure Refusal(string what, TokenRole needed, TokenRole had) => new(
        FailureCode.Forbidden,
        $"{what} takes a token with the role \"{NameOf(needed)}\"; this one has \"{NameOf(had)}\". Nothing was done.");
}
