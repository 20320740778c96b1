using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.AspNetCore.Http.Features;

namespace DistDb.Node.Api;

/// <summary>What the client of a request may do. A feature of its <see cref="HttpContext"/>, which <see cref="AccessControl"/> sets.</summary>
/// <param name="TokenName">What its token is called; null where no tokens are asked for.</param>
/// <param name="Role">What it may do.</param>
/// <param name="Databases">Where; empty for everywhere.</param>
internal sealed record ClientAccess(string? TokenName, TokenRole Role, IReadOnlyList<string> Databases)
{
    /// <summary>
    /// Asks again, after the request's data was read, whether its client may have it. Set where the client showed no token, for there may be some by then; what it
    /// writes is judged by the leader.
    /// </summary>
    public Func<Failure?>? Recheck { get; init; }

    /// <summary>Of whoever asks a node of a cluster without tokens.</summary>
    public static ClientAccess Unlimited { get; } = new(null, TokenRole.Admin, []);

    public static ClientAccess Of(StoredToken token) => new(token.Name, token.Role, token.Databases);

    /// <summary>Of a request that was let in.</summary>
    /// <exception cref="InvalidOperationException">It was not.</exception>
    public static ClientAccess Of(HttpContext context) => context.Features.GetRequiredFeature<ClientAccess>();

    /// <summary>Refuses what takes another role.</summary>
    /// <param name="needed">The role.</param>
    /// <param name="what">What takes it, as the beginning of a sentence: "To change rows".</param>
    /// <exception cref="RequestRejectedException">The client has less.</exception>
    public void Require(TokenRole needed, string what)
    {
        if (Role < needed)
        {
            throw new RequestRejectedException(TokenRoles.Refusal(what, needed, Role));
        }
    }

    /// <summary>Whether a database is the client's.</summary>
    public bool MayUse(string database) => Databases.Count == 0 || Databases.Contains(database);

    /// <summary>Refuses a database that is not the client's, or the cluster's own.</summary>
    /// <exception cref="RequestRejectedException">It is not.</exception>
    public void Require(DatabaseName database)
    {
        if (database.IsInternal)
        {
            throw new RequestRejectedException(DatabaseSet.NoSuchDatabase(database.Value));
        }

        if (!MayUse(database.Value))
        {
            throw new RequestRejectedException(new(
                FailureCode.Forbidden,
                $"This token is not good for the database \"{database}\", but for {string.Join(", ", Databases.Select(d => $"\"{d}\""))}. Nothing was done."));
        }
    }
}
