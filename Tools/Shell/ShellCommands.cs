using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Tools.Backup;

namespace DistDb.Tools.Shell;

/// <summary>A command that begins with a dot.</summary>
/// <param name="Name">With its dot.</param>
/// <param name="Arguments">What follows it, for <c>.help</c>; each in brackets if it may be left out.</param>
/// <param name="Description">What it does.</param>
/// <param name="ArgumentsMin">How many words must follow.</param>
/// <param name="ArgumentsMax">How many words may follow.</param>
/// <param name="RunAsync">Does it.</param>
internal sealed record ShellCommand(
    string Name, string Arguments, string Description, int ArgumentsMin, int ArgumentsMax, Func<string[], CancellationToken, Task> RunAsync);

/// <summary>The commands that the shell has beside SQL. To add one, add a line to <see cref="All"/>.</summary>
internal sealed class ShellCommands
{
    /// <summary>Deep enough for scripts that read scripts, and an end for those that read themselves.</summary>
    private const int DepthMax = 20;

    /// <summary>What users defined, without what belongs to SQLite, to the cluster, or to a virtual table.</summary>
    private const string OwnObjects =
        """
        name NOT LIKE 'sqlite\_%' ESCAPE '\' AND substr(tbl_name, 1, 8) <> '_distdb_' COLLATE NOCASE
            AND tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')
        """;

    private readonly ShellSession _session;
    private readonly Func<TextReader, string, CancellationToken, Task> _runScript;
    private int _depth;

    /// <param name="session">What they work on.</param>
    /// <param name="runScript">Does what a script says; its name is for messages.</param>
    public ShellCommands(ShellSession session, Func<TextReader, string, CancellationToken, Task> runScript)
    {
        _session = session;
        _runScript = runScript;
        All =
        [
            new(".tables", "[PATTERN]", "Tables, views and virtual tables whose name is LIKE the pattern", 0, 1, ShowTablesAsync),
            new(".schema", "[PATTERN]", "How they were defined, with their indexes and triggers", 0, 1, ShowSchemaAsync),
            new(".databases", "", "All databases", 0, 0, ShowDatabasesAsync),
            new(".use", "DB", "Work on another database", 1, 1, UseAsync),
            new(".nodes", "", "The cluster's nodes; the one in use has a star", 0, 0, ShowNodesAsync),
            new(".node", "ID", "Speak to another node", 1, 1, ChooseNodeAsync),
            new(".consistency", "local|strong", "What reads see: what the node has, or every write that was answered anywhere", 0, 1, SetConsistencyAsync),
            new(".read", "FILE", "Run the SQL and the commands in a file, up to the first that fails", 1, 1, ReadFileAsync),
            new(".dump", "[FILE]", "Write SQL that makes the database again, with exact values", 0, 1, DumpAsync),
            new(".import", "FILE TABLE", "Add the rows of a CSV file, whose first line names the columns, to a table, which is made if need be", 2, 2, ImportAsync),
            new(".backup", "FILE", "Copy the database into a SQLite file", 1, 1, BackUpAsync),
            new(".timer", "on|off", "Show how long each statement took", 0, 1, SetTimerAsync),
            new(".mode", "table|json|csv|line", "How rows are shown; in a table on a terminal long values are cut", 0, 1, SetModeAsync),
            new(".help", "", "This list", 0, 0, HelpAsync),
            new(".quit", "", "Leave; so does Ctrl-D", 0, 0, QuitAsync),
        ];
    }

    public IReadOnlyList<ShellCommand> All { get; }

    /// <summary>Whether the shell is to end.</summary>
    public bool HasQuit { get; private set; }

    /// <summary>Runs a line that begins with a dot.</summary>
    /// <exception cref="ShellException">It cannot be done.</exception>
    /// <exception cref="NodeException">The same.</exception>
    public Task RunAsync(string line, CancellationToken cancellation)
    {
        var words = Words(line);
        var matching = All.Where(command => command.Name.StartsWith(words[0], StringComparison.OrdinalIgnoreCase)).ToArray();
        var command = matching.FirstOrDefault(one => one.Name.Length == words[0].Length)
            ?? (matching.Length == 1 ? matching[0] : words[0] is ".exit" ? All[^1]
                : throw new ShellException($"There is no command {words[0]}; .help lists them."));
        var arguments = words[1..];
        return arguments.Length >= command.ArgumentsMin && arguments.Length <= command.ArgumentsMax
            ? command.RunAsync(arguments, cancellation)
            : throw new ShellException($"Usage: {command.Name} {command.Arguments}");
    }

    /// <summary>At white space, except within quotes; a semicolon at the end is a habit and no part of the last word.</summary>
    private static string[] Words(string line)
    {
        var words = new List<string>();
        line = line.TrimEnd().TrimEnd(';');
        for (var i = 0; i < line.Length;)
        {
            if (char.IsWhiteSpace(line[i]))
            {
                i++;
                continue;
            }

            var quote = line[i] is '"' or '\'' ? line[i++] : '\0';
            var end = i;
            while (end < line.Length && (quote == '\0' ? !char.IsWhiteSpace(line[end]) : line[end] != quote))
            {
                end++;
            }

            words.Add(line[i..end]);
            i = quote == '\0' ? end : end + 1;
        }

        return [.. words];
    }

    private Task ShowTablesAsync(string[] arguments, CancellationToken cancellation) => _session.ShowAsync(
        $"""
        SELECT name, type AS kind, (SELECT group_concat(name, ', ') FROM pragma_table_xinfo(list.name) WHERE hidden <> 1) AS columns
        FROM pragma_table_list AS list
        WHERE schema = 'main' AND type <> 'shadow' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND substr(name, 1, 8) <> '_distdb_' COLLATE NOCASE AND name LIKE ?
        ORDER BY name
        """,
        cancellation,
        Pattern(arguments));

    private async Task ShowSchemaAsync(string[] arguments, CancellationToken cancellation)
    {
        var answer = await _session.QueryAsync(
            $"SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND {OwnObjects} AND tbl_name LIKE ? ORDER BY tbl_name, type <> 'table', type <> 'view', type, name",
            cancellation,
            Pattern(arguments)).ConfigureAwait(false);
        foreach (var row in answer.Rows)
        {
            await _session.Output.WriteLineAsync($"{row[0].Text};").ConfigureAwait(false);
        }

        await _session.Output.FlushAsync(cancellation).ConfigureAwait(false);
    }

    private async Task ShowDatabasesAsync(string[] arguments, CancellationToken cancellation)
    {
        var cluster = _session.Cluster;
        var answer = await _session.AskAsync(node => cluster.Client.GetDatabasesAsync(node, cancellation), cancellation).ConfigureAwait(false);
        _session.Show(["database", "bytes", "tables", "foreign_keys"], answer.Databases.Select(database => new[]
        {
            SqlValue.From(database.Name), SqlValue.From(database.Bytes), SqlValue.From(database.Tables.Count), SqlValue.From(database.ForeignKeys ? "on" : "off"),
        }));
    }

    private async Task UseAsync(string[] arguments, CancellationToken cancellation)
    {
        if (_session.IsCollecting)
        {
            throw new ShellException("A transaction is in one database; COMMIT or ROLLBACK first.");
        }

        var before = _session.Database;
        _session.Database = arguments[0];
        try
        {
            await _session.QueryAsync("SELECT 1", cancellation).ConfigureAwait(false);
        }
        catch
        {
            _session.Database = before;
            throw;
        }

        _session.HasChangedSchema = true;
        _session.Note($"Working on the database {arguments[0]}.");
    }

    private async Task ShowNodesAsync(string[] arguments, CancellationToken cancellation)
    {
        var cluster = _session.Cluster;
        var answer = await _session.AskAsync(node => cluster.Client.GetClusterAsync(node, cancellation), cancellation).ConfigureAwait(false);
        await cluster.LearnAsync(cancellation).ConfigureAwait(false);
        _session.Show(["in_use", "id", "address", "role", "leader", "suffrage", "reachable"], answer.Nodes.Select(node => new[]
        {
            SqlValue.From(node.Id == answer.Node ? "*" : ""), SqlValue.From(node.Id), SqlValue.From(node.Address), SqlValue.From(node.Role),
            SqlValue.From(node.Id == answer.Leader ? "leader" : ""), SqlValue.From(node.Suffrage), SqlValue.From(node.Reachable ? "yes" : "NO"),
        }));
    }

    private async Task ChooseNodeAsync(string[] arguments, CancellationToken cancellation)
    {
        var cluster = _session.Cluster;
        var answer = await _session.AskAsync(node => cluster.Client.GetMembersAsync(node, cancellation), cancellation).ConfigureAwait(false);
        var chosen = answer.Members.FirstOrDefault(member => member.Id.ToString(CultureInfo.InvariantCulture) == arguments[0])
            ?? throw new ShellException($"There is no node {arguments[0]}; there are {string.Join(", ", answer.Members.Select(member => member.Id))}.");
        var address = new Uri(chosen.Address);
        await cluster.Client.GetHealthAsync(address, cancellation).ConfigureAwait(false);
        cluster.Use(address);
        await cluster.LearnAsync(cancellation).ConfigureAwait(false);
        _session.Note($"Speaking to node {chosen.Id} at {chosen.Address}.");
    }

    private Task SetConsistencyAsync(string[] arguments, CancellationToken cancellation) => Set(
        arguments, _session.IsStrong ? "strong" : "local", ["local", "strong"], chosen => _session.IsStrong = chosen == "strong");

    private Task SetTimerAsync(string[] arguments, CancellationToken cancellation) => Set(
        arguments, _session.HasTimer ? "on" : "off", ["on", "off"], chosen => _session.HasTimer = chosen == "on");

    private Task SetModeAsync(string[] arguments, CancellationToken cancellation) => Set(
        arguments, NameOf(_session.Mode), [.. Enum.GetValues<OutputMode>().Select(NameOf)], chosen => _session.Mode = Enum.Parse<OutputMode>(chosen, ignoreCase: true));

    private Task Set(string[] arguments, string current, string[] choices, Action<string> set)
    {
        if (arguments is [])
        {
            return _session.Output.WriteLineAsync(current);
        }

        if (!choices.Contains(arguments[0], StringComparer.OrdinalIgnoreCase))
        {
            throw new ShellException($"\"{arguments[0]}\" is not one of {string.Join(", ", choices)}.");
        }

        set(arguments[0].ToLowerInvariant());
        return Task.CompletedTask;
    }

    private async Task ReadFileAsync(string[] arguments, CancellationToken cancellation)
    {
        if (_depth == DepthMax)
        {
            throw new ShellException($"Files read each other {DepthMax} deep; does {arguments[0]} read itself?");
        }

        _depth++;
        try
        {
            using var reader = new StreamReader(arguments[0]);
            await _runScript(reader, arguments[0], cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ShellException($"{arguments[0]} cannot be read: {e.Message}");
        }
        finally
        {
            _depth--;
        }
    }

    private async Task DumpAsync(string[] arguments, CancellationToken cancellation)
    {
        if (arguments is not [var path])
        {
            await new SqlDump(_session, _session.Output).RunAsync(cancellation).ConfigureAwait(false);
            return;
        }

        // Whoever finds the file under its name has the whole of it.
        var draft = path + ".partial";
        try
        {
            var file = new StreamWriter(draft);
            await using (file.ConfigureAwait(false))
            {
                await new SqlDump(_session, file).RunAsync(cancellation).ConfigureAwait(false);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ShellException($"{path} cannot be written: {e.Message}");
        }
        finally
        {
            if (File.Exists(draft))
            {
                File.Delete(draft);
            }
        }
    }

    private async Task ImportAsync(string[] arguments, CancellationToken cancellation)
    {
        if (_session.IsCollecting)
        {
            throw new ShellException("An import is a transaction of its own; COMMIT or ROLLBACK first.");
        }

        var (path, table) = (arguments[0], arguments[1]);
        if (!File.Exists(path))
        {
            throw new ShellException($"There is no file {path}.");
        }

        var count = await DoAsync(() => ImportTool.ImportCsvAsync(new(_session.Cluster, _session.Database, table, path, ','), path, _session.Errors, cancellation)).ConfigureAwait(false);
        _session.HasChangedSchema = true;
        _session.Note(string.Create(CultureInfo.InvariantCulture, $"{count} rows."));
    }

    private async Task BackUpAsync(string[] arguments, CancellationToken cancellation)
    {
        if (File.Exists(arguments[0]))
        {
            throw new ShellException($"There is a file {arguments[0]} already; give another name.");
        }

        var download = new Download(arguments[0], mayOverwrite: false, isArchive: false);
        var done = await DoAsync(() => BackupTool.TakeAsync(_session.Settings, _session.Database, download, _session.Errors, cancellation)).ConfigureAwait(false);
        _session.Note(done.Describe());
    }

    /// <summary>What a tool of its own does: a failure ends the command, and not the shell.</summary>
    private static async Task<T> DoAsync<T>(Func<Task<T>> run)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (ToolException e)
        {
            throw new ShellException(e.Message);
        }
    }

    private Task HelpAsync(string[] arguments, CancellationToken cancellation)
    {
        var width = All.Max(command => command.Name.Length + command.Arguments.Length) + 1;
        foreach (var command in All)
        {
            _session.Output.WriteLine($"{$"{command.Name} {command.Arguments}".PadRight(width)}  {command.Description}");
        }

        return _session.Output.WriteLineAsync("SQL ends with a semicolon. Ctrl-C cancels what runs, or clears what was typed; Tab completes names; Ctrl-R searches what was typed before.");
    }

    private Task QuitAsync(string[] arguments, CancellationToken cancellation)
    {
        HasQuit = true;
        return Task.CompletedTask;
    }

    private static SqlValue Pattern(string[] arguments) => SqlValue.From(arguments is [var pattern] ? pattern : "%");

    private static string NameOf(OutputMode mode) => mode.ToString().ToLowerInvariant();
}
