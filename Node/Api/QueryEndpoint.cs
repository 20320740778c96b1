using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using DistDb.Master;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary><c>POST /query</c> and <c>POST /</c>: SQL or structured commands in, results out. <c>GET /history</c>: rows of the query history.</summary>
internal static class QueryEndpoint
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/query", HandleAsync).Needs(TokenRole.Read);
        routes.MapPost("/", HandleAsync).Needs(TokenRole.Read);
        routes.MapGet("/history", HistoryAsync).Needs(TokenRole.Read);
    }

    private static Task HandleAsync(
        HttpContext context, ClusterNode node, SchemaGate schema, RequestGate gate, MemoryBudget budget, RowsSender rows) => ClientRequest.ServeAsync(
            context,
            gate,
            budget,
            Problem.AnswerAsync,
            async memory =>
            {
                var started = Stopwatch.GetTimestamp();

                // Whatever the Content-Type says: curl's default is a form's.
                var request = await RequestBody.ReadAsync(context, node.RequestTimeout, memory, QueryRequestParser.Parse).ConfigureAwait(false);
                await ServeAsync(context, node, schema, rows, request, memory, started).ConfigureAwait(false);
            });

    private static Task HistoryAsync(
        HttpContext context, ClusterNode node, SchemaGate schema, RequestGate gate, MemoryBudget budget, RowsSender rows) => ClientRequest.ServeAsync(
            context,
            gate,
            budget,
            Problem.AnswerAsync,
            memory => ServeAsync(context, node, schema, rows, HistoryRequest.Read(context.Request.Query), memory, Stopwatch.GetTimestamp()));

    private static async Task ServeAsync(
        HttpContext context, ClusterNode node, SchemaGate schema, RowsSender rows, QueryRequest request, MemoryShare memory, long started)
    {
        context.Features.Set(CommandForm.Of(request.Command));
        if (request.Timeout > node.RequestTimeout)
        {
            throw new RequestRejectedException(
                FailureCode.BadRequest,
                string.Create(CultureInfo.InvariantCulture, $"\"timeout_ms\" may be up to {(long)node.RequestTimeout.TotalMilliseconds} at this node (--timeout). Nothing was done; ask for less, or leave it out."));
        }

        // A statement that writes is held against the client's role once SQLite has said what it is: at the leader, or below.
        var access = ClientAccess.Of(context);
        if (request.Operation is not null)
        {
            access.Require(TokenRole.Admin, "To create and drop databases");
        }
        else
        {
            access.Require(request.Database);
        }

        await (request.IsQuery && request.Operation is null
            ? QueryAsync(context, node, schema, rows, request, memory, started)
            : WriteAsync(context, node, schema, request, memory, started)).ConfigureAwait(false);
    }

    private static async Task QueryAsync(
        HttpContext context, ClusterNode node, SchemaGate schema, RowsSender rows, QueryRequest request, MemoryShare memory, long started)
    {
        var limits = new ReadLimits(request.Timeout ?? node.RequestTimeout) { RowsMax = request.RowsMax, Memory = memory };
        var read = await node.QueryAsync(request.Database.Value, request.Statements[0], request.IsStrong, new(request.MinIndex), limits, context.RequestAborted)
            .ConfigureAwait(false);
        if (ClientAccess.Of(context).Recheck?.Invoke() is { } refusal)
        {
            // The node has caught up meanwhile, and knows of tokens now.
            (read as QueryResult.Begun)?.Rest.Dispose();
            await FailAsync(context, schema, request, refusal).ConfigureAwait(false);
            return;
        }

        switch (read)
        {
            case QueryResult.Done { Index: var index, Rows: var all }:
                RecordRead(context, node, request);
                await rows.SendAsync(context, index, all, rest: null, started).ConfigureAwait(false);
                break;
            case QueryResult.Begun { Rest: var stopped } when stopped.Stopped.IsCancellationRequested:
                using (stopped)
                {
                    // Before the first byte an error is still plain.
                    await FailAsync(context, schema, request, stopped.Next().Failure!).ConfigureAwait(false);
                }

                break;
            case QueryResult.Begun { Index: var index, First: var first, Rest: var rest }:
                RecordRead(context, node, request);
                await rows.SendAsync(context, index, first, rest, started).ConfigureAwait(false);
                break;
            case QueryResult.NotARead when request.RowsMax is not null:
                throw new RequestRejectedException(
                    FailureCode.BadRequest, "\"max_rows\" is for statements that read; this one writes. Nothing was done; leave it out.");
            case QueryResult.NotARead { IsSchema: true } when !schema.IsOpen:
                ClientAccess.Of(context).Require(TokenRole.Schema, "To change the schema");
                await FailAsync(context, schema, request, schema.Refusal()).ConfigureAwait(false);
                break;
            case QueryResult.NotARead:
                await WriteAsync(context, node, schema, request, memory, started).ConfigureAwait(false);
                break;
            case QueryResult.NotDone { Failure: var failure }:
                await FailAsync(context, schema, request, failure).ConfigureAwait(false);
                break;
            case var result:
                throw new UnreachableException(result.GetType().Name);
        }
    }

    private static async Task WriteAsync(HttpContext context, ClusterNode node, SchemaGate schema, QueryRequest request, MemoryShare memory, long started)
    {
        var access = ClientAccess.Of(context);

        // Whatever is written goes to the leader and into the log, even a transaction that only reads.
        access.Require(TokenRole.Write, "To write");
        var write = new WriteCommand
        {
            Database = request.Database.Value,
            Statements = request.Statements,
            IsTransaction = request.IsTransaction,
            IdempotencyKey = request.Id,
            Operation = request.Operation,
            Role = access.Role,
            Client = ClientOf(context),
            Token = access.TokenName,
        };
        switch (await node.WriteAsync(write, request.Timeout ?? node.RequestTimeout, memory, context.RequestAborted).ConfigureAwait(false))
        {
            case WriteResult.Done { Index: var index, Results: var results }:
                await AnswerAsync(context, node, index, started, (json, asObjects) => WriteResults(json, request, results, asObjects))
                    .ConfigureAwait(false);
                break;
            case WriteResult.NotDone { Failure: var failure }:
                await FailAsync(context, schema, request, AccessControl.Explain(failure, BearerToken.Of(context.Request), access.Recheck?.Invoke()))
                    .ConfigureAwait(false);
                break;
            case var result:
                throw new UnreachableException(result.GetType().Name);
        }
    }

    private static void RecordRead(HttpContext context, ClusterNode node, QueryRequest request)
    {
        if (node.RecordsReads)
        {
            node.RecordRead(ClientOf(context), ClientAccess.Of(context).TokenName, request.Database.Value, request.Statements[0].Sql);
        }
    }

    /// <summary>An IPv4 address as such, also where the socket speaks IPv6.</summary>
    internal static string ClientOf(HttpContext context) => context.Connection.RemoteIpAddress switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } mapped => mapped.MapToIPv4().ToString(),
        var address => address.ToString(),
    };

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
        AnswerHeaders.Set(context.Response, index, node.Id);
        var json = new Utf8JsonWriter(context.Response.BodyWriter, ResultJson.Options(query.ContainsKey("pretty")));
        await using (json.ConfigureAwait(false))
        {
            json.WriteStartObject();
            writeBody(json, query.ContainsKey("objects"));
            ResultJson.WriteOrigin(json, index.Value, node.Id.Value, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
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
