using System.Buffers;
using System.Text;
using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>Gives a statement its values, and insists that every parameter gets one and every value is used.</summary>
internal static unsafe class ParameterBinder
{
    private const int StackBytes = 512;

    /// <summary>Binds all parameters.</summary>
    /// <returns>Null, or why the values do not fit the statement.</returns>
    /// <exception cref="StorageFailedException">Memory ran out.</exception>
    public static Failure? Bind(Connection connection, PreparedStatement statement, StatementParameters parameters) =>
        parameters.Named is { } named
            ? BindNamed(connection, statement, named)
            : BindPositional(connection, statement, parameters.Positional!);

    private static Failure? BindPositional(Connection connection, PreparedStatement statement, IReadOnlyList<SqlValue> values)
    {
        if (values.Count != statement.ParameterCount)
        {
            return new(
                FailureCode.BadRequest,
                $"The statement has {statement.ParameterCount} parameters, but {values.Count} values were given.");
        }

        for (var i = 0; i < values.Count; i++)
        {
            if (BindValue(connection, statement.Handle, i + 1, values[i]) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    private static Failure? BindNamed(
        Connection connection, PreparedStatement statement, IReadOnlyDictionary<string, SqlValue> values)
    {
        var names = statement.ParameterNames;
        var used = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] is not { } name || name[0] == '?')
            {
                return new(
                    FailureCode.BadRequest,
                    $"The statement's parameter {i + 1} has no name, but the values were given by name; send an array of values.");
            }

            var bare = name[1..];
            if (!values.TryGetValue(bare, out var value))
            {
                return new(FailureCode.BadRequest, $"The statement's parameter \"{name}\" was given no value.");
            }

            used.Add(bare);
            if (BindValue(connection, statement.Handle, i + 1, value) is { } failure)
            {
                return failure;
            }
        }

        if (used.Count == values.Count)
        {
            return null;
        }

        var surplus = string.Join(", ", values.Keys.Where(name => !used.Contains(name)).Select(name => $"\"{name}\""));
        return new(FailureCode.BadRequest, $"The statement has no parameter of the name {surplus}.");
    }

    private static Failure? BindValue(Connection connection, nint statement, int position, SqlValue value)
    {
        var code = value.Kind switch
        {
            SqlValueKind.Null => Sqlite3.sqlite3_bind_null(statement, position),
            SqlValueKind.Integer => Sqlite3.sqlite3_bind_int64(statement, position, value.Integer),
            SqlValueKind.Real => Sqlite3.sqlite3_bind_double(statement, position, value.Real),
            SqlValueKind.Text => BindText(statement, position, value.Text),
            SqlValueKind.Blob => BindBlob(statement, position, value.Blob),
            _ => throw new ArgumentException($"No binding for {value.Kind}.", nameof(value)),
        };
        if (code == Sqlite3.Ok)
        {
            return null;
        }

        connection.Authorizer.BeginStep();
        return SqliteErrors.ToFailure(connection, code);
    }

    private static int BindText(nint statement, int position, string text)
    {
        // One more than needed, so that even an empty text has an address: SQLite takes a null address for NULL.
        // The most that a text may need is three times what most do.
        var bytesMax = (text.Length <= StackBytes ? Encoding.UTF8.GetMaxByteCount(text.Length) : Encoding.UTF8.GetByteCount(text)) + 1;
        byte[]? rented = null;
        var buffer = bytesMax <= StackBytes ? stackalloc byte[StackBytes] : rented = ArrayPool<byte>.Shared.Rent(bytesMax);
        var length = Encoding.UTF8.GetBytes(text, buffer);
        int code;
        fixed (byte* bytes = buffer)
        {
            code = Sqlite3.sqlite3_bind_text64(statement, position, bytes, (ulong)length, Sqlite3.Transient, Sqlite3.EncodingUtf8);
        }

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return code;
    }

    private static int BindBlob(nint statement, int position, byte[] blob)
    {
        byte none = 0;
        fixed (byte* bytes = blob)
        {
            return Sqlite3.sqlite3_bind_blob64(
                statement, position, blob.Length == 0 ? &none : bytes, (ulong)blob.Length, Sqlite3.Transient);
        }
    }
}
