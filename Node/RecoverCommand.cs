using System.CommandLine;
using DistDb.Node.Raft;
using DistDb.Node.Recovery;
using DistDb.Node.Storage;

namespace DistDb.Node;

/// <summary>
/// The command <c>recover &lt;id&gt; &lt;n&gt; --force</c>, for when the majority is lost for good: makes a stopped node the only member of a new cluster.
/// It says what it found, and asks before it changes anything.
/// </summary>
internal static class RecoverCommand
{
    /// <param name="read">Reads what is common to all nodes' commands.</param>
    /// <param name="options">The options for that.</param>
    /// <param name="id">The node.</param>
    /// <param name="count">How many nodes there were at first beside the master.</param>
    public static Command Create(Func<ParseResult, NodePlace> read, IEnumerable<Option> options, Argument<int> id, Argument<int> count)
    {
        var force = new Option<bool>("--force") { Description = "Needed, as a sign that you know that the other nodes are lost for good." };
        var yes = new Option<bool>("--yes") { Description = "Do not ask." };
        var command = new Command(
            "recover", "After the majority is lost for good: make this stopped node the only member of a new cluster.") { id, count, force, yes };
        foreach (var option in options)
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            try
            {
                return Run(read(parsed), parsed.GetValue(force), parsed.GetValue(yes), output, error);
            }
            catch (SettingsException e)
            {
                error.WriteLine(e.Message);
                return 2;
            }
        });
        return command;
    }

    /// <summary>Exit code 0 when it is done, 1 when it is not, 2 on wrong usage.</summary>
    private static int Run(NodePlace place, bool isForced, bool isConfirmed, TextWriter output, TextWriter error)
    {
        var path = NodeFolder.PathOf(place.DataFolder, place.Id);
        if (!Directory.Exists(path))
        {
            error.WriteLine($"There is no folder {path}. Give the id and the data folder (--data) of a node that was part of the cluster.");
            return 2;
        }

        try
        {
            PrivateFiles.MakeFromNowOn();
            var folder = new NodeFolder(place.DataFolder, place.Id);
            var found = ClusterRecovery.Inspect(folder);
            Describe(found, place, output);
            if (!isForced)
            {
                error.WriteLine("Nothing was changed. If the other nodes are lost for good, add --force.");
                return 2;
            }

            if (!isConfirmed && !Confirm(place.Id, output))
            {
                error.WriteLine("Nothing was changed.");
                return 1;
            }

            var initial = Membership.OfVoters(place.Addresses.Keys);
            var done = ClusterRecovery.Recover(folder, place.Addresses[place.Id].GetLeftPart(UriPartial.Authority), initial);
            output.WriteLine($"Node {place.Id} is the only member and the master of the new cluster {done.NewClusterId}. Start it as before.");
            output.WriteLine("Then start each other node, with what it still has or with nothing, once with --rebuild and --join <address of this node>.");
            return 0;
        }
        catch (Exception e) when (e is NodeLockedException or RaftStorageException or Database.StorageFailedException or IOException or UnauthorizedAccessException)
        {
            error.WriteLine(e.Message);
            return 1;
        }
    }

    private static void Describe(RecoverySummary found, NodePlace place, TextWriter output)
    {
        var others = (found.OldMembership ?? Membership.OfVoters(place.Addresses.Keys)).Members.Where(m => m.Id != found.Node).ToList();
        output.WriteLine($"Node {found.Node} in {NodeFolder.PathOf(place.DataFolder, place.Id)}");
        output.WriteLine($"  cluster     {(found.OldClusterId is { } id ? id.ToString() : "not known")}");
        output.WriteLine($"  its log     ends at entry {found.LastIndex} of term {found.LastTerm}");
        output.WriteLine($"  its data    is at entry {found.AppliedIndex}; the recovery applies the rest, acknowledged or not");
        output.WriteLine($"  given up    {(others.Count == 0 ? "nobody" : string.Join(", ", others.Select(o => $"node {o.Id} {o.Address}".TrimEnd())))}");
        output.WriteLine("What the others acknowledged and this node did not get is lost. Of several survivors recover the one whose log has the highest term, and of those the highest entry.");
    }

    private static bool Confirm(NodeId id, TextWriter output)
    {
        output.Write($"Type \"node {id}\" to go on: ");
        output.Flush();
        return Console.In.ReadLine()?.Trim() == $"node {id}";
    }
}
