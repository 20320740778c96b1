using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>
/// Who may use an address. Every route says it (<see cref="AccessRuleExtensions"/>); one that does not is closed to everybody, and fails a test.
/// </summary>
/// <param name="Needed">The role that it takes at least, whatever more what is asked of it takes; null where it is open.</param>
internal sealed record AccessRule(TokenRole? Needed);

internal static class AccessRuleExtensions
{
    /// <summary>Only clients with this role, or more, may use it.</summary>
    public static T Needs<T>(this T route, TokenRole role)
        where T : IEndpointConventionBuilder => route.WithMetadata(new AccessRule(role));

    /// <summary>Everybody may use it, known or not.</summary>
    public static T IsOpenToAll<T>(this T route)
        where T : IEndpointConventionBuilder => route.WithMetadata(new AccessRule(Needed: null));
}
