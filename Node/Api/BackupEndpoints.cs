using System.Diagnostics;
using DistDb.Master;
using DistDb.Node.Backups;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace DistDb.Node.Api;

/// <summary>
/// <c>GET /backup/{database}</c>: a database as a SQLite file, as of one entry. <c>GET /backup</c>: all of them as a tar archive, as of one entry. Both at any
/// node. <c>POST /restore/{database}</c>: a SQLite file in, at the master, which becomes the database on every node.
/// </summary>
internal static class BackupEndpoints
{
    private const string SqliteType = "application/vnd.sqlite3";
    private const string TarType = "application/x-tar";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/backup", GetAllAsync).Needs(TokenRole.Admin);
        routes.MapGet("/backup/{database}", GetAsync).Needs(TokenRole.Admin);
        routes.MapPost("/restore/{database}", RestoreAsync).Needs(TokenRole.Admin);
    }

    private static Task<IResult> GetAsync(string database, HttpContext context, ClusterNode node, TransferGate gate) => TransferAsync(context, node, gate, async folder =>
    {
        var name = ReadName(database);
        var (made, failure) = await node.BackUpAsync([name.Value], folder, context.RequestAborted).ConfigureAwait(false);
        if (failure is not null || made.Count == 0)
        {
            return Problem.ToResult(failure ?? DatabaseSet.NoSuchDatabase(name.Value));
        }

        var path = DatabaseFile.PathIn(folder, name.Value);
        Describe(context.Response, node, SqliteType, FileNameOf(made[0], name.Value, "db"), made[0].Index);
        context.Response.ContentLength = new FileInfo(path).Length;

        // RFC 9530: whoever takes it can see that nothing was lost on the way.
        context.Response.Headers[AnswerHeaders.Digest] = $"sha-256=:{Convert.ToBase64String(await ClusterNode.HashAsync(path, context.RequestAborted).ConfigureAwait(false))}:";
        await context.Response.SendFileAsync(path, context.RequestAborted).ConfigureAwait(false);
        return Results.Empty;
    });

    private static Task<IResult> GetAllAsync(HttpContext context, ClusterNode node, TransferGate gate) => TransferAsync(context, node, gate, async folder =>
    {
        var (archive, failure) = await BackupArchive.CollectAsync(node, folder, context.RequestAborted).ConfigureAwait(false);
        if (archive is null)
        {
            return Problem.ToResult(failure!);
        }

        Describe(context.Response, node, TarType, FileNameOf(archive.Databases[0], "distdb", "tar"), archive.Index);
        await archive.WriteToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
        return Results.Empty;
    });

    private static Task<IResult> RestoreAsync(string database, HttpContext context, ClusterNode node, SchemaGate schema, TransferGate gate) => TransferAsync(context, node, gate, async folder =>
    {
        var started = Stopwatch.GetTimestamp();
        var name = ReadName(database);
        var (replaces, wanted) = (ReadFlag(context.Request, "replace") ?? false, ReadFlag(context.Request, "foreign_keys"));
        if (name.RefusalToReplace() is { } reserved)
        {
            return Problem.ToResult(reserved);
        }

        if (!schema.IsOpen)
        {
            return Problem.ToResult(schema.Refusal(), [new("master", schema.MasterAddress)]);
        }

        var path = Path.Combine(folder, "file.db");
        if (await ReceiveAsync(context, path).ConfigureAwait(false) is { } unfit)
        {
            return Problem.ToResult(unfit);
        }

        var foreignKeys = wanted ?? BackupFile.Describe(path)?.ForeignKeys ?? true;
        var hasForeignKeys = node.Databases.Contains(name.Value) ? node.HasForeignKeys(name.Value) : foreignKeys;
        if (await Task.Run(() => ForeignFile.Prepare(path, hasForeignKeys, context.RequestAborted), context.RequestAborted).ConfigureAwait(false) is { } refusal)
        {
            return Problem.ToResult(refusal);
        }

        var access = ClientAccess.Of(context);
        var bytes = new FileInfo(path).Length;
        switch (await node.LoadDatabaseAsync(path, name.Value, replaces, foreignKeys, QueryEndpoint.ClientOf(context), access.TokenName, context.RequestAborted).ConfigureAwait(false))
        {
            case WriteResult.Done { Index: var index }:
                AnswerHeaders.Set(context.Response, index, node.Id);
                return Results.Json(
                    new RestoreAnswer(name.Value, bytes, index.Value, node.Id.Value, Stopwatch.GetElapsedTime(started).TotalMilliseconds), ApiJsonContext.Default.RestoreAnswer);
            case WriteResult.NotDone { Failure: { Code: FailureCode.NotMaster } }:
                return Problem.ToResult(schema.Refusal(), [new("master", schema.MasterAddress)]);
            case WriteResult.NotDone { Failure: { Code: FailureCode.OutcomeUnknown } failure }:
                return Problem.ToResult(failure with { Detail = $"It is not known whether the database \"{name}\" was replaced: the cluster did not say so in time. It is as it was, or is the file's content as a whole; look at it, and send the file again if need be." });
            case WriteResult.NotDone { Failure: var failure }:
                return Problem.ToResult(failure);
            case var result:
                throw new UnreachableException(result.GetType().Name);
        }
    });

    /// <summary>Runs a handler with a folder of its own, as one of a few at a time.</summary>
    private static Task<IResult> TransferAsync(HttpContext context, ClusterNode node, TransferGate gate, Func<string, Task<IResult>> handle) => ClusterEndpoints.GuardAsync(context, async () =>
    {
        if (!gate.TryEnter())
        {
            return Problem.ToResult(gate.Refusal);
        }

        var folder = Path.Combine(node.TransferPath, Guid.NewGuid().ToString("n"));
        try
        {
            Directory.CreateDirectory(folder);
            return await handle(folder).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StorageFailedException or (IOException and not BadHttpRequestException) && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            // Of the copy: the database itself is not touched. Whoever asks is not told where this node has its files.
            node.TellCopyFailed(e);
            return Problem.ToResult(new(FailureCode.Overloaded, "This node's disk did not take a copy; it may be full, and the node's log says more. Nothing was changed; ask another node, or make room."));
        }
        finally
        {
            gate.Leave();
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    });

    /// <summary>Takes a request's body into a file. Null once it is there.</summary>
    private static async Task<Failure?> ReceiveAsync(HttpContext context, string path)
    {
        // The limit of requests is meant for what is held in memory.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        if (context.Request.ContentLength is { } length && DiskProbe.RoomLacking(Path.GetDirectoryName(path)!, length) is { } lacking)
        {
            return new(FailureCode.TooLarge, $"This node's disk {lacking}");
        }

        var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Options = FileOptions.Asynchronous });
        await using var _ = file.ConfigureAwait(false);
        await context.Request.Body.CopyToAsync(file, context.RequestAborted).ConfigureAwait(false);
        return null;
    }

    private static DatabaseName ReadName(string text) => DatabaseName.TryParse(text, out var name) && !name.IsInternal
        ? name
        : throw new RequestRejectedException(FailureCode.BadRequest, $"\"{text}\" is no name of a database: {DatabaseName.Rule}. Nothing was done.");

    /// <summary>Null where the request does not say.</summary>
    private static bool? ReadFlag(HttpRequest request, string name) => request.Query[name].ToString() switch
    {
        _ when !request.Query.ContainsKey(name) => null,
        "" or "true" or "1" => true,
        "false" or "0" => false,
        var text => throw new RequestRejectedException(FailureCode.BadRequest, $"\"{name}\" is \"{text}\"; it may be true or false. Nothing was done."),
    };

    private static string FileNameOf(BackupDescription backup, string name, string extension) =>
        BackupFolder.NameOf(name, DateTimeOffset.FromUnixTimeMilliseconds(backup.TimeMs), backup.Index, extension);

    private static void Describe(HttpResponse response, ClusterNode node, string type, string fileName, long index)
    {
        response.ContentType = type;
        response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = fileName }.ToString();
        AnswerHeaders.Set(response, new LogIndex(index), node.Id);
    }
}

/// <summary>What <c>POST /restore/{database}</c> answers.</summary>
/// <param name="Database">The database.</param>
/// <param name="Bytes">Bytes of its content's file, as all nodes have it.</param>
/// <param name="Index">The log index from which on it is the content.</param>
/// <param name="Node">The node that answers.</param>
/// <param name="ElapsedMs">How long it took, from the first byte on.</param>
public sealed record RestoreAnswer(string Database, long Bytes, long Index, int Node, double ElapsedMs);
