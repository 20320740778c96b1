using System.Globalization;
using DistDb.Node.Api;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary>How a cluster is, in the words of people.</summary>
/// <param name="Status">As one node sees it.</param>
/// <param name="Nodes">How each node is.</param>
/// <param name="Text">All of it in a sentence or two.</param>
/// <param name="IsGood">Whether every node serves, and a majority of voters is there.</param>
internal sealed record ClusterSummary(ClusterStatus Status, IReadOnlyList<(ClusterMemberStatus Node, string Health)> Nodes, string Text, bool IsGood)
{
    private const string Up = "up";

    private long CommitIndex => Status.Nodes.Max(node => node.Status?.CommitIndex ?? 0);

    public static ClusterSummary Of(ClusterStatus status)
    {
        var nodes = status.Nodes.OrderBy(node => node.Id).Select(node => (node, HealthOf(node))).ToArray();
        var voters = nodes.Where(node => node.node.Suffrage == "voter").ToArray();
        var present = voters.Count(voter => voter.node.Reachable);
        var hasMajority = present > voters.Length / 2 && status.Leader is not null;
        var bad = nodes.Where(node => node.Item2 != Up).ToArray();
        var text = hasMajority ? $"Node {status.Leader} leads, node {status.Master} is the master. "
            : present > voters.Length / 2 ? "There is no leader now: writes and strong reads wait for one. "
            : string.Create(CultureInfo.InvariantCulture, $"Only {present} of {voters.Length} voters can be reached from node {status.Node}, which is no majority: writes and strong reads wait. ");
        text += bad.Length == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{(nodes.Length == 1 ? "The only node is" : $"All {nodes.Length} nodes are")} up.")
            : string.Join(" ", bad.Select(node => $"Node {node.node.Id} is {node.Item2}."));
        return new(status, nodes, text, hasMajority && bad.Length == 0);
    }

    public ToolTable ToTable()
    {
        var table = new ToolTable("id", "address", "role", "raft", "health", "applied", "lag", "last contact ms", "writes", "reads", "version");
        foreach (var (node, health) in Nodes)
        {
            var told = node.Status;
            table.Add(
                Number(node.Id),
                node.Address,
                node.Suffrage == "voter" ? node.Role : $"{node.Role} ({node.Suffrage})",
                node.Id == Status.Leader ? "leader" : told is { RaftRole: not "leader" } && node.Reachable ? told.RaftRole : "",
                new(health, health == Up ? Color.Green : Color.Red),
                Number(told?.AppliedIndex),
                Number(told is null ? null : Math.Max(0, CommitIndex - told.AppliedIndex)),
                node.LastContactMs is { } ms ? Number(ms) : "never",
                Number(told?.Counters.Writes),
                Number(told?.Counters.Reads),
                told?.Versions.Distdb ?? "");
        }

        return table;
    }

    private static string HealthOf(ClusterMemberStatus node) => node switch
    {
        { Reachable: false } => "DOWN",
        { Status: null } => Up,
        { Status.Repair: not null } => "repairing",
        { Status.Snapshot: { } snapshot } => string.Create(CultureInfo.InvariantCulture, $"fetching a copy ({100 * snapshot.ArrivedBytes / Math.Max(1, snapshot.TotalBytes)}%)"),
        { Status.Ready: false } => "not ready",
        _ => Up,
    };

    private static string Number(long? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";
}
