using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Tools.Backup;

/// <summary>
/// Brings the rows of a CSV file into a table, all or none: in batches into a table beside it, and from there in one transaction. A table that does
/// not exist is made, with types by the values. Every step has an id, so that it is done once, whichever nodes die meanwhile.
/// </summary>
internal sealed class CsvImport(ClusterConnection cluster, string database, string table, string path, char separator)
{
    /// <summary>Characters of rows in one request: far below what a node takes, and enough that the request costs little beside them.</summary>
    private const int BatchChars = 1 << 20;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly string _id = Guid.NewGuid().ToString("n");
    private int _step;

    private string Draft => SqlName.Quote($"{table}_import_{_id[..8]}");

    /// <summary>Does it.</summary>
    /// <param name="onProgress">Told how many bytes of the file were sent.</param>
    /// <param name="cancellation">Ends it, and nothing was imported.</param>
    /// <returns>How many rows.</returns>
    /// <exception cref="InvalidDataException">The file is no CSV.</exception>
    /// <exception cref="NodeException">It was not done.</exception>
    public async Task<long> RunAsync(Action<long> onProgress, CancellationToken cancellation)
    {
        var columns = ReadColumns();
        var isNew = !await HasTableAsync(cancellation).ConfigureAwait(false);
        var declared = string.Join(", ", columns.Select(c => $"{SqlName.Quote(c.Name)} {c.Type}"));
        await DoAsync(NodeRequest.Exec($"CREATE TABLE {Draft} ({declared})"), cancellation).ConfigureAwait(false);
        try
        {
            var count = await SendRowsAsync(columns, onProgress, cancellation).ConfigureAwait(false);
            var names = string.Join(", ", columns.Select(c => SqlName.Quote(c.Name)));
            var target = SqlName.Quote(table);
            await DoAsync(
                isNew
                    ? NodeRequest.Exec($"ALTER TABLE {Draft} RENAME TO {target}")
                    : NodeRequest.All([$"INSERT INTO {target} ({names}) SELECT {names} FROM {Draft} ORDER BY rowid", $"DROP TABLE {Draft}"]),
                cancellation).ConfigureAwait(false);
            return count;
        }
        catch (Exception e)
        {
            await DropDraftAsync(e).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Clears up after a failure, which must not be hidden by another one.</summary>
    private async Task DropDraftAsync(Exception failure)
    {
        try
        {
            await DoAsync(NodeRequest.Exec($"DROP TABLE IF EXISTS {Draft}"), CancellationToken.None).ConfigureAwait(false);
        }
        catch (NodeException e)
        {
            throw new ToolException(
                $"{failure.Message.TrimEnd('.')}. The table {Draft}, in which the rows were gathered, could not be dropped either ({e.Message.TrimEnd('.')}); drop it when the cluster is back.", ExitCode.BadNews);
        }
    }

    /// <summary>Looks through the whole file before anything is sent.</summary>
    private List<CsvColumn> ReadColumns()
    {
        using var text = Open();
        var reader = new CsvReader(text, separator);
        var columns = reader.Read()?.ConvertAll(name => new CsvColumn(name ?? throw new InvalidDataException("the first line, of the columns' names, has one without a name"))) ?? throw new InvalidDataException("it is empty");
        while (reader.Read() is { } row)
        {
            if (row.Count != columns.Count)
            {
                throw new InvalidDataException($"line {reader.Line} has {row.Count} fields, and the first line names {columns.Count} columns");
            }

            for (var i = 0; i < row.Count; i++)
            {
                columns[i].Note(row[i]);
            }
        }

        return columns;
    }

    private async Task<long> SendRowsAsync(List<CsvColumn> columns, Action<long> onProgress, CancellationToken cancellation)
    {
        var insert = $"INSERT INTO {Draft} SELECT {string.Join(", ", columns.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"json_extract(value, '$[{i}]')")))} FROM json_each(?)";
        using var text = Open();
        var reader = new CsvReader(text, separator);
        _ = reader.Read();
        var count = 0L;
        var buffer = new ArrayBufferWriter<byte>();
        while (true)
        {
            buffer.ResetWrittenCount();
            var before = count;
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartArray();
                while (json.BytesCommitted + json.BytesPending < BatchChars && reader.Read() is { } row)
                {
                    json.WriteStartArray();
                    for (var i = 0; i < row.Count; i++)
                    {
                        columns[i].Write(json, row[i]);
                    }

                    json.WriteEndArray();
                    count++;
                }

                json.WriteEndArray();
            }

            if (count == before)
            {
                return count;
            }

            await DoAsync(NodeRequest.Exec(insert, SqlValue.From(Encoding.UTF8.GetString(buffer.WrittenSpan))), cancellation).ConfigureAwait(false);
            onProgress(((FileStream)text.BaseStream).Position);
        }
    }

    private async Task<bool> HasTableAsync(CancellationToken cancellation)
    {
        var request = NodeRequest.Query("SELECT count(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE", SqlValue.From(table)) with
        {
            Database = database,
            Consistency = "strong",
        };
        var answer = await cluster.AskAsync(node => cluster.Client.QueryAsync(node, request, cancellation), cancellation, _patience).ConfigureAwait(false);
        return answer.Rows.Single()[0].Integer > 0;
    }

    private Task<long> DoAsync(NodeRequest request, CancellationToken cancellation)
    {
        var step = request with { Database = database, Id = string.Create(CultureInfo.InvariantCulture, $"import-{_id}-{_step++}") };
        return cluster.AskAsync(node => cluster.Client.ExecAsync(node, step, cancellation), cancellation, _patience);
    }

    private StreamReader Open() => new(new FileStream(path, FileMode.Open, FileAccess.Read), new UTF8Encoding(false, throwOnInvalidBytes: true));
}
