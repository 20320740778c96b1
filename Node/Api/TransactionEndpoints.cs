using System.Diagnostics;
using System.Text.Json;
using DistDb.Master;
using DistDb.Node.Api.Hrana;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary><c>POST /transactions</c> begins an interactive transaction; <c>POST /transactions/{id}</c> executes statements in it, commits it and rolls it back, at any node.</summary>
internal static class TransactionEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/transactions", BeginAsync).Needs(TokenRole.Read);
        routes.MapPost("/transactions/{id}", ContinueAsync).Needs(TokenRole.Read);
    }

    private static Task<IResult> BeginAsync(HttpContext context, ClusterNode node, StreamStore store, StreamSeal seal, RequestGate gate) => ClusterEndpoints.GuardAsync(context, async () =>
    {
        if (!gate.TryEnter())
        {
            return Problem.ToResult(gate.Refusal);
        }

        ClientTransaction? transaction = null;
        try
        {
            var request = await JsonBody.ReadAsync(context, ApiJsonContext.Default.BeginTransactionRequest, """{"database":"main","mode":"immediate"}""", ifEmpty: new()).ConfigureAwait(false);
            var access = ClientAccess.Of(context);
            if (!DatabaseName.TryParse(request.Database ?? DatabaseName.Main.Value, out var database))
            {
                throw new RequestRejectedException(FailureCode.BadRequest, $"\"{request.Database}\" is no name of a database. Nothing was done.");
            }

            access.Require(database);
            var mode = request.Mode switch
            {
                null or "deferred" => TransactionMode.Deferred,
                "immediate" => TransactionMode.Immediate,
                "read_only" => TransactionMode.ReadOnly,
                var other => throw new RequestRejectedException(FailureCode.BadRequest, $"There is no mode \"{other}\"; these are: deferred, immediate, read_only. Nothing was done."),
            };
            transaction = node.OpenTransaction(
                new() { Database = database.Value, Mode = mode, Role = access.Role, Client = QueryEndpoint.ClientOf(context), Token = access.TokenName }, out var failure);
            failure ??= await transaction!.BeginAsync(node.RequestTimeout, context.RequestAborted).ConfigureAwait(false);
            if (failure is not null)
            {
                return Problem.ToResult(failure);
            }

            var native = new NativeTransaction(transaction!, access.TokenName);
            store.Keep(native);
            transaction = null;
            return Results.Json(
                new BeginTransactionAnswer(
                    seal.Write(new(node.Id, native.Id, 0)),
                    database.Value,
                    request.Mode ?? "deferred",
                    node.Id.Value,
                    (long)node.TransactionIdle.TotalMilliseconds,
                    (long)node.TransactionTimeout.TotalMilliseconds),
                ApiJsonContext.Default.BeginTransactionAnswer);
        }
        finally
        {
            // Also where its client has gone before it knows what it is called.
            transaction?.Dispose();
            gate.Leave();
        }
    });

    private static Task ContinueAsync(
        string id, HttpContext context, ClusterNode node, SchemaGate schema, StreamStore store, StreamSeal seal, RequestGate gate, MemoryBudget budget, OwnerProxy proxy) =>
        ClientRequest.ServeAsync(
            context,
            gate,
            budget,
            Problem.AnswerAsync,
            async memory =>
            {
                var body = await RequestBody.ReadAsync(context, node.RequestTimeout, memory, bytes => bytes.ToArray()).ConfigureAwait(false);
                var steps = TransactionStepsParser.Parse(body);
                if (seal.Read(id) is not { } stream)
                {
                    throw new RequestRejectedException(new(FailureCode.NoSuchTransaction, "This is the id of no transaction. Nothing was done."));
                }

                if (await proxy.TryHandOnAsync(context, stream.Node, body, why => FailAsync(
                    context, schema, new(FailureCode.TransactionLost, $"{why} Nothing of it is done unless its commit was answered; run it again from its beginning."), "rolled_back")).ConfigureAwait(false))
                {
                    return;
                }

                if (store.Find(stream.Id) is not { } native || native.Token != ClientAccess.Of(context).TokenName)
                {
                    throw new RequestRejectedException(new(
                        FailureCode.NoSuchTransaction, "There is no such transaction at its node: it ended a while ago, or the node was restarted, and then nothing of it was done. Begin a new one."));
                }

                await native.Gate.WaitAsync(context.RequestAborted).ConfigureAwait(false);
                try
                {
                    await RunAsync(context, node, schema, native, steps).ConfigureAwait(false);
                }
                finally
                {
                    native.UsedAtMs = Environment.TickCount64;
                    native.Gate.Release();
                }
            });

    private static async Task RunAsync(HttpContext context, ClusterNode node, SchemaGate schema, NativeTransaction native, TransactionSteps steps)
    {
        var started = Stopwatch.GetTimestamp();
        var transaction = native.Transaction;
        var results = new List<StatementResult>();
        if (native.CommittedIndex is not null && steps is not { EndsWithCommit: true, Statements.Count: 0 })
        {
            await FailAsync(context, schema, new(FailureCode.NoSuchTransaction, $"The transaction was committed in entry {native.CommittedIndex}. Nothing more was done."), "committed").ConfigureAwait(false);
            return;
        }

        if (native.IsRolledBack && !steps.EndsWithRollback)
        {
            await FailAsync(context, schema, transaction.Loss ?? new(FailureCode.NoSuchTransaction, "The transaction was rolled back. Nothing was done."), "rolled_back").ConfigureAwait(false);
            return;
        }

        if (!native.IsRolledBack && native.CommittedIndex is null)
        {
            foreach (var statement in steps.Statements)
            {
                if (TransactionControl.Parse(statement.Sql) is { Verb: TransactionVerb.Begin or TransactionVerb.Commit or TransactionVerb.Rollback })
                {
                    throw new RequestRejectedException(FailureCode.BadRequest, $"Statement {results.Count} begins or ends a transaction; say \"commit\": true or \"rollback\": true. The statements before it were executed, and the transaction goes on.");
                }

                var outcome = await transaction.RunAsync(statement, node.RequestTimeout, context.RequestAborted).ConfigureAwait(false);
                if (outcome.Failure is { } failure)
                {
                    native.IsRolledBack = transaction.IsOver;
                    await FailAsync(context, schema, failure with { StatementIndex = results.Count }, native.IsRolledBack ? "rolled_back" : "open").ConfigureAwait(false);
                    return;
                }

                results.Add(outcome.Result!);
            }

            if (steps.EndsWithRollback)
            {
                transaction.Dispose();
                native.IsRolledBack = true;
            }
            else if (steps.EndsWithCommit)
            {
                switch (await transaction.CommitAsync(node.RequestTimeout, context.RequestAborted).ConfigureAwait(false))
                {
                    case WriteResult.Done { Index: var index }:
                        native.CommittedIndex = index.Value;
                        break;
                    case WriteResult.NotDone { Failure: var failure }:
                        native.IsRolledBack = transaction.IsOver && failure.Code != FailureCode.OutcomeUnknown;
                        await FailAsync(context, schema, failure, native.IsRolledBack ? "rolled_back" : transaction.IsOver ? "unknown" : "open").ConfigureAwait(false);
                        return;
                }
            }
        }

        var query = context.Request.Query;
        context.Response.ContentType = "application/json";
        var at = native.CommittedIndex ?? node.AppliedIndex.Value;
        AnswerHeaders.Set(context.Response, new(at), node.Id);
        var json = new Utf8JsonWriter(context.Response.BodyWriter, ResultJson.Options(query.ContainsKey("pretty")));
        await using (json.ConfigureAwait(false))
        {
            json.WriteStartObject();
            json.WriteStartArray("results"u8);
            foreach (var result in results)
            {
                json.WriteStartObject();
                ResultJson.WriteResult(json, result, query.ContainsKey("objects"));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("state"u8, native.CommittedIndex is not null ? "committed"u8 : native.IsRolledBack ? "rolled_back"u8 : "open"u8);
            ResultJson.WriteOrigin(json, at, node.Id.Value, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            json.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }

    private static Task FailAsync(HttpContext context, SchemaGate schema, Failure failure, string state) =>
        (failure.Code == FailureCode.NotMaster
            ? Problem.ToResult(schema.Refusal() with { StatementIndex = failure.StatementIndex }, [new("master", schema.MasterAddress), new("state", state)])
            : Problem.ToResult(failure, [new("state", state)])).ExecuteAsync(context);
}
