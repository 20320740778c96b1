using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary>
/// Sends queries' rows, as fast as they are read and no faster than the client takes them. Once the status is sent, an error can be told
/// only by breaking the connection off, so that no part is ever taken for the whole.
/// </summary>
internal sealed partial class RowsSender(ClusterNode node, ILogger<RowsSender> logger)
{
    /// <summary>Rows are handed to the web server in pieces of so many bytes; it holds about as many back before it makes us wait.</summary>
    private const int FlushBytes = 64 * 1024;

    /// <param name="context">The request, of which nothing was answered yet.</param>
    /// <param name="index">The log index that the rows reflect.</param>
    /// <param name="first">The columns and the first rows.</param>
    /// <param name="rest">The others, disposed here; null where there are no others.</param>
    /// <param name="started">When the request arrived, by the stopwatch.</param>
    public async Task SendAsync(HttpContext context, LogIndex index, RowSet first, QueryRows? rest, long started)
    {
        // What is gathered holds nobody up, and gets as much time to be taken as a request may last in all.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(node.RequestTimeout);
        try
        {
            using (rest)
            {
                await SendAsync(context, index, first, rest, started, patience.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            Break(context, "the client did not take the rows within the time limit, or this node had to replace its database's file.");
        }
    }

    private async Task SendAsync(
        HttpContext context, LogIndex index, RowSet first, QueryRows? rest, long started, CancellationToken cancellationToken)
    {
        var response = context.Response;
        using var writer = Create(context);
        response.ContentType = writer.ContentType;
        AnswerHeaders.Set(response, index, node.Id);
        writer.Begin(first.Columns, first.Types);
        await WriteAsync(first.Rows, rest?.Stopped ?? cancellationToken).ConfigureAwait(false);
        for (var isLast = rest is null; !isLast;)
        {
            var batch = rest!.Next();
            if (batch.Failure is { } failure)
            {
                Break(context, failure.Detail);
                return;
            }

            isLast = batch.IsLast;
            var stopped = rest.Stopped;
            if (isLast)
            {
                // Whoever waits for the connection need not wait until these rows are taken.
                stopped = cancellationToken;
                rest.Dispose();
            }

            await WriteAsync(batch.Rows, stopped).ConfigureAwait(false);
        }

        writer.End(index.Value, node.Id.Value, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        writer.Commit();
        await response.BodyWriter.FlushAsync(cancellationToken).ConfigureAwait(false);

        async ValueTask WriteAsync(IReadOnlyList<SqlValue[]> rows, CancellationToken stopped)
        {
            foreach (var row in rows)
            {
                writer.Write(row);
                if (writer.PendingBytes + response.BodyWriter.UnflushedBytes >= FlushBytes)
                {
                    writer.Commit();
                    await response.BodyWriter.FlushAsync(stopped).ConfigureAwait(false);
                }
            }
        }
    }

    private static IRowsWriter Create(HttpContext context)
    {
        var query = context.Request.Query;
        return AnswerFormat.IsCsv(context.Request.GetTypedHeaders().Accept)
            ? new CsvRowsWriter(context.Response.BodyWriter)
            : new JsonRowsWriter(context.Response.BodyWriter, query.ContainsKey("pretty"), query.ContainsKey("objects"));
    }

    private void Break(HttpContext context, string reason)
    {
        LogBroken(reason);
        context.Abort();
    }

    [LoggerMessage(EventId = 501, Level = LogLevel.Warning, Message = "Broke off an answer in the middle of its rows: {Reason}")]
    private partial void LogBroken(string reason);
}
