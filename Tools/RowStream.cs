using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Tools;

/// <summary>Takes the rows of an answer as they come.</summary>
internal interface IRowsSink
{
    /// <param name="columns">Their names; two may be the same.</param>
    void Begin(IReadOnlyList<string> columns);

    void Add(SqlValue[] row);
}

/// <summary>What a node says about a statement beside its rows.</summary>
/// <param name="HasRows">Whether it had rows, or could have had some.</param>
/// <param name="RowsAffected">How many rows a write changed; null for a read.</param>
/// <param name="LastInsertId">The last rowid that a write gave; null for a read.</param>
/// <param name="Index">The log index that the answer reflects at least.</param>
/// <param name="Node">The node that answered.</param>
/// <param name="ElapsedMs">Milliseconds that the node took.</param>
internal sealed record StatementAnswer(bool HasRows, long? RowsAffected, long? LastInsertId, long Index, int Node, double ElapsedMs);

/// <summary>Reads the JSON answer to one statement in as much memory as one row takes, since a result may be as large as it likes.</summary>
internal sealed class RowStream(IRowsSink sink)
{
    private readonly List<string> _columns = [];
    private readonly List<SqlValue> _row = [];
    private JsonReaderState _state;
    private string _field = "";
    private bool _hasRows;
    private long? _rowsAffected;
    private long? _lastInsertId;
    private long? _index;
    private int _node;
    private double _elapsedMs;

    /// <param name="stream">The answer.</param>
    /// <param name="sink">Gets the rows.</param>
    /// <param name="onProgress">Told whenever something has come.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="FormatException">It is not such an answer.</exception>
    /// <exception cref="JsonException">The same.</exception>
    /// <exception cref="IOException">It broke off.</exception>
    public static async Task<StatementAnswer> ReadAsync(Stream stream, IRowsSink sink, Action onProgress, CancellationToken cancellation)
    {
        var rows = new RowStream(sink);
        var pipe = PipeReader.Create(stream, new(bufferSize: 65_536, leaveOpen: true));
        while (true)
        {
            var read = await pipe.ReadAsync(cancellation).ConfigureAwait(false);
            onProgress();
            pipe.AdvanceTo(rows.Take(read.Buffer, read.IsCompleted), read.Buffer.End);
            if (read.IsCompleted)
            {
                await pipe.CompleteAsync().ConfigureAwait(false);
                return rows._index is { } index
                    ? new(rows._hasRows, rows._rowsAffected, rows._lastInsertId, index, rows._node, rows._elapsedMs)
                    : throw new FormatException("The answer has no index.");
            }
        }
    }

    private SequencePosition Take(ReadOnlySequence<byte> bytes, bool isLast)
    {
        var json = new Utf8JsonReader(bytes, isLast, _state);
        while (json.Read())
        {
            switch (json.TokenType)
            {
                case JsonTokenType.PropertyName when json.CurrentDepth == 1:
                    _field = json.GetString()!;
                    break;
                case JsonTokenType.StartArray when _field == "rows" && json.CurrentDepth == 1:
                    _hasRows = true;
                    sink.Begin(_columns);
                    break;
                case JsonTokenType.EndArray when _field == "rows" && json.CurrentDepth == 2:
                    sink.Add([.. _row]);
                    _row.Clear();
                    break;
                case JsonTokenType.Null or JsonTokenType.Number or JsonTokenType.String:
                    TakeValue(ref json);
                    break;
            }
        }

        _state = json.CurrentState;
        return json.Position;
    }

    private void TakeValue(ref Utf8JsonReader json)
    {
        switch (_field)
        {
            case "columns":
                _columns.Add(json.GetString()!);
                break;
            case "rows":
                _row.Add(json switch
                {
                    { TokenType: JsonTokenType.Null } => SqlValue.Null,
                    { TokenType: JsonTokenType.Number } => SqlValueJson.ReadNumber(json.HasValueSequence ? json.ValueSequence.ToArray() : json.ValueSpan),
                    // Within an object it is a blob: {"base64": "..."}.
                    { CurrentDepth: > 3 } => SqlValue.From(json.GetBytesFromBase64()),
                    _ => SqlValue.From(json.GetString()!),
                });
                break;
            case "rows_affected":
                _rowsAffected = json.GetInt64();
                break;
            case "last_insert_id":
                _lastInsertId = json.GetInt64();
                break;
            case "index":
                _index = json.GetInt64();
                break;
            case "node":
                _node = json.GetInt32();
                break;
            case "elapsed_ms":
                _elapsedMs = json.GetDouble();
                break;
        }
    }
}
