namespace DistDb.Tools;

/// <summary>
/// A cluster as a tool speaks to it: the nodes that are known, and the one in use. While a node answers, the others are learnt from it; when it
/// does not, the others are asked, and the first that answers is in use from then on. For one task at a time.
/// </summary>
internal sealed class ClusterConnection : IDisposable
{
    private readonly ConnectionSettings _settings;
    private List<Uri> _nodes;

    private ClusterConnection(ConnectionSettings settings, ClusterClient client, Uri current)
    {
        _settings = settings;
        Client = client;
        Current = current;
        _nodes = [current];
    }

    public ClusterClient Client { get; }

    /// <summary>The node in use: it answered last.</summary>
    public Uri Current { get; private set; }

    /// <summary>Whatever is known to be a node of the cluster, or was said to be one; the one in use among them.</summary>
    public IReadOnlyList<Uri> Nodes => _nodes;

    /// <summary>Told when another node is in use than before.</summary>
    public Action<Uri>? Moved { get; set; }

    /// <summary>Finds a node that answers: one that the user named, or else the first of those at the usual ports.</summary>
    /// <param name="settings">Where to look.</param>
    /// <param name="atLeast">For requests that may take longer than others.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="NodeException">None answered; the first one's failure.</exception>
    public static async Task<ClusterConnection> OpenAsync(ConnectionSettings settings, CancellationToken cancellation, TimeSpan atLeast = default)
    {
        var client = settings.Connect(atLeast);
        try
        {
            var node = await settings.FindNodeAsync(client, cancellation).ConfigureAwait(false);
            var connection = new ClusterConnection(settings, client, node);
            await connection.LearnAsync(cancellation).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Asks the node in use who belongs to the cluster.</summary>
    public async Task LearnAsync(CancellationToken cancellation)
    {
        IEnumerable<Uri> members = [];
        try
        {
            var answer = await Client.GetMembersAsync(Current, cancellation).ConfigureAwait(false);
            members = answer.Members.Select(member => new Uri(member.Address));
        }
        catch (NodeException)
        {
            // One that asks for another token, or is starting, tells nothing: what the user named is known all the same.
        }

        // The token goes to no node by plain http whose cluster was reached by https.
        _nodes = [.. new[] { Current }.Concat(_settings.Urls).Concat(members.Where(node => node.Scheme == Current.Scheme))
            .DistinctBy(PlaceOf, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Where a node is, by whatever name: users say localhost where nodes say 127.0.0.1.</summary>
    private static string PlaceOf(Uri node) => node.IsLoopback ? $"localhost:{node.Port}" : node.Authority;

    /// <summary>Uses another node from now on.</summary>
    public void Use(Uri node) => Current = node;

    /// <summary>
    /// Asks the node in use, and where it does not answer, the others; what only the master may do, is asked of the master where a node says so.
    /// Only for what may be asked twice (see <see cref="Failover"/>).
    /// </summary>
    /// <param name="ask">Sends the request to a node.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="patience">How long to go on when none answers.</param>
    /// <exception cref="NodeException">There is no answer.</exception>
    public async Task<T> AskAsync<T>(Func<Uri, Task<T>> ask, CancellationToken cancellation, TimeSpan patience = default)
    {
        try
        {
            var first = Math.Max(0, _nodes.FindIndex(node => node.Authority == Current.Authority));
            var (node, answer) = await Failover.AskAsync(_nodes, first, patience, ask, cancellation).ConfigureAwait(false);
            if (node != Current)
            {
                Current = node;
                Moved?.Invoke(node);
            }

            return answer;
        }
        catch (NodeProblemException e) when (e is { Code: "not_master", Master: not null })
        {
            return await AskMasterAsync(e, ask, patience, cancellation).ConfigureAwait(false);
        }
    }

    public void Dispose() => Client.Dispose();

    private static async Task<T> AskMasterAsync<T>(NodeProblemException refusal, Func<Uri, Task<T>> ask, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            return (await Failover.AskAsync([refusal.Master!], 0, patience, ask, cancellation).ConfigureAwait(false)).Answer;
        }
        catch (NodeUnreachableException e)
        {
            throw new NodeProblemException(
                refusal.Node, refusal.Status, refusal.Code,
                $"This is the master's, and the master at {e.Message}. Wait until it is back, or make another node the master with 'distdb promote <id>'.", null);
        }
    }
}
