using System.Net;
using DistDb.Node.Raft;

namespace DistDb.Node;

/// <summary>Where a node, its files and the other nodes are, as the command line says it.</summary>
/// <param name="Id">The node.</param>
/// <param name="NodeCount">How many nodes there are beside node 0.</param>
/// <param name="Host">The address to listen on.</param>
/// <param name="BasePort">Node <c>i</c> listens on this plus <c>i</c>.</param>
/// <param name="DataFolder">The folder that holds <c>node-&lt;id&gt;</c>.</param>
/// <param name="Addresses">Where each node is reached, this one included.</param>
/// <param name="GivenAddresses">Those of them that were given one by one, and others that were.</param>
internal sealed record NodePlace(
    NodeId Id,
    int NodeCount,
    string Host,
    int BasePort,
    string DataFolder,
    IReadOnlyDictionary<NodeId, Uri> Addresses,
    IReadOnlyDictionary<NodeId, Uri> GivenAddresses)
{
    /// <summary>Whether only this machine reaches what listens on an address.</summary>
    /// <param name="host"><c>localhost</c> or an IP address.</param>
    public static bool IsLoopback(string host) => host == "localhost" || IPAddress.IsLoopback(IPAddress.Parse(host));
}
