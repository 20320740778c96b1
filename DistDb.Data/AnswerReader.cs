using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Data;

/// <summary>
/// Reads a node's answer as it comes: one result, or those of <c>results</c>. A query's rows are handed out while others are still on their way, in as much memory as the largest row takes.
/// </summary>
internal sealed class AnswerReader(HttpResponseMessage response, Stream stream) : IAsyncDisposable, IDisposable
{
    private const int BufferBytes = 32 * 1024;

    private readonly List<string> _texts = [];
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private int _start;
    private int _end;
    private bool _isLast;
    private JsonReaderState _state;

    /// <summary>The depth of a result's fields: 1, or 3 within <c>results</c>.</summary>
    private int _depth = 1;

    private string _field = "";
    private StatementResult? _result;
    private SqlValue[]? _row;
    private int _column;
    private SqlValue[]? _finished;
    private bool _hasEnded;

    private enum Piece
    {
        /// <summary>More bytes are needed.</summary>
        None,

        /// <summary>The columns of a result, whose rows follow.</summary>
        Head,
        Row,

        /// <summary>A result.</summary>
        Result,
        End,
    }

    /// <summary>The log index that the answer reflects; it comes at the end.</summary>
    public long Index { get; private set; }

    /// <summary>Reads a single statement's answer up to its first row, or to its end where it is a write's.</summary>
    /// <returns>The result; if it <see cref="StatementResult.Rest"/> is set, it owns this reader.</returns>
    public async Task<StatementResult> ReadHeadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            switch (await NextAsync(cancellation).ConfigureAwait(false))
            {
                case Piece.Head when _result!.RowsAffected is null:
                    var query = _result;
                    query.Rest = this;
                    if (await ReadRowAsync(cancellation).ConfigureAwait(false) is { } first)
                    {
                        query.Rows.Add(first);
                    }
                    else
                    {
                        query.Rest = null;
                    }

                    return query;
                case Piece.Row:
                    _result!.Rows.Add(_finished!);
                    break;
                case Piece.End:
                    return _result!;
            }
        }
    }

    /// <summary>Reads all results of an answer.</summary>
    public async Task<IReadOnlyList<StatementResult>> ReadAllAsync(CancellationToken cancellation)
    {
        var results = new List<StatementResult>();
        while (true)
        {
            switch (await NextAsync(cancellation).ConfigureAwait(false))
            {
                case Piece.Row:
                    _result!.Rows.Add(_finished!);
                    break;
                case Piece.Result:
                    results.Add(_result!);
                    break;
                case Piece.End:
                    return results;
            }
        }
    }

    /// <summary>The next row of a query; null at the end, where <see cref="Index"/> is known.</summary>
    /// <exception cref="IOException">The answer broke off.</exception>
    /// <exception cref="HttpRequestException">The same.</exception>
    public async ValueTask<SqlValue[]?> ReadRowAsync(CancellationToken cancellation) => _hasEnded ? null : await NextAsync(cancellation).ConfigureAwait(false) switch
    {
        Piece.Row => _finished,
        Piece.End => null,
        var piece => throw new FormatException($"A row is expected, not {piece}."),
    };

    /// <summary>The same where a row is here already; false where one must be waited for, or none comes.</summary>
    public bool TryReadRow([NotNullWhen(true)] out SqlValue[]? row)
    {
        row = null;
        if (_hasEnded)
        {
            return false;
        }

        var piece = Take();
        _hasEnded = piece == Piece.End;
        row = piece == Piece.Row ? _finished : null;
        return row is not null;
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        response.Dispose();
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }

        (_hasEnded, _start, _end) = (true, 0, 0);
    }

    private async ValueTask<Piece> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var piece = Take();
            if (piece == Piece.End)
            {
                _hasEnded = true;
            }

            if (piece != Piece.None)
            {
                return piece;
            }

            if (_isLast)
            {
                throw new JsonException("The answer ends early.");
            }

            await FillAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async ValueTask FillAsync(CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            // One value is as large as all that; a value has an end.
            var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation).ConfigureAwait(false);
        _end += count;
        _isLast = count == 0;
    }

    private Piece Take()
    {
        var json = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), _isLast, _state);
        var piece = Piece.None;
        while (piece == Piece.None && json.Read())
        {
            piece = TakeToken(ref json);
        }

        _start += (int)json.BytesConsumed;
        _state = json.CurrentState;
        return piece;
    }

    private Piece TakeToken(ref Utf8JsonReader json)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.StartObject when json.CurrentDepth == 0:
                _result = new();
                return Piece.None;
            case JsonTokenType.EndObject when json.CurrentDepth == 0:
                return Piece.End;
            case JsonTokenType.PropertyName when json.CurrentDepth == _depth || json.CurrentDepth == 1:
                _field = json.GetString()!;
                return Piece.None;
            case JsonTokenType.StartArray when _field == "results" && json.CurrentDepth == 1:
                _depth = 3;
                return Piece.None;
            case JsonTokenType.EndArray when _depth == 3 && json.CurrentDepth == 1:
                _depth = 1;
                return Piece.None;
            case JsonTokenType.StartObject when _depth == 3 && json.CurrentDepth == 2:
                _result = new();
                return Piece.None;
            case JsonTokenType.EndObject when _depth == 3 && json.CurrentDepth == 2:
                return Piece.Result;
            case JsonTokenType.EndArray when _field is "columns" or "types":
                TakeTexts();
                return Piece.None;
            case JsonTokenType.StartArray when _field == "rows" && json.CurrentDepth == _depth:
                return Piece.Head;
            case JsonTokenType.StartArray when _field == "rows" && json.CurrentDepth == _depth + 1:
                (_row, _column) = (new SqlValue[_result!.Columns!.Count], 0);
                return Piece.None;
            case JsonTokenType.EndArray when _field == "rows" && json.CurrentDepth == _depth + 1:
                _finished = _row;
                return Piece.Row;
            case JsonTokenType.Null or JsonTokenType.Number or JsonTokenType.String:
                TakeValue(ref json);
                return Piece.None;
            default:
                return Piece.None;
        }
    }

    private void TakeTexts()
    {
        if (_field == "columns")
        {
            _result!.Columns = [.. _texts];
        }
        else
        {
            _result!.Types = [.. _texts];
        }

        _texts.Clear();
    }

    private void TakeValue(ref Utf8JsonReader json)
    {
        switch (_field)
        {
            case "columns" or "types":
                _texts.Add(json.GetString()!);
                break;
            case "rows":
                _row![_column++] = json.TokenType switch
                {
                    JsonTokenType.Null => SqlValue.Null,
                    JsonTokenType.Number => SqlValueJson.ReadNumber(json.ValueSpan),
                    // Within an object it is a blob: {"base64": "..."}.
                    _ when json.CurrentDepth > _depth + 2 => SqlValue.From(json.GetBytesFromBase64()),
                    _ => SqlValue.From(json.GetString()!),
                };
                break;
            case "rows_affected":
                _result!.RowsAffected = json.GetInt64();
                break;
            case "index":
                Index = json.GetInt64();
                break;
        }
    }
}
