using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using DistDb.Master;
using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary><c>POST /query</c> and <c>POST /</c>: SQL or structured commands in, results out.</summary>
internal static class QueryEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/query", HandleAsync);
        routes.MapPost("/", HandleAsync);
    }

    private static async Task HandleAsync(HttpContext context, ClusterNode node, SchemaGate schema)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            // Whatever the Content-Type says: curl's default is a form's.
            var request = await ReadRequestAsync(context).ConfigureAwait(false);
            await (request.IsQuery && request.Operation is null
                ? QueryAsync(context, node, schema, request, started)
                : WriteAsync(context, node, schema, request, started)).ConfigureAwait(false);
        }
        catch (RequestRejectedException e)
        {
            await Problem.ToResult(e.Failure).ExecuteAsync(context).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            var failure = new Failure(
                FailureCode.TooLarge, "The request's body exceeds the limit of this node (--max-body). Nothing was done; send less at once.");
            await Problem.ToResult(failure).ExecuteAsync(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to hear the answer.
        }
    }

    private static async Task<QueryRequest> ReadRequestAsync(HttpContext context)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted).ConfigureAwait(false);
            if (read.IsCompleted)
            {
                var request = QueryRequestParser.Parse(read.Buffer.IsSingleSegment ? read.Buffer.FirstSpan : read.Buffer.ToArray());
                reader.AdvanceTo(read.Buffer.End);
                return request;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static async Task QueryAsync(HttpContext context, ClusterNode node, SchemaGate schema, QueryRequest request, long started)
    {
        switch (await node.QueryAsync(request.Database.Value, request.Statements[0], request.IsStrong, new(request.MinIndex), context.RequestAborted)
            .ConfigureAwait(false))
        {
            case QueryResult.Done { Index: var index, Rows: var rows }:
                await AnswerAsync(context, node, index, started, (json, asObjects) => ResultJson.WriteRows(json, rows, asObjects))
                    .ConfigureAwait(false);
                break;
            case QueryResult.NotARead { IsSchema: true } when !schema.IsOpen:
                await FailAsync(context, schema, request, schema.Refusal()).ConfigureAwait(false);
                break;
            case QueryResult.NotARead:
                await WriteAsync(context, node, schema, request, started).ConfigureAwait(false);
                break;
            case QueryResult.NotDone { Failure: var failure }:
                await FailAsync(context, schema, request, failure).ConfigureAwait(false);
                break;
            case var result:
                throw new UnreachableException(result.GetType().Name);
        }
    }

    private static async Task WriteAsync(HttpContext context, ClusterNode node, SchemaGate schema, QueryRequest request, long started)
    {
        var writing = request.Operation is { } operation
            ? node.ChangeDatabasesAsync(operation, request.Id, context.RequestAborted)
            : node.WriteAsync(request.Database.Value, request.Statements, request.IsTransaction, request.Id, context.RequestAborted);
        switch (await writing.ConfigureAwait(false))
        {
            case WriteResult.Done { Index: var index, Results: var results }:
                await AnswerAsync(context, node, index, started, (json, asObjects) => WriteResults(json, request, results, asObjects))
                    .ConfigureAwait(false);
                break;
            case WriteResult.NotDone { Failure: var failure }:
                await FailAsync(context, schema, request, failure).ConfigureAwait(false);
                break;
            case var result:
                throw new UnreachableException(result.GetType().Name);
        }
    }

    private static void WriteResults(Utf8JsonWriter json, QueryRequest request, IReadOnlyList<StatementResult> results, bool asObjects)
    {
        if (request.Operation is not null || request.IsSummedUp)
        {
            // An operation has no results, and a command of many rows one for each of its statements.
            ResultJson.WriteResult(json, new(results.Sum(r => r.RowsAffected), results is [.., var last] ? last.LastInsertId : 0, Rows: null), asObjects);
            return;
        }

        if (!request.IsTransaction)
        {
            ResultJson.WriteResult(json, results[0], asObjects);
            return;
        }

        json.WriteStartArray("results"u8);
        foreach (var result in results)
        {
            json.WriteStartObject();
            ResultJson.WriteResult(json, result, asObjects);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static async Task AnswerAsync(
        HttpContext context, ClusterNode node, LogIndex index, long started, Action<Utf8JsonWriter, bool> writeBody)
    {
        var query = context.Request.Query;
        context.Response.ContentType = "application/json";
        var json = new Utf8JsonWriter(context.Response.BodyWriter, ResultJson.Options(query.ContainsKey("pretty")));
        await using (json.ConfigureAwait(false))
        {
            json.WriteStartObject();
            writeBody(json, query.ContainsKey("objects"));
            json.WriteNumber("index"u8, index.Value);
            json.WriteNumber("node"u8, node.Id.Value);
            json.WriteNumber("elapsed_ms"u8, Math.Round(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 3));
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }

    private static Task FailAsync(HttpContext context, SchemaGate schema, QueryRequest request, Failure failure)
    {
        if (request.IsSummedUp)
        {
            // The client does not know of the statements that its command became.
            failure = failure with { StatementIndex = null };
        }

        switch (failure.Code)
        {
            case FailureCode.NotMaster:
                return Problem.ToResult(schema.Refusal() with { StatementIndex = failure.StatementIndex }, [new("master", schema.MasterAddress)]).ExecuteAsync(context);
            case FailureCode.OutcomeUnknown:
                return Problem.ToResult(failure, [new("id", request.Id)]).ExecuteAsync(context);
            default:
                return Problem.ToResult(failure).ExecuteAsync(context);
        }
    }
}
