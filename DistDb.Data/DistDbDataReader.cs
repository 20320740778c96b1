using System.Collections;
using System.Data;
using System.Data.Common;
using System.Globalization;
using DistDb.Node.Commands;

namespace DistDb.Data;

/// <summary>
/// The rows of a command's results. A query's rows are read while others are still on their way; those of writes and transactions are here already. Values are SQLite's: <see cref="long"/>, <see cref="double"/>,
/// <see cref="string"/>, <see cref="byte"/>[], <see cref="DBNull"/>; the typed getters convert as Microsoft.Data.Sqlite does.
/// </summary>
public sealed class DistDbDataReader : DbDataReader
{
    private static readonly Task<bool> _true = Task.FromResult(true);
    private static readonly Task<bool> _false = Task.FromResult(false);

    private readonly Execution _execution;
    private readonly DistDbConnection _connection;
    private readonly CommandBehavior _behavior;
    private readonly CancellationTokenSource _cancel;
    private StatementResult? _result;
    private SqlValue[]? _row;
    private int _position;
    private long _count;
    private long _recordsAffected = -1;
    private bool _isClosed;
    private volatile bool _isLate;
    private Dictionary<string, int>? _ordinals;
    private Type?[]? _types;

    private DistDbDataReader(Execution execution, DistDbConnection connection, CommandBehavior behavior, CancellationTokenSource cancel) =>
        (_execution, _connection, _behavior, _cancel) = (execution, connection, behavior, cancel);

    /// <summary>Always 0.</summary>
    public override int Depth => 0;

    /// <inheritdoc/>
    public override int FieldCount => Open()?.Columns?.Count ?? 0;

    /// <inheritdoc/>
    public override bool HasRows => Open()?.Rows.Count > 0 || _count > 0;

    /// <inheritdoc/>
    public override bool IsClosed => _isClosed;

    /// <summary>How many rows the statements executed so far have changed; -1 where all of them only read.</summary>
    public override int RecordsAffected => (int)Math.Min(_recordsAffected, int.MaxValue);

    /// <inheritdoc/>
    public override object this[int ordinal] => GetValue(ordinal);

    /// <inheritdoc/>
    public override object this[string name] => GetValue(GetOrdinal(name));

    internal static async Task<DistDbDataReader> OpenAsync(Execution execution, DistDbConnection connection, CommandBehavior behavior, CancellationTokenSource cancel)
    {
        var reader = new DistDbDataReader(execution, connection, behavior, cancel);
        try
        {
            await reader.NextAsync(cancel.Token).ConfigureAwait(false);
            return reader;
        }
        catch
        {
            await reader.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Goes through all results, and closes the reader.</summary>
    /// <returns><see cref="RecordsAffected"/>.</returns>
    internal async Task<int> CountAsync(CancellationToken cancellationToken)
    {
        await using (this.ConfigureAwait(false))
        {
            while (await NextResultAsync(cancellationToken).ConfigureAwait(false))
            {
            }

            return RecordsAffected;
        }
    }

    /// <summary>Takes the first value of the first row, and closes the reader.</summary>
    /// <returns>The value; null where there is no row.</returns>
    internal async Task<object?> FirstAsync(CancellationToken cancellationToken)
    {
        await using (this.ConfigureAwait(false))
        {
            return await ReadAsync(cancellationToken).ConfigureAwait(false) ? GetValue(0) : null;
        }
    }

    /// <summary>Ends what is being executed, unless it has ended by itself.</summary>
    internal static void Cancel(CancellationTokenSource? executing)
    {
        try
        {
            executing?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has ended in the same moment.
        }
    }

    /// <inheritdoc cref="ReadAsync"/>
    public override bool Read() => ReadAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Goes to the next row.</summary>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="DistDbException">The rows broke off; those read before are good, and the query may be sent again.</exception>
    public override Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        var next = ReadNextAsync(cancellationToken);
        return !next.IsCompletedSuccessfully ? next.AsTask() : next.Result ? _true : _false;
    }

    /// <inheritdoc cref="NextResultAsync"/>
    public override bool NextResult() => NextResultAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Goes to the next result with columns, past the statements that have none.</summary>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="DistDbException">A statement was refused, or no node answered.</exception>
    public override async Task<bool> NextResultAsync(CancellationToken cancellationToken)
    {
        Open();
        using var _ = Join(cancellationToken);
        return !_behavior.HasFlag(CommandBehavior.SingleResult) && await NextAsync(_cancel.Token).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override string GetName(int ordinal) => Columns()[Checked(ordinal)];

    /// <summary>The position of a column; its name is looked for as it is first, and then in either case.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none, or there are several that differ in case only.</exception>
    public override int GetOrdinal(string name)
    {
        if (_ordinals is null)
        {
            _ordinals = new(StringComparer.Ordinal);
            var columns = Columns();
            for (var i = 0; i < columns.Count; i++)
            {
                _ordinals.TryAdd(columns[i], i);
            }
        }

        if (_ordinals.TryGetValue(name, out var ordinal))
        {
            return ordinal;
        }

        var alike = _ordinals.Where(column => column.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).ToArray();
        return alike.Length == 1
            ? alike[0].Value
            : throw new ArgumentOutOfRangeException(nameof(name), name, alike.Length == 0 ? "There is no column of this name." : "There are several columns of this name, which differ in case only.");
    }

    /// <summary>The column's declared type in upper case, without what is in brackets; for an expression the storage class of its value.</summary>
    public override string GetDataTypeName(int ordinal)
    {
        _ = Columns()[Checked(ordinal)];
        var type = _result!.Types[ordinal];
        return type is "" or "NULL" ? "BLOB" : type.IndexOf('(', StringComparison.Ordinal) is > 0 and var bracket ? type[..bracket].TrimEnd() : type;
    }

    /// <summary>The type of the value in the present row; before the first row of the value there; for NULL what it was when it was last asked for, or what the column's declared type suggests.</summary>
    public override Type GetFieldType(int ordinal)
    {
        _ = Columns()[Checked(ordinal)];
        var row = _row ?? _result!.Rows.ElementAtOrDefault(0);
        _types ??= new Type?[FieldCount];
        return _types[ordinal] = (row?[ordinal].Kind ?? SqlValueKind.Null) switch
        {
            SqlValueKind.Integer => typeof(long),
            SqlValueKind.Real => typeof(double),
            SqlValueKind.Text => typeof(string),
            SqlValueKind.Blob => typeof(byte[]),
            _ => _types[ordinal] ?? FieldValue.TypeOfDeclared(_result!.Types[ordinal]),
        };
    }

    /// <inheritdoc/>
    public override bool IsDBNull(int ordinal) => Value(ordinal).Kind == SqlValueKind.Null;

    /// <summary>The value as a <see cref="long"/>, <see cref="double"/>, <see cref="string"/>, <see cref="byte"/>[] or <see cref="DBNull"/>.</summary>
    public override object GetValue(int ordinal) => FieldValue.ToObject(Value(ordinal));

    /// <inheritdoc/>
    public override int GetValues(object[] values)
    {
        var count = Math.Min(FieldCount, values.Length);
        for (var i = 0; i < count; i++)
        {
            values[i] = GetValue(i);
        }

        return count;
    }

    /// <inheritdoc/>
    public override bool GetBoolean(int ordinal) => GetInt64(ordinal) != 0;

    /// <inheritdoc/>
    public override byte GetByte(int ordinal) => checked((byte)GetInt64(ordinal));

    /// <inheritdoc/>
    public override short GetInt16(int ordinal) => checked((short)GetInt64(ordinal));

    /// <inheritdoc/>
    public override int GetInt32(int ordinal) => checked((int)GetInt64(ordinal));

    /// <inheritdoc/>
    public override long GetInt64(int ordinal) => FieldValue.ToInteger(NotNull(ordinal));

    /// <inheritdoc/>
    public override float GetFloat(int ordinal) => (float)GetDouble(ordinal);

    /// <inheritdoc/>
    public override double GetDouble(int ordinal) => FieldValue.ToReal(NotNull(ordinal));

    /// <inheritdoc/>
    public override decimal GetDecimal(int ordinal) => FieldValue.ToDecimal(NotNull(ordinal));

    /// <inheritdoc/>
    public override string GetString(int ordinal) => FieldValue.ToText(NotNull(ordinal));

    /// <inheritdoc/>
    public override char GetChar(int ordinal) => FieldValue.ToChar(NotNull(ordinal));

    /// <inheritdoc/>
    public override Guid GetGuid(int ordinal) => FieldValue.ToGuid(NotNull(ordinal));

    /// <summary>The value as a time: text as <see cref="DateTime.Parse(string, IFormatProvider)"/> reads it, a number as a Julian day.</summary>
    public override DateTime GetDateTime(int ordinal) => FieldValue.ToDateTime(NotNull(ordinal));

    /// <summary>The value as a time; one without an offset is UTC, as SQLite's own functions give it.</summary>
    public DateTimeOffset GetDateTimeOffset(int ordinal) => FieldValue.ToDateTimeOffset(NotNull(ordinal));

    /// <summary>The value as a span of time: text such as <c>1.02:03:04</c>, or a number of days.</summary>
    public TimeSpan GetTimeSpan(int ordinal) => FieldValue.ToTimeSpan(NotNull(ordinal));

    /// <inheritdoc/>
    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length)
    {
        var bytes = FieldValue.ToBytes(NotNull(ordinal));
        return Copy(bytes.AsSpan(), dataOffset, buffer is null ? default : buffer.AsSpan(bufferOffset, length), buffer is null);
    }

    /// <inheritdoc/>
    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length) =>
        Copy(GetString(ordinal).AsSpan(), dataOffset, buffer is null ? default : buffer.AsSpan(bufferOffset, length), buffer is null);

    /// <inheritdoc/>
    public override Stream GetStream(int ordinal) => new MemoryStream(FieldValue.ToBytes(NotNull(ordinal)), writable: false);

    /// <inheritdoc/>
    public override TextReader GetTextReader(int ordinal) => IsDBNull(ordinal) ? new StringReader("") : new StringReader(GetString(ordinal));

    /// <summary>The value as a type: those of the getters, other numbers, <see cref="DateOnly"/>, <see cref="TimeOnly"/>, enumerations, <see cref="Stream"/>, <see cref="object"/>, and values with a question mark (<c>int?</c>), null for NULL.</summary>
    /// <exception cref="InvalidCastException">The type is none of these.</exception>
    /// <exception cref="InvalidOperationException">It is NULL, and the type cannot be null.</exception>
    public override T GetFieldValue<T>(int ordinal)
    {
        var value = Value(ordinal);
        if (value.Kind != SqlValueKind.Null)
        {
            return (T)FieldValue.ToType(value, Nullable.GetUnderlyingType(typeof(T)) ?? typeof(T));
        }

        return typeof(T) == typeof(DBNull) || typeof(T) == typeof(object) ? (T)(object)DBNull.Value
            : Nullable.GetUnderlyingType(typeof(T)) is not null ? default!
            : throw IsNull(ordinal);
    }

    /// <inheritdoc/>
    public override IEnumerator GetEnumerator() => new DbEnumerator(this, closeReader: false);

    /// <summary>A row for each column: name, place, types, size.</summary>
    public override DataTable GetSchemaTable()
    {
        var table = new DataTable("SchemaTable") { Locale = CultureInfo.InvariantCulture };
        table.Columns.Add(SchemaTableColumn.ColumnName, typeof(string));
        table.Columns.Add(SchemaTableColumn.ColumnOrdinal, typeof(int));
        table.Columns.Add(SchemaTableColumn.ColumnSize, typeof(int));
        table.Columns.Add(SchemaTableColumn.DataType, typeof(Type));
        table.Columns.Add("DataTypeName", typeof(string));
        table.Columns.Add(SchemaTableColumn.AllowDBNull, typeof(bool));
        table.Columns.Add(SchemaTableOptionalColumn.IsReadOnly, typeof(bool));
        for (var i = 0; i < FieldCount; i++)
        {
            table.Rows.Add(GetName(i), i, -1, GetFieldType(i), GetDataTypeName(i), true, true);
        }

        return table;
    }

    /// <inheritdoc cref="CloseAsync"/>
    public override void Close() => CloseAsync().GetAwaiter().GetResult();

    /// <summary>Closes the reader. Statements that write are done by then; queries that nobody came to are not sent.</summary>
    public override async Task CloseAsync()
    {
        if (_isClosed)
        {
            return;
        }

        _isClosed = true;
        _result?.Rest?.Dispose();
        _cancel.Dispose();
        if (_behavior.HasFlag(CommandBehavior.CloseConnection))
        {
            await _connection.CloseAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close();
        }

        base.Dispose(disposing);
    }

    private async Task<bool> NextAsync(CancellationToken cancellation)
    {
        _result?.Rest?.Dispose();
        (_result, _row, _position, _count, _ordinals, _types) = (null, null, 0, 0, null, null);
        while (await _execution.NextAsync(cancellation).ConfigureAwait(false) is { } result)
        {
            if (result.IsChange)
            {
                _recordsAffected = Math.Max(_recordsAffected, 0) + (result.RowsAffected ?? 0);
            }

            if (result.Columns is not null)
            {
                _result = result;
                return true;
            }
        }

        return false;
    }

    private ValueTask<bool> ReadNextAsync(CancellationToken cancellation)
    {
        var result = Open();
        if (result is null || (_count == 1 && _behavior.HasFlag(CommandBehavior.SingleRow)))
        {
            _row = null;
            return new(false);
        }

        if (_position < result.Rows.Count)
        {
            _row = result.Rows[_position++];
            _count++;
            return new(true);
        }

        _row = null;
        if (result.Rest is not { } rest)
        {
            return new(false);
        }

        if (!rest.TryReadRow(out _row))
        {
            return ReadOnAsync(rest, cancellation);
        }

        _count++;
        return new(true);
    }

    private async ValueTask<bool> ReadOnAsync(AnswerReader rest, CancellationToken cancellation)
    {
        using var _ = Join(cancellation);
        using var limit = new Timer(static reader => ((DistDbDataReader)reader!).EndLate(), this, _execution.Timeout, Timeout.InfiniteTimeSpan);
        try
        {
            _row = await rest.ReadRowAsync(_cancel.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (_isLate)
        {
            throw BrokenOff("nothing came within the command's time limit.", "timeout", e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or System.Text.Json.JsonException or FormatException)
        {
            throw BrokenOff(e.Message, DistDbException.Unreachable, e);
        }

        if (_row is null)
        {
            _execution.Cluster.Saw(rest.Index, isWrite: false);
            _result!.Rest = null;
            rest.Dispose();
            return false;
        }

        _count++;
        return true;
    }

    private void EndLate()
    {
        _isLate = true;
        Cancel(_cancel);
    }

    private DistDbException BrokenOff(string why, string code, Exception inner) =>
        new(string.Create(CultureInfo.InvariantCulture, $"The rows broke off after {_count}: {why} Send the query again."), code, isTransient: true, DistDbOutcome.NotDone, inner);

    /// <summary>A caller's token ends the whole command, whose answer is of no use when its rows have come in part.</summary>
    private CancellationTokenRegistration Join(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return cancellation.CanBeCanceled ? cancellation.UnsafeRegister(static cancel => ((CancellationTokenSource)cancel!).Cancel(), _cancel) : default;
    }

    private StatementResult? Open() => _isClosed ? throw new InvalidOperationException("The reader is closed.") : _result;

    private IReadOnlyList<string> Columns() => Open()?.Columns ?? throw new InvalidOperationException("There is no result with columns.");

    private int Checked(int ordinal) => (uint)ordinal < (uint)FieldCount ? ordinal : throw new ArgumentOutOfRangeException(nameof(ordinal), ordinal, $"There are {FieldCount} columns, from 0.");

    private SqlValue Value(int ordinal)
    {
        Open();
        return _row is { } row
            ? (uint)ordinal < (uint)row.Length ? row[ordinal] : throw new ArgumentOutOfRangeException(nameof(ordinal), ordinal, $"There are {row.Length} columns, from 0.")
            : throw new InvalidOperationException("There is no row here. Call Read first, and look whether it says true.");
    }

    private SqlValue NotNull(int ordinal) => Value(ordinal) is { Kind: not SqlValueKind.Null } value ? value : throw IsNull(ordinal);

    private static InvalidOperationException IsNull(int ordinal) => new($"The value of column {ordinal} is NULL, which this type cannot be. Ask IsDBNull first.");

    private static long Copy<T>(ReadOnlySpan<T> all, long offset, Span<T> buffer, bool asksForLength)
    {
        if (asksForLength)
        {
            return all.Length;
        }

        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var rest = offset < all.Length ? all[(int)offset..] : [];
        var count = Math.Min(rest.Length, buffer.Length);
        rest[..count].CopyTo(buffer);
        return count;
    }
}
