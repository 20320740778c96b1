using System.CommandLine;
using DistDb.Node.Api;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary><c>distdb verify</c>: has all nodes compare their content at one log entry, and shows what they found.</summary>
public static class VerifyTool
{
    /// <summary>Every node reads all it has.</summary>
    private const int SecondsMin = 180;

    public static Command Create()
    {
        var repair = new Option<bool>("--repair")
        {
            Description = "Nodes that differ from the majority, or whose files are damaged, replace their content by another node's",
        };
        var connection = new ConnectionOptions();
        var command = new Command("verify", """
            Have all nodes compare their content, table by table, at one entry of the log

            Exits with 1 when they differ, or when not all could take part.

            Examples:
              distdb verify
              distdb verify --repair
            """) { repair };
        connection.AddTo(command);
        command.SetTool(async (parsed, cancellation) =>
        {
            var settings = connection.Read(parsed);
            using var cluster = await ClusterConnection.OpenAsync(settings, cancellation, atLeast: TimeSpan.FromSeconds(SecondsMin)).ConfigureAwait(false);
            var output = parsed.InvocationConfiguration.Output;
            var request = new VerifyRequest { Repair = parsed.GetValue(repair) };
            var answer = await cluster.AskAsync(node => cluster.Client.VerifyAsync(node, request, cancellation), cancellation).ConfigureAwait(false);
            if (settings.Json)
            {
                await output.WriteLineAsync(ToolJson.Write(answer, ApiJsonContext.Default.VerificationStatus)).ConfigureAwait(false);
            }
            else
            {
                Show(ToolConsole.Create(output), answer);
            }

            return answer.Outcome == "equal" && answer.Nodes.All(n => n.Health == "healthy") ? ExitCode.Success : ExitCode.BadNews;
        });
        return command;
    }

    private static void Show(IAnsiConsole console, VerificationStatus answer)
    {
        foreach (var database in answer.Databases)
        {
            foreach (var table in database.Tables)
            {
                console.Line($"{database.Name}, table {table.Table}: {table.Detail}");
                foreach (var key in table.Keys)
                {
                    console.Line($"  {key}");
                }
            }
        }

        foreach (var node in answer.Nodes.Where(n => n.Health != "healthy"))
        {
            console.Line($"node {node.Id}: {node.Health}{(node.Damage is { } damage ? $" ({damage})" : "")}", new(Color.Red));
        }

        console.Line(Verdict(answer));
    }

    private static string Verdict(VerificationStatus answer)
    {
        var isDamaged = answer.Nodes.Any(n => n.Health == "damaged");
        var next = answer.Repair ? "They replace their content now; see GET /status." : "Run it with --repair to have them replace their content.";
        return answer.Outcome switch
        {
            "equal" when !isDamaged => $"All {answer.Nodes.Count} replicas are equal at entry {answer.Index} ({answer.DurationMs} ms).",
            "equal" => $"The replicas are equal at entry {answer.Index}, but not all files are sound. {next}",
            "incomplete" => $"The replicas that reported are equal at entry {answer.Index}. Verify again when all nodes are up.",
            "differs" => $"The replicas differ at entry {answer.Index}. {next}",
            _ => $"The replicas differ at entry {answer.Index}, and no majority agrees, so nothing was touched. Look at their files before you choose one to go on from.",
        };
    }
}
