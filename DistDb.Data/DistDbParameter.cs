using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace DistDb.Data;

/// <summary>A value of a statement: for <c>@name</c>, <c>:name</c>, <c>$name</c> by its name (with or without the prefix), for <c>?</c> by its place. Values are sent as Microsoft.Data.Sqlite binds them.</summary>
public sealed class DistDbParameter : DbParameter
{
    private string _name = "";
    private string _sourceColumn = "";
    private int? _size;
    private DistDbType? _type;

    /// <summary>One without name and value.</summary>
    public DistDbParameter()
    {
    }

    /// <summary>One of a name and a value.</summary>
    /// <param name="name">With or without its prefix; null or empty for one by its place.</param>
    /// <param name="value">The value; null and <see cref="DBNull"/> are NULL.</param>
    public DistDbParameter(string? name, object? value)
    {
        ParameterName = name;
        Value = value;
    }

    /// <summary>One of a name, a storage class and a value.</summary>
    /// <param name="name">With or without its prefix; null or empty for one by its place.</param>
    /// <param name="type">As what the value is sent.</param>
    /// <param name="value">The value; null and <see cref="DBNull"/> are NULL.</param>
    public DistDbParameter(string? name, DistDbType type, object? value)
        : this(name, value) => DistDbType = type;

    /// <summary>As what the value is sent where it could be sent as several: a <see cref="Guid"/> as text or blob, a <see cref="DateTime"/> as text or a Julian day. What fits the value unless it is set.</summary>
    public DistDbType DistDbType
    {
        get => _type ?? ParameterValue.DefaultType(Value);
        set => _type = value;
    }

    internal DistDbType? ExplicitType => _type;

    /// <summary>Without effect: the value's own type counts.</summary>
    public override DbType DbType { get; set; } = DbType.String;

    /// <summary>Always <see cref="ParameterDirection.Input"/>.</summary>
    /// <exception cref="ArgumentException">Another direction is set.</exception>
    public override ParameterDirection Direction
    {
        get => ParameterDirection.Input;
        set
        {
            if (value != ParameterDirection.Input)
            {
                throw new ArgumentException($"SQLite's parameters go in only, not {value}. Read results from the rows, by RETURNING.", nameof(value));
            }
        }
    }

    /// <inheritdoc/>
    public override bool IsNullable { get; set; }

    /// <inheritdoc/>
    [AllowNull]
    public override string ParameterName
    {
        get => _name;
        set => _name = value ?? "";
    }

    /// <summary>The most characters or bytes that are sent of a text or a blob; -1 or 0 for all.</summary>
    public override int Size
    {
        get => _size ?? (Value switch { string text => text.Length, byte[] bytes => bytes.Length, _ => 0 });
        set => _size = value < -1 ? throw new ArgumentOutOfRangeException(nameof(value), value, "A size is -1 or more.") : value;
    }

    internal int? SizeMax => _size is > 0 ? _size : null;

    /// <inheritdoc/>
    [AllowNull]
    public override string SourceColumn
    {
        get => _sourceColumn;
        set => _sourceColumn = value ?? "";
    }

    /// <inheritdoc/>
    public override bool SourceColumnNullMapping { get; set; }

    /// <inheritdoc/>
    public override object? Value { get; set; }

    /// <inheritdoc/>
    public override void ResetDbType() => (DbType, _type) = (DbType.String, null);
}
