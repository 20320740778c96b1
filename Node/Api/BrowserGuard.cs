using System.Net;
using DistDb.Node.Api.WebConsole;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>
/// Keeps the pages of other sites from using a node through the browser of somebody who can reach it. Browsers send what any page asks for, to the machine
/// they run on as well, and say in the header <c>Origin</c> which page that was; programs send none. A page whose own name was made to mean this machine
/// (DNS rebinding) is known by the header <c>Host</c>.
/// </summary>
/// <param name="origins">The cluster's own.</param>
internal sealed class BrowserGuard(ClusterOrigins origins)
{
    /// <summary>Why a request is not served, or null.</summary>
    /// <param name="request">Its headers.</param>
    /// <param name="isOpen">Whether the node asks for no token. One that a stranger's page cannot know protects whatever the node's name is.</param>
    public Failure? Refuse(HttpRequest request, bool isOpen)
    {
        // A page may always use the server that it came from, and whether that is us, Host tells.
        if (request.Headers.Origin is [{ } origin, ..] && !IsSame(origin, request) && !origins.Contains(origin))
        {
            return new(
                FailureCode.Forbidden,
                "The request comes from a web page that is not of this cluster (header Origin). Nothing was done; only programs and the cluster's own console may use a node.");
        }

        return isOpen && !IsOurs(request.Host.Host)
            ? new(
                FailureCode.Forbidden,
                "This node asks for no token, and so answers only to names of its own machine, such as localhost (header Host). Nothing was done; use such a name, or make a token with \"distdb token init\".")
            : null;
    }

    // With either scheme: a proxy in front of the node may speak TLS for it.
    private static bool IsSame(string origin, HttpRequest request) =>
        string.Equals(origin, $"http://{request.Host.Value}", StringComparison.OrdinalIgnoreCase)
        || string.Equals(origin, $"https://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);

    private bool IsOurs(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address))
        || origins.All.Any(o => string.Equals(new Uri(o).Host.Trim('[', ']'), host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase));
}
