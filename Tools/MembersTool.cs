using System.CommandLine;
using DistDb.Node.Api;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary><c>distdb members</c>: shows who belongs to the cluster, removes a node, or records that it has moved.</summary>
public static class MembersTool
{
    private const int NodeIdMax = 99;

    public static Command Create()
    {
        var connection = new ConnectionOptions();
        var command = new Command(
            "members",
            """
            Show who belongs to the cluster; exits with 1 when one of them cannot be reached

            Examples:
              distdb members --csv
              distdb members remove 3
              distdb members update 2 http://127.0.0.1:9002
            """);
        connection.AddTo(command, hasTable: true);
        command.SetTool((parsed, cancellation) => RunAsync(parsed, connection, (client, node) => client.GetMembersAsync(node, cancellation), cancellation));
        command.Add(CreateRemove());
        command.Add(CreateUpdate());
        return command;
    }

    /// <summary>A node's id as an argument.</summary>
    internal static Argument<int> NodeArgument(string description) => new("id")
    {
        Description = description,
        CustomParser = result => IntegerOption.Parse(result, result.Tokens[0].Value, "<id>", 0, NodeIdMax),
    };

    private static Command CreateRemove()
    {
        var id = NodeArgument("The node to remove");
        var connection = new ConnectionOptions();
        var command = new Command("remove", "Remove a node for good; it stops by itself if it runs") { id };
        connection.AddTo(command, hasTable: true);
        command.SetTool((parsed, cancellation) => RunAsync(
            parsed, connection, (client, node) => client.RemoveMemberAsync(node, parsed.GetValue(id), cancellation), cancellation));
        return command;
    }

    private static Command CreateUpdate()
    {
        var id = NodeArgument("The node that has moved");
        var address = new Argument<Uri>("address")
        {
            Description = "Where it is reached now, e.g. http://127.0.0.1:9001",
            CustomParser = result => ConnectionOptions.ParseUrl(result, result.Tokens[0].Value)!,
        };
        var connection = new ConnectionOptions();
        var command = new Command("update", "Record that a node is reached at another address") { id, address };
        connection.AddTo(command, hasTable: true);
        command.SetTool((parsed, cancellation) => RunAsync(
            parsed,
            connection,
            (client, node) => client.MoveMemberAsync(node, new(parsed.GetValue(id), parsed.GetValue(address)!.GetLeftPart(UriPartial.Authority)), cancellation),
            cancellation));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, ConnectionOptions connection, Func<ClusterClient, Uri, Task<MembersAnswer>> ask, CancellationToken cancellation)
    {
        var settings = connection.Read(parsed);
        using var cluster = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
        var answer = await cluster.AskAsync(node => ask(cluster.Client, node), cancellation).ConfigureAwait(false);
        var output = parsed.InvocationConfiguration.Output;
        if (settings.Json)
        {
            await output.WriteLineAsync(ToolJson.Write(answer, ApiJsonContext.Default.MembersAnswer)).ConfigureAwait(false);
        }
        else
        {
            Show(answer).Write(output, settings.Csv);
        }

        return answer.Members.All(m => m.Reachable) ? ExitCode.Success : ExitCode.BadNews;
    }

    private static ToolTable Show(MembersAnswer answer)
    {
        var table = new ToolTable("node", "address", "role", "suffrage", "reachable");
        foreach (var member in answer.Members)
        {
            table.Add($"{member.Id}", member.Address, member.Role, member.Suffrage, member.Reachable ? "yes" : new ToolCell("NO", Color.Red));
        }

        return table;
    }
}
