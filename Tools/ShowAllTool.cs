using System.CommandLine;
using DistDb.Node.Api;

namespace DistDb.Tools;

/// <summary><c>distdb show-all</c>: shows every table of every replica, and says whether the replicas are identical.</summary>
public static class ShowAllTool
{
    /// <summary>More would not be a cluster, but a slip of the finger.</summary>
    private const int NodesBesideMasterMax = 99;

    public static Command Create()
    {
        var count = new Argument<int?>("count")
        {
            Description = "The number of nodes beside the master, as in 'distdb master <n>'; without it the cluster itself is asked",
            Arity = ArgumentArity.ZeroOrOne,
            CustomParser = result => IntegerOption.Parse(result, result.Tokens[0].Value, "<count>", 0, NodesBesideMasterMax),
        };
        var limit = IntegerOption.Create("--limit", "How many rows of each table to show; the comparison always covers all", "rows", 100, 0);

        var database = new Option<string?>("--database", "-d") { Description = "This database only [default: all]", HelpName = "name" };
        var table = new Option<string?>("--table", "-t") { Description = "This table only [default: all]", HelpName = "name" };
        var connection = new ConnectionOptions();
        var command = new Command(
            "show-all",
            """
            Show every table of every replica and say whether the replicas are identical

            Where they differ, the rows that are not the same everywhere are red on a terminal. Exits with 1 then.

            Examples:
              distdb show-all 2
              distdb show-all --url http://10.0.0.1:8080 --database shop --table orders --limit 20
            """) { count, limit, database, table };
        connection.AddTo(command);
        command.SetTool(async (parsed, cancellation) =>
        {
            var settings = connection.Read(parsed);
            var output = parsed.InvocationConfiguration.Output;
            using var json = settings.Json ? new JsonComparisonReport(output) : null;
            IComparisonReport report = json is not null ? json : new TextComparisonReport(ToolConsole.Create(output));
            using var client = settings.Connect();
            var replicas = await FindReplicasAsync(settings, parsed.GetValue(count), cancellation).ConfigureAwait(false);
            var part = (parsed.GetValue(database)?.ToLowerInvariant(), parsed.GetValue(table));
            return await RunAsync(client, replicas, part, parsed.GetValue(limit), report, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        ClusterClient client, IReadOnlyList<Replica> replicas, (string? Database, string? Table) part, int limit, IComparisonReport report, CancellationToken cancellation)
    {
        var statuses = await GetStatusesAsync(client, replicas, cancellation).ConfigureAwait(false);
        if (statuses.Count == 0)
        {
            throw new ToolException(
                $"No node of the cluster can be reached; {replicas[0].Name} ({replicas[0].Address.GetLeftPart(UriPartial.Authority)}) {replicas[0].Failure}.",
                ExitCode.Unreachable);
        }

        var databases = statuses
            .SelectMany(status => status.Databases.Select(database => database.Name))
            .Append("main")
            .Where(name => part.Database is null || name == part.Database)
            .ToHashSet(StringComparer.Ordinal);
        if (databases.Count == 0)
        {
            throw new ToolException($"There is no database {part.Database}; 'distdb shell -c .databases' lists them.", ExitCode.WrongUsage);
        }

        var result = await new ReplicaComparison(client, replicas, limit, part.Table)
            .RunAsync(databases, statuses.Max(status => status.AppliedIndex), report.Add, cancellation).ConfigureAwait(false);
        if (part.Table is not null && result is { TableCount: 0, Identical: true, GoodNews: true })
        {
            throw new ToolException($"There is no table {part.Table} in {(part.Database is null ? "any database" : $"the database {part.Database}")}.", ExitCode.WrongUsage);
        }

        report.Finish(result);
        return result.GoodNews ? ExitCode.Success : ExitCode.BadNews;
    }

    /// <summary>By their ports when a number of nodes is given and no address; by what the cluster says otherwise.</summary>
    private static async Task<IReadOnlyList<Replica>> FindReplicasAsync(ConnectionSettings settings, int? count, CancellationToken cancellation)
    {
        if (count is { } others && settings.Urls.Count == 0)
        {
            return [.. Enumerable.Range(0, others + 1).Select(id => new Replica(id, settings.NodeAt(id)))];
        }

        using var connection = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
        var cluster = await connection.AskAsync(node => connection.Client.GetClusterAsync(node, cancellation), cancellation).ConfigureAwait(false);
        if (count is { } expected && cluster.Nodes.Count != expected + 1)
        {
            throw new ToolException(
                $"The cluster has {cluster.Nodes.Count} nodes, not the {expected + 1} that a count of {expected} stands for; leave the count out to compare all.",
                ExitCode.BadNews);
        }

        return [.. cluster.Nodes.OrderBy(node => node.Id).Select(node => new Replica(node.Id, new(node.Address)))];
    }

    /// <summary>Asks every replica for its state, and marks those that cannot be compared.</summary>
    private static async Task<IReadOnlyList<NodeStatus>> GetStatusesAsync(
        ClusterClient client, IReadOnlyList<Replica> replicas, CancellationToken cancellation)
    {
        var statuses = await Task.WhenAll(replicas.Select(async replica =>
        {
            try
            {
                return await client.GetStatusAsync(replica.Address, cancellation).ConfigureAwait(false);
            }
            catch (NodeUnreachableException e)
            {
                replica.Failure = $"cannot be reached: {e.Reason}";
            }
            catch (NodeProblemException e)
            {
                replica.Failure = $"cannot be read: {e.Message.TrimEnd('.')}";
            }

            return null;
        })).ConfigureAwait(false);

        var clusterId = statuses.FirstOrDefault(status => status is not null)?.ClusterId;
        foreach (var (replica, status) in replicas.Zip(statuses).Where(pair => pair.Second is not null))
        {
            if (status!.Id != replica.Id)
            {
                replica.Failure = $"is node {status.Id} in truth; check the ports";
            }
            else if (status.ClusterId != clusterId)
            {
                replica.Failure = "belongs to another cluster";
            }
        }

        return [.. replicas.Zip(statuses).Where(pair => pair.First.Failure is null).Select(pair => pair.Second!)];
    }
}
