using System.Text.RegularExpressions;
using DistDb.Tests.Support;

namespace DistDb.Tests.Architecture;

/// <summary>
/// One assembly enforces no layers, so this does: which folder's code may name which folder's namespace. It reads the source, `using` lines and
/// qualified names alike; what it cannot see is a name that is only partly qualified (`Storage.X` within `DistDb.Node`).
/// </summary>
public sealed partial class LayeringTests
{
    /// <summary>What each folder may use besides itself. Whoever adds a folder says here what it may use.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        // A node's settings and the wiring of its parts.
        ["Node"] = ["Node/Raft", "Node/Storage", "Node/Telemetry", "Node/Tls", "Node/Transport", "Node/Database", "Node/Replication", "Node/Recovery", "Node/Archive", "Node/Backups", "Node/Api", "Master"],
        ["Node/Raft"] = [],
        ["Node/Commands"] = [],
        ["Node/Storage"] = ["Node/Raft", "Node/Telemetry"],
        ["Node/Telemetry"] = [],
        ["Node/Tls"] = [],
        ["Node/Transport"] = ["Node/Raft", "Node/Commands", "Node/Tls"],
        ["Node/Database"] = ["Node/Commands"],
        ["Node/Archive"] = ["Node/Raft", "Node/Commands", "Node/Storage", "Node/Database"],
        ["Node/Replication"] = ["Node/Raft", "Node/Commands", "Node/Storage", "Node/Transport", "Node/Database", "Node/Archive", "Node/Telemetry"],
        ["Node/Recovery"] = ["Node/Raft", "Node/Commands", "Node/Storage", "Node/Database", "Node/Replication"],
        ["Node/Backups"] = ["Node/Commands", "Node/Database", "Node/Replication"],
        // Of Raft only its numbers (NodeId, LogIndex, Role), which become plain ones on the wire.
        ["Node/Api"] = ["Master", "Node/Replication", "Node/Backups", "Node/Database", "Node/Commands", "Node/Raft", "Node/Telemetry", "Node/Tls"],
        ["Master"] = ["Node/Replication", "Node/Commands"],
        // Of storage only the cluster secret's file; of the archive what needs no node.
        ["Tools"] = ["Node/Api", "Node/Commands", "Node/Storage", "Node/Tls", "Node/Archive"],
    };

    private static readonly string[] Tops = ["Node", "Master", "Tools"];
    private static readonly string Root = Repository.Root;

    [Fact]
    public void Every_folder_uses_only_what_it_may()
    {
        var breaches = new List<string>();
        foreach (var (path, folder) in SourceFiles())
        {
            breaches.AddRange(Breaches(folder, File.ReadAllText(path)).Select(b => $"{Path.GetRelativePath(Root, path)}: {b}"));
        }

        breaches.Should().BeEmpty("arrows between folders are decided in one place");
    }

    [Theory]
    [InlineData("Node/Raft", "using DistDb.Node.Raft;", true)]
    [InlineData("Node/Raft", "using DistDb.Node.Commands;", false)]
    [InlineData("Node/Raft", "global using DistDb.Node.Commands;", false)]
    [InlineData("Node/Commands", "using static DistDb.Node.Raft.Quorum;", false)]
    [InlineData("Node/Commands", "using Core = DistDb.Node.Raft.RaftNode;", false)]
    [InlineData("Node/Commands", "var x = DistDb.Node.Raft.Term.Zero;", false)]
    [InlineData("Node/Commands", "var x = global::DistDb.Node.Raft.Term.Zero;", false)]
    [InlineData("Node/Commands", "var x = Node.Raft.Term.Zero;", false)]
    [InlineData("Node/Commands", "// var x = DistDb.Node.Raft.Term.Zero;", true)]
    [InlineData("Node/Commands", "/* DistDb.Node.Raft */ /// <see cref=\"DistDb.Node.Raft.Term\"/>", true)]
    [InlineData("Node/Transport", "using DistDb.Node.Raft; using DistDb.Node.Commands;", true)]
    [InlineData("Node/Storage", "using DistDb.Node.Commands;", false)]
    [InlineData("Tools", "using DistDb.Node.Api.Wire;", true)]
    [InlineData("Tools", "using DistDb.Node.Replication;", false)]
    [InlineData("Node/Replication", "using DistDb.Master;", false)]
    [InlineData("Master", "using DistDb.Node.Replication;", true)]
    [InlineData("Node/NotThere", "", false)]
    public void The_rule_itself_works(string folder, string code, bool isAllowed)
    {
        Breaches(folder, code).Any().Should().Be(!isAllowed);
    }

    private static IEnumerable<string> Breaches(string folder, string code)
    {
        if (!MayUse.TryGetValue(folder, out var mayUse))
        {
            return [$"{folder} is not in the table of {nameof(LayeringTests)}: say what it may use"];
        }

        return Names().Matches(Comments().Replace(code, ""))
            .Select(m => m.Groups["folder"].Value.Replace('.', '/'))
            .Where(used => used != folder && !mayUse.Contains(used))
            .Distinct()
            .Select(used => $"{folder} may not use {used}");
    }

    private static IEnumerable<(string Path, string Folder)> SourceFiles() =>
        from top in Tops
        let directory = Path.Combine(Root, top)
        where Directory.Exists(directory)
        from path in Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
        let parts = Path.GetRelativePath(Root, path).Split(Path.DirectorySeparatorChar)
        where !parts.Contains("node_modules")
        select (path, top == "Node" ? string.Join('/', parts[..^1].Take(2)) : top);

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"(?<![\w.])(?:global::)?(?:DistDb\.)?(?<folder>Node\.[A-Z]\w*)|(?<![\w.])(?:global::)?DistDb\.(?<folder>Master|Tools)\b")]
    private static partial Regex Names();
}
