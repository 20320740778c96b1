using System.CommandLine;

namespace DistDb.Tools;

/// <summary><c>distdb promote</c>: makes another node the master.</summary>
public static class PromoteTool
{
    public static Command Create()
    {
        var id = MembersTool.NodeArgument("The node that is to change the schema from now on");
        var connection = new ConnectionOptions();
        var command = new Command("promote", """
            Make another node the master, the one that may change the schema

            Example:
              distdb promote 1 --url http://10.0.0.1:8080
            """) { id };
        connection.AddTo(command);
        command.SetTool(async (parsed, cancellation) =>
        {
            var settings = connection.Read(parsed);
            using var cluster = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
            var output = parsed.InvocationConfiguration.Output;
            var answer = await cluster.AskAsync(node => cluster.Client.PromoteAsync(node, parsed.GetValue(id), cancellation), cancellation).ConfigureAwait(false);
            await output.WriteLineAsync(settings.Json
                ? ToolJson.Write(answer, Node.Api.ApiJsonContext.Default.PromoteAnswer)
                : $"Node {answer.Master} is the master as of entry {answer.Index}.").ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }
}
