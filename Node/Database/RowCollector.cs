using System.Text;
using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>Gathers the rows of one statement.</summary>
internal sealed unsafe class RowCollector
{
    /// <summary>What a value takes in memory beside its text or bytes.</summary>
    private const int ValueBytes = 24;

    private readonly PreparedStatement _statement;
    private readonly ResultColumn[] _columns;
    private readonly string?[] _types;
    private List<SqlValue[]> _rows = [];

    /// <summary>Call after the statement's first step.</summary>
    public RowCollector(PreparedStatement statement)
    {
        _statement = statement;
        _columns = statement.Columns;
        _types = Array.ConvertAll(_columns, column => column.DeclaredType);
    }

    /// <summary>Rows gathered since they were last taken.</summary>
    public int Count => _rows.Count;

    /// <summary>The bytes they take.</summary>
    public long Bytes { get; private set; }

    /// <summary>The bytes that the last of them takes.</summary>
    public long LastBytes { get; private set; }

    /// <summary>Adds the current row.</summary>
    /// <returns>The bytes it takes.</returns>
    public long Add()
    {
        var row = new SqlValue[_columns.Length];
        long bytes = 0;
        for (var i = 0; i < row.Length; i++)
        {
            row[i] = Value(_statement.Handle, i, ref bytes);
            if (_types[i] is null && row[i].Kind != SqlValueKind.Null)
            {
                _types[i] = StorageClass(row[i].Kind);
            }
        }

        _rows.Add(row);
        bytes += ValueBytes * row.Length;
        LastBytes = bytes;
        Bytes += bytes;
        return bytes;
    }

    /// <summary>Leaves the current row out.</summary>
    /// <returns>The bytes it would take.</returns>
    public long Skip()
    {
        long bytes = ValueBytes * _columns.Length;
        for (var i = 0; i < _columns.Length; i++)
        {
            switch (Sqlite3.sqlite3_column_type(_statement.Handle, i))
            {
                case Sqlite3.TypeText:
                    _ = Sqlite3.sqlite3_column_text(_statement.Handle, i);
                    bytes += Sqlite3.sqlite3_column_bytes(_statement.Handle, i);
                    break;
                case Sqlite3.TypeBlob:
                    bytes += Sqlite3.sqlite3_column_bytes(_statement.Handle, i);
                    break;
                default:
                    break;
            }
        }

        return bytes;
    }

    /// <summary>The bytes that all rows of some results take, as <see cref="Add"/> counts them.</summary>
    public static long BytesOf(IEnumerable<StatementResult> results)
    {
        long bytes = 0;
        foreach (var row in results.SelectMany(r => r.Rows?.Rows ?? []))
        {
            bytes += ValueBytes * row.Length;
            foreach (var value in row)
            {
                bytes += value.Kind switch
                {
                    SqlValueKind.Text => Encoding.UTF8.GetByteCount(value.Text),
                    SqlValueKind.Blob => value.Blob.Length,
                    _ => 0,
                };
            }
        }

        return bytes;
    }

    /// <summary>Gives the rows out and begins to gather anew.</summary>
    public IReadOnlyList<SqlValue[]> Take()
    {
        var rows = _rows;
        _rows = [];
        Bytes = 0;
        return rows;
    }

    public RowSet ToRowSet() => new(
        Array.ConvertAll(_columns, column => column.Name),
        Array.ConvertAll(_types, type => type ?? StorageClass(SqlValueKind.Null)),
        _rows)
    {
        Declared = Array.ConvertAll(_columns, column => column.Declared),
    };

    private static SqlValue Value(nint statement, int column, ref long bytes)
    {
        switch (Sqlite3.sqlite3_column_type(statement, column))
        {
            case Sqlite3.TypeInteger:
                return SqlValue.From(Sqlite3.sqlite3_column_int64(statement, column));
            case Sqlite3.TypeReal:
                return SqlValue.From(Sqlite3.sqlite3_column_double(statement, column));
            case Sqlite3.TypeText:
                // Text first, then its length: the other way round the length may be that of another encoding.
                var text = Sqlite3.sqlite3_column_text(statement, column);
                var textBytes = Sqlite3.sqlite3_column_bytes(statement, column);
                bytes += textBytes;
                return SqlValue.From(Encoding.UTF8.GetString(text, textBytes));
            case Sqlite3.TypeBlob:
                var blob = Sqlite3.sqlite3_column_blob(statement, column);
                var blobBytes = Sqlite3.sqlite3_column_bytes(statement, column);
                bytes += blobBytes;
                return SqlValue.From(new ReadOnlySpan<byte>(blob, blobBytes).ToArray());
            default:
                return SqlValue.Null;
        }
    }

    private static string StorageClass(SqlValueKind kind) => kind switch
    {
        SqlValueKind.Null => "NULL",
        SqlValueKind.Integer => "INTEGER",
        SqlValueKind.Real => "REAL",
        SqlValueKind.Text => "TEXT",
        SqlValueKind.Blob => "BLOB",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
