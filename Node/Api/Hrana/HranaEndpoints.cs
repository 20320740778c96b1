using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Replication;

namespace DistDb.Node.Api.Hrana;

/// <summary>
/// Hrana over HTTP, libSQL's protocol, in JSON: <c>POST /v2/pipeline</c>, <c>/v3/pipeline</c> and <c>/v3/cursor</c>, for <c>main</c>, and below <c>/db/{database}</c> for any database.
/// </summary>
internal static class HranaEndpoints
{
    private const string Json = "application/json";

    /// <summary>Rows of a cursor are sent when so many bytes are there.</summary>
    private const int FlushBytes = 64 * 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var prefix in (string[])["", "/db/{database}"])
        {
            foreach (var version in (string[])["v2", "v3"])
            {
                routes.MapGet($"{prefix}/{version}", GreetAsync).IsOpenToAll();
                routes.MapPost($"{prefix}/{version}/pipeline", PipelineAsync).Needs(TokenRole.Read);
            }

            routes.MapPost($"{prefix}/v3/cursor", CursorAsync).Needs(TokenRole.Read);
        }
    }

    /// <summary>Clients ask whether a version is there.</summary>
    private static Task GreetAsync(HttpContext context) => context.Response.WriteAsync("Hrana over HTTP, in JSON.\n");

    private static Task PipelineAsync(HttpContext context, ClusterNode node, StreamStore store, StreamSeal seal, RequestGate gate, MemoryBudget budget, OwnerProxy proxy) =>
        ClientRequest.ServeAsync(context, gate, budget, RefuseAsync, memory => ServeAsync(context, node, store, seal, memory, proxy, RunPipelineAsync));

    private static Task CursorAsync(HttpContext context, ClusterNode node, StreamStore store, StreamSeal seal, RequestGate gate, MemoryBudget budget, OwnerProxy proxy) =>
        ClientRequest.ServeAsync(context, gate, budget, RefuseAsync, memory => ServeAsync(context, node, store, seal, memory, proxy, RunCursorAsync));

    private static async Task ServeAsync(
        HttpContext context, ClusterNode node, StreamStore store, StreamSeal seal, MemoryShare memory, OwnerProxy proxy, Func<Exchange, Task> run)
    {
        Exchange? exchange = null;
        try
        {
            var bytes = await RequestBody.ReadAsync(context, node.RequestTimeout, memory, body => body.ToArray()).ConfigureAwait(false);
            using var document = Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new HranaException("The body must be a JSON object.");
            }

            var access = ClientAccess.Of(context);
            var database = DatabaseOf(context);
            access.Require(database);
            HranaStream stream;
            if (HranaJson.Member(document.RootElement, "baton") is { } baton)
            {
                var id = seal.Read(HranaJson.Text(baton, "baton")) ?? throw new HranaException("The baton is none of this cluster's.");
                if (await proxy.TryHandOnAsync(context, id.Node, bytes, why => RefuseAsync(context, StatusCodes.Status410Gone, LostStream(why))).ConfigureAwait(false))
                {
                    return;
                }

                stream = store.Take(id) ?? throw new HranaException(
                    StatusCodes.Status400BadRequest,
                    new("STREAM_EXPIRED", "The stream of this baton has ended, or the baton was used before, or the node was restarted. Nothing of this request was done; open a new stream."));
                if (stream.Token != access.TokenName || stream.Database != database)
                {
                    // Whoever has the right one can still use it.
                    store.Keep(stream);
                    throw new HranaException("The baton belongs to another token or another database.");
                }
            }
            else
            {
                stream = new(node, store, database, access.TokenName);
            }

            stream.Sequence++;
            var request = new HranaRequest(access, QueryEndpoint.ClientOf(context), BearerToken.Of(context.Request), memory, context.RequestAborted);
            exchange = new(context, document.RootElement, stream, request, seal.Write(new(node.Id, stream.Id, stream.Sequence)), store);
            await run(exchange).ConfigureAwait(false);
        }
        catch (HranaException e)
        {
            await RefuseAsync(context, e.Status, e.Failure).ConfigureAwait(false);
        }
        finally
        {
            exchange?.Dispose();
        }
    }

    private static async Task RunPipelineAsync(Exchange exchange)
    {
        var (context, body, _, request, baton, _) = exchange;
        var results = new ArrayBufferWriter<byte>();
        var json = new Utf8JsonWriter(results, ResultJson.Options(isPretty: false));
        await using (json.ConfigureAwait(false))
        {
            json.WriteStartArray();
            foreach (var item in HranaJson.Items(body, "requests"))
            {
                await RunAsync(json, item, exchange).ConfigureAwait(false);
            }

            json.WriteEndArray();
        }

        exchange.End();
        context.Response.ContentType = Json;
        var answer = new Utf8JsonWriter(context.Response.BodyWriter, ResultJson.Options(isPretty: false));
        await using (answer.ConfigureAwait(false))
        {
            answer.WriteStartObject();
            answer.WriteString("baton"u8, exchange.IsClosed ? null : baton);
            answer.WriteNull("base_url"u8);
            answer.WritePropertyName("results"u8);
            answer.WriteRawValue(results.WrittenSpan, skipInputValidation: true);
            answer.WriteEndObject();
        }

        await context.Response.BodyWriter.FlushAsync(request.Cancellation).ConfigureAwait(false);
    }

    /// <summary>Runs one of a pipeline's requests and writes what became of it.</summary>
    private static async Task RunAsync(Utf8JsonWriter json, JsonElement item, Exchange exchange)
    {
        var (stream, request) = (exchange.Stream, exchange.Request);
        var type = HranaJson.Text(HranaJson.Member(item, "type"), "type");
        HranaFailure? failure = null;
        Action? write = null;
        var started = Stopwatch.GetTimestamp();
        if (exchange.IsClosed)
        {
            failure = new("STREAM_CLOSED", "The stream was closed by a request before this one.");
        }
        else
        {
            switch (type)
            {
                case "close":
                    stream.Reset();
                    exchange.IsClosed = true;
                    break;
                case "execute":
                    var statement = HranaJson.ReadStatement(HranaJson.Member(item, "stmt") ?? throw new HranaException("\"execute\" has a \"stmt\"."), stream);
                    var outcome = await stream.ExecuteAsync(statement, request).ConfigureAwait(false);
                    failure = outcome.Failure;
                    write = () => HranaJson.WriteResult(json, outcome.Result!, statement.WantRows, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                    break;
                case "batch":
                    var steps = HranaJson.ReadBatch(HranaJson.Member(item, "batch"), stream);
                    var outcomes = await stream.ExecuteAsync(steps, request).ConfigureAwait(false);
                    write = () => WriteBatch(json, steps, outcomes, Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                    break;
                case "sequence":
                    failure = await stream.ExecuteSequenceAsync(HranaJson.ReadSql(item, stream), request).ConfigureAwait(false);
                    break;
                case "describe":
                    var sql = HranaJson.ReadSql(item, stream);
                    var (description, refusal) = await stream.DescribeAsync(sql, request).ConfigureAwait(false);
                    failure = refusal is null ? null : HranaFailure.Of(refusal, sql);
                    write = () => HranaJson.WriteDescription(json, description!);
                    break;
                case "store_sql":
                    failure = stream.StoreSql(HranaJson.Int(HranaJson.Member(item, "sql_id"), "sql_id"), HranaJson.Text(HranaJson.Member(item, "sql"), "sql"));
                    break;
                case "close_sql":
                    stream.CloseSql(HranaJson.Int(HranaJson.Member(item, "sql_id"), "sql_id"));
                    break;
                case "get_autocommit":
                    break;
                default:
                    throw new HranaException($"There is no request of the type \"{type}\".");
            }
        }

        json.WriteStartObject();
        json.WriteString("type"u8, failure is null ? "ok"u8 : "error"u8);
        if (failure is not null)
        {
            json.WritePropertyName("error"u8);
            failure.Write(json);
        }
        else
        {
            json.WriteStartObject("response"u8);
            json.WriteString("type"u8, type);
            if (write is not null)
            {
                json.WritePropertyName("result"u8);
                write();
            }
            else if (type == "get_autocommit")
            {
                json.WriteBoolean("is_autocommit"u8, stream.IsAutocommit);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteBatch(Utf8JsonWriter json, List<HranaStep> steps, IReadOnlyList<HranaOutcome> outcomes, double elapsedMs)
    {
        json.WriteStartObject();
        json.WriteStartArray("step_results"u8);
        for (var i = 0; i < outcomes.Count; i++)
        {
            if (outcomes[i].Result is { } result)
            {
                HranaJson.WriteResult(json, result, steps[i].Statement.WantRows, elapsedMs);
            }
            else
            {
                json.WriteNullValue();
            }
        }

        json.WriteEndArray();
        json.WriteStartArray("step_errors"u8);
        foreach (var outcome in outcomes)
        {
            if (outcome.Failure is { } failure)
            {
                failure.Write(json);
            }
            else
            {
                json.WriteNullValue();
            }
        }

        json.WriteEndArray();
        json.WriteNull("replication_index"u8);
        json.WriteEndObject();
    }

    private static async Task RunCursorAsync(Exchange exchange)
    {
        var (context, body, stream, request, baton, _) = exchange;
        var steps = HranaJson.ReadBatch(HranaJson.Member(body, "batch"), stream);
        context.Response.ContentType = "application/x-ndjson";
        var output = context.Response.BodyWriter;
        WriteLine(json =>
        {
            json.WriteString("baton"u8, baton);
            json.WriteNull("base_url"u8);
        });
        try
        {
            await stream.ExecuteAsync(steps, request, WriteStepAsync).ConfigureAwait(false);
        }
        catch (HranaException e)
        {
            // The first line is on its way: the error is the last one, and the stream is over.
            exchange.IsClosed = true;
            WriteLine(json =>
            {
                json.WriteString("type"u8, "error"u8);
                json.WritePropertyName("error"u8);
                e.Failure.Write(json);
            });
        }

        exchange.End();
        await output.FlushAsync(request.Cancellation).ConfigureAwait(false);

        async Task WriteStepAsync(int step, HranaOutcome outcome)
        {
            if (outcome.Failure is { } failure)
            {
                WriteLine(json =>
                {
                    json.WriteString("type"u8, "step_error"u8);
                    json.WriteNumber("step"u8, step);
                    json.WritePropertyName("error"u8);
                    failure.Write(json);
                });
                return;
            }

            var result = outcome.Result!;
            WriteLine(json =>
            {
                json.WriteString("type"u8, "step_begin"u8);
                json.WriteNumber("step"u8, step);
                HranaJson.WriteColumns(json, result.Rows);
            });
            foreach (var row in steps[step].Statement.WantRows ? result.Rows?.Rows ?? [] : [])
            {
                WriteLine(json =>
                {
                    json.WriteString("type"u8, "row"u8);
                    json.WritePropertyName("row"u8);
                    HranaJson.WriteRow(json, row);
                });
                if (output.UnflushedBytes > FlushBytes)
                {
                    await output.FlushAsync(request.Cancellation).ConfigureAwait(false);
                }
            }

            WriteLine(json =>
            {
                json.WriteString("type"u8, "step_end"u8);
                HranaJson.WriteCounts(json, result);
            });
        }

        void WriteLine(Action<Utf8JsonWriter> write)
        {
            using (var json = new Utf8JsonWriter(output, ResultJson.Options(isPretty: false)))
            {
                json.WriteStartObject();
                write(json);
                json.WriteEndObject();
            }

            output.Write("\n"u8);
        }
    }

    private static JsonDocument Parse(byte[] body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException e)
        {
            throw new HranaException($"The body is no JSON: {e.Message}");
        }
    }

    private static DatabaseName DatabaseOf(HttpContext context) => context.Request.RouteValues["database"] is not string name ? DatabaseName.Main
        : DatabaseName.TryParse(name, out var database) ? database
        : throw new HranaException($"\"{name}\" is no name of a database.");

    private static HranaFailure LostStream(string why) => new(
        "STREAM_LOST", $"{why} The stream is lost; what it had not committed is not done. Open a new one and run its transaction again.");

    private static Task RefuseAsync(HttpContext context, Failure failure)
    {
        var (_, status, _) = Problem.Of(failure.Code);
        return RefuseAsync(context, status, HranaFailure.Of(failure));
    }

    /// <summary>Clients read such a body only where its type is exactly this, without a charset.</summary>
    private static async Task RefuseAsync(HttpContext context, int status, HranaFailure failure)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = Json;
        var json = new Utf8JsonWriter(context.Response.BodyWriter, ResultJson.Options(isPretty: false));
        await using (json.ConfigureAwait(false))
        {
            json.WriteStartObject();
            json.WriteString("message"u8, failure.Message);
            json.WriteString("code"u8, failure.Code);
            json.WriteString("error"u8, failure.Message);
            json.WriteEndObject();
        }
    }

    /// <summary>A request to a stream, and its answer. A stream that does not wait for its next request in the end is over.</summary>
    private sealed record Exchange(HttpContext Context, JsonElement Body, HranaStream Stream, HranaRequest Request, string Baton, StreamStore Store) : IDisposable
    {
        private bool _isKept;

        /// <summary>Whether the stream ends with it.</summary>
        public bool IsClosed { get; set; }

        /// <summary>All is done but the sending: the next request may come as soon as the baton is out.</summary>
        public void End()
        {
            if (!IsClosed)
            {
                _isKept = true;
                Store.Keep(Stream);
            }
        }

        public void Dispose()
        {
            if (!_isKept)
            {
                Stream.Dispose();
            }
        }
    }
}
