using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>A client's statement, compiled and classified.</summary>
internal sealed unsafe class PreparedStatement : IDisposable
{
    private const int StatusReprepare = 5;

    private string?[]? _parameterNames;
    private ResultColumn[] _columns = [];
    private int _columnsVersion = -1;

    public PreparedStatement(nint handle, StatementKind kind, StatementSummary summary, bool isKept)
    {
        IsKept = isKept;
        Handle = handle;
        Kind = kind;
        Summary = summary;
        ParameterCount = Sqlite3.sqlite3_bind_parameter_count(handle);
    }

    public nint Handle { get; private set; }

    public StatementKind Kind { get; }

    public StatementSummary Summary { get; }

    /// <summary>True where the cache keeps it for its next use.</summary>
    public bool IsKept { get; }

    /// <summary>The highest parameter position.</summary>
    public int ParameterCount { get; }

    /// <summary>For each position the parameter's name with its prefix, or null for a bare <c>?</c>.</summary>
    public IReadOnlyList<string?> ParameterNames => _parameterNames ??= ReadParameterNames();

    /// <summary>What it returns. Right only after the first step, which may compile the statement anew for a changed schema.</summary>
    public ResultColumn[] Columns
    {
        get
        {
            var version = Sqlite3.sqlite3_stmt_status(Handle, StatusReprepare, 0);
            if (version != _columnsVersion)
            {
                _columns = ReadColumns();
                _columnsVersion = version;
            }

            return _columns;
        }
    }

    /// <summary>Ends the run, which lets go of locks and values.</summary>
    public void Release()
    {
        if (!IsKept)
        {
            Dispose();
            return;
        }

        _ = Sqlite3.sqlite3_reset(Handle);
        if (ParameterCount > 0)
        {
            _ = Sqlite3.sqlite3_clear_bindings(Handle);
        }
    }

    public void Dispose()
    {
        _ = Sqlite3.sqlite3_finalize(Handle);
        Handle = 0;
    }

    private string?[] ReadParameterNames()
    {
        var names = new string?[ParameterCount];
        for (var i = 0; i < names.Length; i++)
        {
            var name = Sqlite3.sqlite3_bind_parameter_name(Handle, i + 1);
            names[i] = name == null ? null : Sqlite3.Text(name);
        }

        return names;
    }

    private ResultColumn[] ReadColumns()
    {
        var columns = new ResultColumn[Sqlite3.sqlite3_column_count(Handle)];
        for (var i = 0; i < columns.Length; i++)
        {
            var declared = Sqlite3.Text(Sqlite3.sqlite3_column_decltype(Handle, i));
            columns[i] = new(Sqlite3.Text(Sqlite3.sqlite3_column_name(Handle, i)), declared.Length == 0 ? null : declared);
        }

        return columns;
    }
}
