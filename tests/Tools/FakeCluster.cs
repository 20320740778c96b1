using System.CommandLine;
using DistDb.Tools;
using DistDb.Tools.Bench;
using DistDb.Tools.Shell;

namespace DistDb.Tests.Tools;

/// <summary>How a tool ended.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>The line that says it all.</summary>
    public string LastLine => Output.TrimEnd().Split('\n')[^1];
}

/// <summary>A few fake nodes that know of each other, and the tools to try on them.</summary>
internal sealed class FakeCluster : IAsyncDisposable
{
    private FakeCluster(IReadOnlyList<FakeNode> nodes) => Nodes = nodes;

    public IReadOnlyList<FakeNode> Nodes { get; }

    public static async Task<FakeCluster> StartAsync(int count)
    {
        var nodes = await Task.WhenAll(Enumerable.Range(0, count).Select(FakeNode.StartAsync));
        foreach (var node in nodes)
        {
            node.Cluster = nodes;
        }

        return new(nodes);
    }

    public void ExecuteEverywhere(string sql)
    {
        foreach (var node in Nodes)
        {
            node.Execute(sql);
        }
    }

    /// <summary>Runs a tool with <c>--url</c> of the last node.</summary>
    public Task<ToolResult> RunAsync(params string[] arguments) => RunToolAsync([.. arguments, "--url", Nodes[^1].Address]);

    public static async Task<ToolResult> RunToolAsync(params string[] arguments)
    {
        var root = new RootCommand { ShowAllTool.Create(), SendDummyTool.Create(), MembersTool.Create(), StatusTool.Create(), ShellTool.Create(), BenchTool.Create() };
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await ToolRunner.InvokeAsync(root, arguments, new() { Output = output, Error = error });
        return new(exitCode, output.ToString(), error.ToString());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }
    }
}
