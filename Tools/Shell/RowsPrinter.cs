using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary>How the shell shows rows.</summary>
internal enum OutputMode
{
    /// <summary>Boxes for people.</summary>
    Table,

    /// <summary>An array of objects, one on each line.</summary>
    Json,

    /// <summary>As of RFC 4180.</summary>
    Csv,

    /// <summary>One value on each line, for wide rows.</summary>
    Line,
}

/// <summary>Shows the rows of one result as they come. What the last rows need, they get at <see cref="End"/>.</summary>
internal abstract class RowsPrinter(TextWriter output) : IRowsSink
{
    /// <summary>How many rows it was given.</summary>
    public long Count { get; private set; }

    /// <summary>Whether anything was shown, so that the same rows cannot be asked for again.</summary>
    public bool HasShown { get; private set; }

    protected IReadOnlyList<string> Columns { get; private set; } = [];

    protected TextWriter Output => output;

    /// <param name="mode">How to show them.</param>
    /// <param name="output">Where.</param>
    /// <param name="isTerminal">Whether people look at it there: long values are cut then.</param>
    public static RowsPrinter Create(OutputMode mode, TextWriter output, bool isTerminal) => mode switch
    {
        OutputMode.Table => new TablePrinter(output, isTerminal),
        OutputMode.Json => new JsonPrinter(output),
        OutputMode.Csv => new CsvPrinter(output),
        OutputMode.Line => new LinePrinter(output),
        _ => throw new ArgumentOutOfRangeException(nameof(mode), mode, null),
    };

    public void Begin(IReadOnlyList<string> columns)
    {
        // Once more where a first try ended before anything was shown.
        Columns = columns;
        Count = 0;
        Clear();
    }

    public void Add(SqlValue[] row)
    {
        Count++;
        HasShown |= Take(row);
    }

    /// <summary>The rows have all come.</summary>
    public abstract void End();

    /// <summary>Forgets what was not shown.</summary>
    protected abstract void Clear();

    /// <returns>Whether it showed anything.</returns>
    protected abstract bool Take(SqlValue[] row);
}
