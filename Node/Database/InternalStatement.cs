using System.Text;
using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>
/// One of our own statements on internal tables, prepared when it is used first and kept: a database has dozens of them and most never come to use.
/// Any failure of it is a failure of the storage, and never that of the client's statement in whose course it is run: see <see cref="Connection.InternalFailed"/>.
/// </summary>
internal sealed unsafe class InternalStatement(Connection connection, string sql) : IDisposable
{
    private nint _handle;

    /// <summary>For reading rows without a copy of their values.</summary>
    /// <exception cref="StorageFailedException">SQLite refuses the statement.</exception>
    public nint Handle => _handle != 0 ? _handle : Prepare();

    public int ColumnCount => Sqlite3.sqlite3_column_count(Handle);

    public InternalStatement Bind(int position, long value)
    {
        return Bound(Sqlite3.sqlite3_bind_int64(Handle, position, value));
    }

    public InternalStatement Bind(int position, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value + "\0");
        fixed (byte* text = bytes)
        {
            return Bound(Sqlite3.sqlite3_bind_text64(
                Handle, position, text, (ulong)bytes.Length - 1, Sqlite3.Transient, Sqlite3.EncodingUtf8));
        }
    }

    public InternalStatement BindOptional(int position, string? value)
    {
        if (value is not null)
        {
            return Bind(position, value);
        }

        return Bound(Sqlite3.sqlite3_bind_null(Handle, position));
    }

    /// <param name="position">From 1.</param>
    /// <param name="value">Not empty.</param>
    public InternalStatement Bind(int position, ReadOnlySpan<byte> value)
    {
        fixed (byte* blob = value)
        {
            return Bound(Sqlite3.sqlite3_bind_blob64(Handle, position, blob, (ulong)value.Length, Sqlite3.Transient));
        }
    }

    /// <summary>Runs it to its end, leaving out any rows.</summary>
    /// <exception cref="StorageFailedException">It fails.</exception>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>Goes to the next row; after false the statement is ready to be used again. Otherwise call <see cref="Reset"/>.</summary>
    /// <exception cref="StorageFailedException">It fails.</exception>
    public bool Step()
    {
        var code = Sqlite3.sqlite3_step(Handle);
        if (code == Sqlite3.Row)
        {
            return true;
        }

        var failed = code == Sqlite3.Done ? null : connection.InternalFailed(code);
        Reset();
        return failed is null ? false : throw failed;
    }

    public void Reset() => _ = Sqlite3.sqlite3_reset(_handle);

    /// <summary>SQLite's own value (sqlite3_value), until the next step.</summary>
    public nint RawValue(int column) => Sqlite3.sqlite3_column_value(_handle, column);

    public bool IsNull(int column) => Sqlite3.sqlite3_column_type(_handle, column) == Sqlite3.TypeNull;

    public long Integer(int column) => Sqlite3.sqlite3_column_int64(_handle, column);

    public byte[] Blob(int column) =>
        new ReadOnlySpan<byte>(Sqlite3.sqlite3_column_blob(_handle, column), Sqlite3.sqlite3_column_bytes(_handle, column)).ToArray();

    /// <summary>Whatever the column holds.</summary>
    public SqlValue Value(int column) => Sqlite3.sqlite3_column_type(_handle, column) switch
    {
        Sqlite3.TypeInteger => SqlValue.From(Integer(column)),
        Sqlite3.TypeReal => SqlValue.From(Sqlite3.sqlite3_column_double(_handle, column)),
        Sqlite3.TypeText => SqlValue.From(Text(column)),
        Sqlite3.TypeBlob => SqlValue.From(Blob(column)),
        _ => SqlValue.Null,
    };

    public string Text(int column) => Sqlite3.Text(Sqlite3.sqlite3_column_text(_handle, column));

    public void Dispose()
    {
        _ = Sqlite3.sqlite3_finalize(_handle);
        _handle = 0;
    }

    private nint Prepare()
    {
        var bytes = Encoding.UTF8.GetBytes(sql);
        fixed (byte* text = bytes)
        {
            var code = Sqlite3.sqlite3_prepare_v3(connection.Handle, text, bytes.Length, Sqlite3.PreparePersistent, out _handle, out _);
            return code == Sqlite3.Ok ? _handle : throw connection.InternalFailed(code);
        }
    }

    /// <summary>What is not bound would be stored as NULL.</summary>
    private InternalStatement Bound(int code) => code == Sqlite3.Ok ? this : throw connection.InternalFailed(code);
}
