using System.Collections;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace DistDb.Data;

/// <summary>Reads and writes connection strings such as <c>Servers=http://a:8080,http://b:8081;Database=main;Token=...;Consistency=strong</c>. Unknown keywords are refused.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "The framework's base class sets the name.")]
public sealed class DistDbConnectionStringBuilder : DbConnectionStringBuilder
{
    private const string ServersKey = "Servers";
    private const string DatabaseKey = "Database";
    private const string TokenKey = "Token";
    private const string ConsistencyKey = "Consistency";
    private const string CaKey = "Ca";
    private const string TimeoutKey = "Command Timeout";

    private const int TimeoutDefault = 30;

    private static readonly string[] _keys = [ServersKey, DatabaseKey, TokenKey, ConsistencyKey, CaKey, TimeoutKey];

    private static readonly Dictionary<string, string> _names = new(StringComparer.OrdinalIgnoreCase)
    {
        [ServersKey] = ServersKey,
        ["Server"] = ServersKey,
        ["Data Source"] = ServersKey,
        ["DataSource"] = ServersKey,
        [DatabaseKey] = DatabaseKey,
        ["Initial Catalog"] = DatabaseKey,
        [TokenKey] = TokenKey,
        [ConsistencyKey] = ConsistencyKey,
        [CaKey] = CaKey,
        [TimeoutKey] = TimeoutKey,
        ["CommandTimeout"] = TimeoutKey,
        ["Default Timeout"] = TimeoutKey,
    };

    /// <summary>One with all defaults.</summary>
    public DistDbConnectionStringBuilder()
    {
    }

    /// <summary>One of a connection string.</summary>
    /// <exception cref="ArgumentException">It has an unknown keyword, or a value that is not one of its keyword's.</exception>
    public DistDbConnectionStringBuilder(string? connectionString) => ConnectionString = connectionString ?? "";

    /// <summary>Base addresses of nodes, separated by commas: <c>http://a:8080,http://b:8081</c>. The first is asked first; name several, so that work goes on when one dies. <c>http://localhost:8080</c> by default.</summary>
    public string Servers
    {
        get => Text(ServersKey) ?? "http://localhost:8080";
        set => this[ServersKey] = value;
    }

    /// <summary>The database; <c>main</c> by default.</summary>
    public string Database
    {
        get => Text(DatabaseKey) ?? "main";
        set => this[DatabaseKey] = value;
    }

    /// <summary>What to show to the nodes; null for nothing.</summary>
    public string? Token
    {
        get => Text(TokenKey);
        set => this[TokenKey] = value;
    }

    /// <summary>What reads outside of transactions see; <see cref="DistDbConsistency.Local"/> by default.</summary>
    public DistDbConsistency Consistency
    {
        get => Text(ConsistencyKey) is { } text ? Enum.Parse<DistDbConsistency>(text, ignoreCase: true) : DistDbConsistency.Local;
        set => this[ConsistencyKey] = value.ToString();
    }

    /// <summary>A PEM file with the only CAs by which the nodes' certificates are judged; null for those that the operating system trusts.</summary>
    public string? Ca
    {
        get => Text(CaKey);
        set => this[CaKey] = value;
    }

    /// <summary>Seconds within which a command is answered, all tries at all nodes together; 0 for no limit. 30 by default.</summary>
    public int CommandTimeout
    {
        get => Text(TimeoutKey) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : TimeoutDefault;
        set => this[TimeoutKey] = value;
    }

    /// <inheritdoc/>
    public override ICollection Keys => _keys;

    /// <inheritdoc/>
    public override ICollection Values => _keys.Select(key => this[key]).ToArray();

    /// <inheritdoc/>
    public override bool IsFixedSize => true;

    /// <inheritdoc/>
    [AllowNull]
    public override object this[string keyword]
    {
        get => Name(keyword) switch
        {
            ServersKey => Servers,
            DatabaseKey => Database,
            TokenKey => Token!,
            ConsistencyKey => Consistency,
            CaKey => Ca!,
            _ => CommandTimeout,
        };
        set
        {
            var name = Name(keyword);
            var text = Convert.ToString(value, CultureInfo.InvariantCulture);
            if (string.IsNullOrWhiteSpace(text))
            {
                base.Remove(name);
                return;
            }

            Check(name, text);
            base[name] = text;
        }
    }

    /// <inheritdoc/>
    public override bool ContainsKey(string keyword) => _names.ContainsKey(keyword);

    /// <inheritdoc/>
    public override bool ShouldSerialize(string keyword) => _names.TryGetValue(keyword, out var name) && base.ShouldSerialize(name);

    /// <inheritdoc/>
    public override bool Remove(string keyword) => _names.TryGetValue(keyword, out var name) && base.Remove(name);

    /// <inheritdoc/>
    public override bool TryGetValue(string keyword, [NotNullWhen(true)] out object? value)
    {
        value = _names.ContainsKey(keyword) ? this[keyword] : null;
        return value is not null;
    }

    /// <summary>The addresses, each with a scheme and a host.</summary>
    internal Uri[] ServerAddresses => ReadServers(Servers);

    private string? Text(string key) => base.TryGetValue(key, out var value) ? (string)value : null;

    private static string Name(string keyword) => _names.TryGetValue(keyword, out var name)
        ? name
        : throw new ArgumentException($"The connection string's keyword \"{keyword}\" is unknown; these are known: {string.Join(", ", _keys)}.", nameof(keyword));

    private static void Check(string name, string text)
    {
        switch (name)
        {
            case ServersKey:
                _ = ReadServers(text);
                break;
            case ConsistencyKey when !Enum.TryParse<DistDbConsistency>(text, ignoreCase: true, out var level) || !Enum.IsDefined(level):
                throw new ArgumentException($"The connection string's \"{ConsistencyKey}\" is \"{text}\"; it may be local or strong.");
            case TimeoutKey when !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _):
                throw new ArgumentException($"The connection string's \"{TimeoutKey}\" is \"{text}\"; it is a whole number of seconds, and 0 for no limit.");
        }
    }

    private static Uri[] ReadServers(string text)
    {
        var servers = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(ReadServer).ToArray();
        return servers.Length == 0 ? throw new ArgumentException($"The connection string's \"{ServersKey}\" names no server.")
            : servers.Select(server => server.Scheme).Distinct().Count() > 1 ? throw new ArgumentException($"The connection string's \"{ServersKey}\" has http and https addresses; all must be of one kind, so that a token never goes by plain http.")
            : servers;
    }

    private static Uri ReadServer(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address is { Host.Length: > 0, PathAndQuery: "/", UserInfo: "" }
            ? address
            : throw new ArgumentException($"The connection string's \"{ServersKey}\" has \"{text}\"; an address looks like http://127.0.0.1:8080.");
}
