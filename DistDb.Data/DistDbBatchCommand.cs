using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace DistDb.Data;

/// <summary>One command of a <see cref="DistDbBatch"/>: SQL with values.</summary>
public sealed class DistDbBatchCommand : DbBatchCommand
{
    private string _text = "";

    /// <summary>One without text.</summary>
    public DistDbBatchCommand()
    {
    }

    /// <summary>One of a text.</summary>
    public DistDbBatchCommand(string? commandText) => _text = commandText ?? "";

    /// <inheritdoc/>
    [AllowNull]
    public override string CommandText
    {
        get => _text;
        set => _text = value ?? "";
    }

    /// <summary>Always <see cref="CommandType.Text"/>.</summary>
    /// <exception cref="ArgumentException">Another is set.</exception>
    public override CommandType CommandType
    {
        get => CommandType.Text;
        set
        {
            if (value != CommandType.Text)
            {
                throw new ArgumentException($"SQLite knows no {value}, only {CommandType.Text}.", nameof(value));
            }
        }
    }

    /// <summary>How many rows the command changed when it was last executed; -1 where it only reads, or was not.</summary>
    public override int RecordsAffected => (int)Math.Min(Affected, int.MaxValue);

    /// <summary>The values.</summary>
    public new DistDbParameterCollection Parameters { get; } = new();

    /// <inheritdoc/>
    public override bool CanCreateParameter => true;

    /// <inheritdoc/>
    protected override DbParameterCollection DbParameterCollection => Parameters;

    internal long Affected { get; set; } = -1;

    /// <inheritdoc/>
    public override DbParameter CreateParameter() => new DistDbParameter();
}
