using System.Text;

namespace DistDb.Tools.Shell;

/// <summary>
/// What was typed, in this run and the ones before: a file of one entry on each line, which nobody else can read. Several shells add to it at
/// once. Where it cannot be written the shell goes on without.
/// </summary>
internal sealed class ShellHistory
{
    private const int EntriesMax = 1000;

    private readonly List<string> _entries = [];
    private readonly string? _path;

    private ShellHistory(string? path) => _path = path;

    /// <summary>The oldest first.</summary>
    public IReadOnlyList<string> Entries => _entries;

    /// <summary><c>DISTDB_SHELL_HISTORY</c>, or the file in the user's folder for such things (XDG); null for none, which an empty variable asks for.</summary>
    public static string? DefaultPath()
    {
        if (Environment.GetEnvironmentVariable("DISTDB_SHELL_HISTORY") is { } chosen)
        {
            return chosen.Length > 0 ? chosen : null;
        }

        var state = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } given && Path.IsPathRooted(given)
            ? given
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? Path.Combine(home, ".local", "state") : null;
        return state is null ? null : Path.Combine(state, "distdb", "shell_history");
    }

    /// <param name="path">Where it is; null to keep it in memory.</param>
    /// <param name="problem">Why it is not kept, where that is so.</param>
    public static ShellHistory Open(string? path, out string? problem)
    {
        problem = null;
        if (path is null)
        {
            return new(null);
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var history = new ShellHistory(path);
            if (File.Exists(path))
            {
                var lines = File.ReadAllLines(path);
                history._entries.AddRange(lines.TakeLast(EntriesMax).Select(Decode));
                if (lines.Length > 2 * EntriesMax)
                {
                    history.Shorten();
                }
            }

            history.Append("");
            return history;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = e.Message;
            return new(null);
        }
    }

    /// <summary>Remembers what was typed; not what begins with a space, for secrets, and nothing twice in a row.</summary>
    public void Add(string text)
    {
        if (string.IsNullOrWhiteSpace(text) || text.StartsWith(' ') || (_entries.Count > 0 && _entries[^1] == text))
        {
            return;
        }

        _entries.Add(text);
        try
        {
            Append(Encode(text) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Opening it went well and was worth a word; that the disk is full now is not what its user is after.
        }
    }

    private void Append(string text)
    {
        if (_path is not null)
        {
            using var file = Open(_path, FileMode.Append);
            file.Write(Encoding.UTF8.GetBytes(text));
        }
    }

    private void Shorten()
    {
        var draft = $"{_path}.{Environment.ProcessId}";
        using (var file = new StreamWriter(Open(draft, FileMode.Create)))
        {
            foreach (var entry in _entries)
            {
                file.Write(Encode(entry) + "\n");
            }
        }

        File.Move(draft, _path!, overwrite: true);
    }

    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new(path, options);
    }

    private static string Encode(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Decode(string line)
    {
        var text = new StringBuilder(line.Length);
        for (var i = 0; i < line.Length; i++)
        {
            text.Append(line[i] == '\\' && i + 1 < line.Length ? line[++i] == 'n' ? '\n' : line[i] : line[i]);
        }

        return text.ToString();
    }
}
