using System.Diagnostics.CodeAnalysis;

namespace DistDb.Node.Raft;

/// <summary>Checks that stay on in every build: a node that finds one broken must stop before it does harm.</summary>
internal static class Invariant
{
    /// <exception cref="InvariantViolationException">The condition is false.</exception>
    public static void Check([DoesNotReturnIf(false)] bool condition, string rule)
    {
        if (!condition)
        {
            throw new InvariantViolationException(rule);
        }
    }
}

/// <summary>Something happened that the algorithm excludes: a bug, or storage that broke its promises. The node must stop.</summary>
public sealed class InvariantViolationException(string rule) : Exception("Broken invariant: " + rule);
