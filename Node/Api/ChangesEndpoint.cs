using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Database.Changes;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary>
/// <c>GET /changes</c>: what was committed to a database, as server-sent events, from this node's own copy (docs/adr/0019). While nothing changes, a follower costs a connection and no more;
/// while it does not take what it is sent, some of the changes in memory besides.
/// </summary>
internal static class ChangesEndpoint
{
    /// <summary>What is gathered of an event before the follower must take it.</summary>
    private const int FlushBytes = 64 << 10;

    /// <summary>So often a follower hears something, and the node finds out whether it is still there and may be.</summary>
    private static readonly TimeSpan _heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>Before it is answered at all, so that what can be refused is.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/changes", ServeAsync).Needs(TokenRole.Read);

    private static async Task ServeAsync(
        HttpContext context, ClusterNode node, AccessControl door, FollowerGate gate, MemoryBudget budget, IHostApplicationLifetime lifetime)
    {
        if (!gate.TryEnter())
        {
            await Problem.AnswerAsync(context, gate.Refusal).ConfigureAwait(false);
            return;
        }

        // A stream never ends by itself, and a node that stops waits for its requests.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            var request = ChangesRequest.Read(context.Request);
            ClientAccess.Of(context).Require(request.Database);
            await new Follower(context, node, door, budget, request, end.Token).RunAsync().ConfigureAwait(false);
        }
        catch (RequestRejectedException e)
        {
            await Problem.AnswerAsync(context, e.Failure).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The follower has gone, or the node stops.
        }
        finally
        {
            gate.Leave();
        }
    }

    private sealed class Follower(
        HttpContext context, ClusterNode node, AccessControl door, MemoryBudget budget, ChangesRequest request, CancellationToken end)
    {
        private readonly string _database = request.Database.Value;
        private readonly PipeWriter _body = context.Response.BodyWriter;
        private ChangePosition _position;
        private ChangePosition _told;
        private long _toldAt;

        public async Task RunAsync()
        {
            var isFromNow = request.From is null;
            _position = request.From ?? new(node.AppliedIndex.Value);
            if (await node.FindBeyondLogAsync(_position, end).ConfigureAwait(false) is { } beyond)
            {
                await RefuseAsync(beyond.Failure, beyond.Oldest).ConfigureAwait(false);
                return;
            }

            // A node that lags knows neither what there is by then nor what there is not any more.
            var reached = node.WaitForAsync(new(_position.Index), end);
            if (await IsDoneAsync(reached, _patience).ConfigureAwait(false))
            {
                var next = node.NextChanges(_database);
                var result = await node.ReadChangesAsync(_database, _position, end).ConfigureAwait(false);
                switch (result)
                {
                    case ChangesResult.Read { Pieces: var pieces }:
                        await StartAsync(isFromNow).ConfigureAwait(false);
                        if (await SendAsync(pieces, next).ConfigureAwait(false))
                        {
                            await FollowAsync().ConfigureAwait(false);
                        }

                        break;
                    case ChangesResult.Gone { Failure: var failure, Oldest: var oldest }:
                        await RefuseAsync(failure, oldest).ConfigureAwait(false);
                        break;
                    case ChangesResult.NoDatabase { Failure: var failure }:
                        await Problem.AnswerAsync(context, failure).ConfigureAwait(false);
                        break;
                    case ChangesResult.NotDone { Failure: var failure }:
                        await Problem.AnswerAsync(context, failure).ConfigureAwait(false);
                        break;
                }

                return;
            }

            await StartAsync(isFromNow).ConfigureAwait(false);
            while (!await IsDoneAsync(reached, _heartbeat).ConfigureAwait(false))
            {
                if (!MayGoOn())
                {
                    return;
                }

                await CommentAsync("waiting").ConfigureAwait(false);
            }

            await FollowAsync().ConfigureAwait(false);
        }

        private async Task FollowAsync()
        {
            while (MayGoOn())
            {
                // Asked for before what it is about is read.
                var next = node.NextChanges(_database);
                switch (await node.ReadChangesAsync(_database, _position, end).ConfigureAwait(false))
                {
                    case ChangesResult.Read { Pieces: var pieces }:
                        if (!await SendAsync(pieces, next).ConfigureAwait(false))
                        {
                            return;
                        }

                        break;
                    case ChangesResult.Gone { Failure: var failure, Oldest: var oldest }:
                        await TellEndAsync("gone", json =>
                        {
                            json.WriteString("code"u8, Problem.Of(failure.Code).Code);
                            json.WriteString("detail"u8, failure.Detail);
                            json.WriteNumber("oldest"u8, oldest);
                        }).ConfigureAwait(false);
                        return;
                    case ChangesResult.NoDatabase:
                        await TellEndAsync("dropped", _ => { }).ConfigureAwait(false);
                        return;
                    case ChangesResult.NotDone { Failure: var failure }:
                        await CommentAsync(failure.Detail).ConfigureAwait(false);
                        return;
                }
            }
        }

        /// <summary>Sends what is there; where nothing is, waits until there may be.</summary>
        /// <returns>False where this node has no memory for it now: the follower comes back with where it was.</returns>
        private async Task<bool> SendAsync(IReadOnlyList<ChangePiece> pieces, Task next)
        {
            if (pieces.Count == 0)
            {
                await WaitAsync(next).ConfigureAwait(false);
                return true;
            }

            using var memory = budget.Open();
            if (!memory.TryGrow(pieces.Sum(p => (long)p.Bytes.Length)))
            {
                await CommentAsync("This node holds as many bytes for requests as it may (--request-memory).").ConfigureAwait(false);
                return false;
            }

            foreach (var piece in pieces)
            {
                await SendAsync(piece).ConfigureAwait(false);
            }

            await _body.FlushAsync(end).ConfigureAwait(false);
            return true;
        }

        private async Task SendAsync(ChangePiece piece)
        {
            var changes = piece.Read();
            _position = piece.Position;
            if (!changes.Exists(request.Wants))
            {
                // So that it does not come back with where it was long ago; but not with each.
                if (Environment.TickCount64 - _toldAt > 1000)
                {
                    TellPosition();
                }

                return;
            }

            Write($"event: change\nid: {_position}\ndata: ");
            using var json = new Utf8JsonWriter(_body, ResultJson.Options(isPretty: false));
            json.WriteStartObject();
            json.WriteNumber("index"u8, piece.Position.Index);
            json.WriteNumber("piece"u8, piece.Number);
            json.WriteBoolean("last"u8, piece.Position.Piece is null);
            json.WriteString("database"u8, _database);
            json.WriteString("time"u8, DateTimeOffset.FromUnixTimeMilliseconds(piece.TimeMs).UtcDateTime);
            json.WriteStartArray("changes"u8);
            long flushed = 0;
            foreach (var change in changes.Where(request.Wants))
            {
                ChangeJson.Write(json, change);
                if (json.BytesCommitted + json.BytesPending - flushed > FlushBytes)
                {
                    json.Flush();
                    flushed = json.BytesCommitted;
                    await _body.FlushAsync(end).ConfigureAwait(false);
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
            json.Flush();
            Write("\n\n");
            NoteTold();
        }

        private async Task WaitAsync(Task next)
        {
            while (!await IsDoneAsync(next, _heartbeat).ConfigureAwait(false))
            {
                if (!MayGoOn())
                {
                    return;
                }

                if (_told != _position)
                {
                    TellPosition();
                    await _body.FlushAsync(end).ConfigureAwait(false);
                }
                else
                {
                    await CommentAsync("nothing new").ConfigureAwait(false);
                }
            }
        }

        private async Task StartAsync(bool isFromNow)
        {
            var response = context.Response;
            response.ContentType = EventsEndpoint.ContentType;
            response.Headers.CacheControl = "no-store";
            Write("retry: 1000\n");
            if (isFromNow)
            {
                Event("start", _position, json => json.WriteNumber("index"u8, _position.Index));
            }
            else
            {
                Write(": following\n\n");
            }

            NoteTold();
            await _body.FlushAsync(end).ConfigureAwait(false);
        }

        private async Task TellEndAsync(string name, Action<Utf8JsonWriter> write)
        {
            Event(name, _position, write);
            await _body.FlushAsync(end).ConfigureAwait(false);
        }

        private void Event(string name, ChangePosition position, Action<Utf8JsonWriter> write)
        {
            Write($"event: {name}\nid: {position}\ndata: ");
            using (var json = new Utf8JsonWriter(_body, ResultJson.Options(isPretty: false)))
            {
                json.WriteStartObject();
                json.WriteString("database"u8, _database);
                write(json);
                json.WriteEndObject();
            }

            Write("\n\n");
        }

        /// <summary>An event without data: browsers take the id and tell nobody.</summary>
        private void TellPosition()
        {
            Write($"id: {_position}\n\n");
            NoteTold();
        }

        private void NoteTold() => (_told, _toldAt) = (_position, Environment.TickCount64);

        private async Task CommentAsync(string text)
        {
            Write($": {text}\n\n");
            await _body.FlushAsync(end).ConfigureAwait(false);
        }

        private void Write(string text) => Encoding.UTF8.GetBytes(text, _body);

        private Task RefuseAsync(Failure failure, long oldest) =>
            Problem.ToResult(failure, KeyValuePair.Create<string, object?>("oldest", oldest)).ExecuteAsync(context);

        /// <summary>A token may expire or be revoked while its owner follows.</summary>
        private bool MayGoOn() => door.Judge(context.Request, TokenRole.Read).Access is { } access && access.MayUse(_database);

        private async Task<bool> IsDoneAsync(Task task, TimeSpan patience)
        {
            try
            {
                await task.WaitAsync(patience, end).ConfigureAwait(false);
                return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }
    }
}
