using DistDb.Node.Replication;

namespace DistDb.Node.Api.WebConsole;

/// <summary>
/// The origins, in the browsers' sense, from which pages may use this node: the addresses of the cluster's members, and of nobody else. A console that was
/// loaded from a node that has died goes on by them.
/// </summary>
internal sealed class ClusterOrigins(ClusterNode node)
{
    /// <summary>A loopback address has several names, and whoever types one of them means the same node.</summary>
    private static readonly string[] _loopbackHosts = ["localhost", "127.0.0.1", "[::1]"];

    /// <summary>All of them as of this moment, such as <c>http://127.0.0.1:8081</c>.</summary>
    public IEnumerable<string> All => node.Membership.Members.SelectMany(m => Of(node.AddressOf(m.Id))).Distinct();

    /// <summary>Whether a page from there may use this node.</summary>
    /// <param name="origin">As a browser sends it.</param>
    public bool Contains(string origin) => All.Contains(origin, StringComparer.OrdinalIgnoreCase);

    /// <summary>The origins that a member's address stands for; none for one that is empty or no address.</summary>
    /// <param name="address">Such as <c>http://127.0.0.1:8081</c>.</param>
    internal static IEnumerable<string> Of(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri))
        {
            return [];
        }

        return uri.IsLoopback
            ? _loopbackHosts.Select(host => new UriBuilder(uri.Scheme, host, uri.Port).Uri.GetLeftPart(UriPartial.Authority))
            : [uri.GetLeftPart(UriPartial.Authority)];
    }
}
