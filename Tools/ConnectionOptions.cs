using System.CommandLine;
using System.CommandLine.Parsing;
using DistDb.Node.Api;
using DistDb.Node.Tls;

namespace DistDb.Tools;

/// <summary>
/// The options that every tool takes: which cluster, and how to answer. Each has an environment variable, which the command line
/// overrides, so that a shell set up once serves every tool.
/// </summary>
internal sealed class ConnectionOptions
{
    /// <summary>Ports above this cannot be.</summary>
    private const int PortMax = 65_535;

    private readonly Option<Uri[]> _url = new("--url")
    {
        Description = "Any node of the cluster, e.g. http://127.0.0.1:8081, or several with commas between; the others are learnt from it [DISTDB_URL; default: those from --host and --base-port on]",
        HelpName = "url",
        CustomParser = result => ParseUrls(result, result.Tokens[0].Value),
        DefaultValueFactory = result => Environment("DISTDB_URL") is { } url ? ParseUrls(result, url) : [],
    };

    private readonly Option<string> _host = new("--host")
    {
        Description = "Where the nodes listen, when no --url is given [DISTDB_HOST]",
        HelpName = "host",
        DefaultValueFactory = _ => Environment("DISTDB_HOST") ?? "127.0.0.1",
    };

    private readonly Option<int> _basePort = IntegerOption.Create(
        "--base-port", "The port of node 0, when no --url is given [DISTDB_BASE_PORT]", "port", 8080, 1, PortMax, "DISTDB_BASE_PORT");

    private readonly Option<int> _timeout = IntegerOption.Create(
        "--timeout", "How many seconds a node may take to answer one request", "seconds", 30, 1, 3600);

    private readonly Option<string?> _tokenFile = new("--token-file")
    {
        Description = "File with the token to show, where the cluster asks for one [DISTDB_TOKEN_FILE, or the token itself in DISTDB_TOKEN]",
        HelpName = "file",
        DefaultValueFactory = _ => Environment("DISTDB_TOKEN_FILE"),
    };

    private readonly Option<string?> _ca = new("--ca")
    {
        Description = "PEM file with the only CAs by which the nodes' certificates are judged; without --url nodes are asked by https then [DISTDB_CA; default: those that the operating system trusts]",
        HelpName = "file",
        DefaultValueFactory = _ => Environment("DISTDB_CA"),
    };

    private readonly Option<bool> _json = new("--json") { Description = "Answer in JSON, for programs" };

    private readonly Option<bool> _csv = new("--csv") { Description = "Answer in CSV: a line of names, then one for each row" };

    /// <param name="command">Gets the options.</param>
    /// <param name="hasTable">Whether its answer is one table, which <c>--csv</c> may ask for.</param>
    public void AddTo(Command command, bool hasTable = false)
    {
        foreach (var option in new Option[] { _url, _host, _basePort, _ca, _tokenFile, _timeout, _json })
        {
            command.Add(option);
        }

        if (hasTable)
        {
            command.Add(_csv);
            command.Validators.Add(result =>
            {
                if (result.GetValue(_json) && result.GetValue(_csv))
                {
                    result.AddError("Choose one of --json and --csv.");
                }
            });
        }
    }

    public ConnectionSettings Read(ParseResult parsed) => new(
        parsed.GetValue(_url)!, Reachable(parsed.GetValue(_host)!), parsed.GetValue(_basePort),
        TimeSpan.FromSeconds(parsed.GetValue(_timeout)), parsed.GetValue(_json), ReadToken(parsed.GetValue(_tokenFile)), ReadTrust(parsed.GetValue(_ca)))
    {
        Csv = parsed.GetValue(_csv),
    };

    private static Uri[] ParseUrls(ArgumentResult result, string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(url => ParseUrl(result, url)).OfType<Uri>()];

    /// <summary>The address of a node; reports what is none.</summary>
    internal static Uri? ParseUrl(ArgumentResult result, string text)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps))
        {
            return url;
        }

        result.AddError($"'{text}' is not the address of a node; one looks like http://127.0.0.1:8080.");
        return null;
    }

    private static CertificateTrust? ReadTrust(string? file)
    {
        try
        {
            return file is { Length: > 0 } ? CertificateTrust.Read(file) : null;
        }
        catch (InvalidDataException e)
        {
            throw new ToolException(e.Message, ExitCode.WrongUsage);
        }
    }

    /// <summary>There is no option for the token itself: every user of the machine sees the arguments of a process (docs/adr/0011).</summary>
    private static string? ReadToken(string? file)
    {
        const string Variable = "DISTDB_TOKEN";
        try
        {
            return file is { Length: > 0 } ? BearerToken.Parse(File.ReadAllText(file), file)
                : Environment(Variable) is { } token ? BearerToken.Parse(token, Variable)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ToolException(e.Message, ExitCode.WrongUsage);
        }
    }

    private static string? Environment(string name) =>
        System.Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>A node that listens on every address is reached on this machine's own.</summary>
    private static string Reachable(string host) => host switch
    {
        "*" or "+" or "0.0.0.0" => "127.0.0.1",
        "::" or "[::]" => "[::1]",
        _ when host.Contains(':', StringComparison.Ordinal) && host[0] != '[' => $"[{host}]",
        _ => host,
    };
}

/// <summary>The values of <see cref="ConnectionOptions"/>.</summary>
/// <param name="Urls">The nodes that the user named; none for those at the usual ports.</param>
/// <param name="Host">The host of nodes that are found by their port.</param>
/// <param name="BasePort">The port of node 0.</param>
/// <param name="Timeout">The limit of one request.</param>
/// <param name="Json">Whether to answer in JSON.</param>
/// <param name="Token">What to show to the nodes, or null.</param>
/// <param name="Trust">The CAs that the user named, or null.</param>
internal sealed record ConnectionSettings(IReadOnlyList<Uri> Urls, string Host, int BasePort, TimeSpan Timeout, bool Json, string? Token, CertificateTrust? Trust)
{
    /// <summary>How many ports are tried for a node that answers: with node 0 down, any other knows the cluster as well.</summary>
    private const int PortsTried = 5;

    /// <summary>Whether to answer in CSV.</summary>
    public bool Csv { get; init; }

    /// <summary>The address of a node by its id, as nodes of one machine choose it. Whoever names a CA means https; no other guess would be safe.</summary>
    public Uri NodeAt(int id) => new UriBuilder(Trust is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps, Host, BasePort + id).Uri;

    /// <param name="atLeast">For requests that may take longer than others.</param>
    public ClusterClient Connect(TimeSpan atLeast = default) => new(Timeout > atLeast ? Timeout : atLeast, Token, Trust);

    /// <summary>A node that answers: the first of those that the user named, or else of those at the usual ports.</summary>
    /// <exception cref="NodeException">None answered; the first one's failure.</exception>
    public async Task<Uri> FindNodeAsync(ClusterClient client, CancellationToken cancellation)
    {
        IReadOnlyList<Uri> candidates = Urls.Count > 0 ? Urls : [.. Enumerable.Range(0, PortsTried).Select(NodeAt)];
        return (await Failover.AskAsync(candidates, 0, TimeSpan.Zero, node => client.GetHealthAsync(node, cancellation), cancellation).ConfigureAwait(false)).Node;
    }
}
