using System.Globalization;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace DistDb.Tests.Tools;

/// <summary>What a fake node was asked.</summary>
internal sealed record FakeRequest(string Command, string Query, IReadOnlyList<SqlValue> Parameters, string? Id, long MinIndex);

/// <summary>An answer in place of the usual one.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The problem's code.</param>
/// <param name="Apply">Whether the write is done all the same, as when only its answer is lost.</param>
internal sealed record FakeProblem(int Status, string Code, bool Apply = false);

/// <summary>
/// Speaks a node's HTTP over an SQLite in memory, without a cluster behind it: tests put into each node what they like, and make it
/// answer as they like.
/// </summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly WebApplication _host;
    private readonly SqliteConnection _database = new("Data Source=:memory:");
    private readonly Lock _lock = new();
    private readonly List<FakeRequest> _requests = [];
    private readonly HashSet<string> _ids = [];
    private readonly Queue<string> _pending = new();

    private FakeNode(int id, WebApplication host)
    {
        Id = id;
        _host = host;
        SqliteLibrary.Initialize();
        _database.Open();
        host.MapGet("/status", () => Results.Json(Status(), ApiJsonContext.Default.NodeStatus));
        host.MapGet("/cluster", () => Results.Json(
            new(Id, 0, 0, [.. Cluster.Select(node => new ClusterMemberStatus(node.Id, node.Address, node.Id == 0 ? "master" : "node", "voter", true, 0, null))]), ApiJsonContext.Default.ClusterStatus));
        host.MapGet("/health/live", () => Results.Json(new("live"), ApiJsonContext.Default.HealthStatus));
        host.MapGet("/cluster/members", () => Results.Json(
            new([.. Cluster.Select(node => new MemberAnswer(node.Id, node.Address, node.Id == 0 ? "master" : "node", "voter", true))]), ApiJsonContext.Default.MembersAnswer));
        host.MapPost("/query", AnswerAsync);
    }

    public int Id { get; }

    /// <summary>Where it listens, or did before it was disposed.</summary>
    public string Address { get; private set; } = "";

    /// <summary>All nodes that <c>/cluster</c> tells of.</summary>
    public IReadOnlyList<FakeNode> Cluster { get; set; } = [];

    /// <summary>The applied index.</summary>
    public long Index { get; set; } = 10;

    /// <summary>Called for each request before it is done; what it returns is answered instead.</summary>
    public Func<FakeRequest, FakeProblem?> Intercept { get; set; } = _ => null;

    public IReadOnlyList<FakeRequest> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    public static async Task<FakeNode> StartAsync(int id)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var node = new FakeNode(id, builder.Build());
        await node._host.StartAsync();
        node.Address = node._host.Urls.First();
        return node;
    }

    public void Execute(string sql)
    {
        lock (_lock)
        {
            Run(sql, []);
        }
    }

    /// <summary>Applies the statement only when a reader waits for an index beyond the present one.</summary>
    public void ExecuteLate(string sql) => _pending.Enqueue(sql);

    public long Scalar(string sql)
    {
        lock (_lock)
        {
            return Run(sql, []).Rows[0][0].Integer;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _database.Dispose();
    }

    private NodeStatus Status() => new()
    {
        Suffrage = "voter",
        Id = Id,
        Role = Id == 0 ? "master" : "node",
        RaftRole = Id == 0 ? "leader" : "follower",
        Address = Address,
        Master = 0,
        Leader = 0,
        Term = 1,
        CommitIndex = Index,
        AppliedIndex = Index,
        FirstLogIndex = 1,
        LastLogIndex = Index,
        Snapshot = null,
        Ready = true,
        ClusterId = Guid.Empty,
        Peers = [],
        Databases = [new("main", 0)],
        Versions = new("0", "0", "0"),
        Counters = new(0, 0, 0, 0),
        UptimeS = 1,
    };

    private async Task AnswerAsync(HttpContext context)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var request = Read(body.RootElement);
        lock (_lock)
        {
            _requests.Add(request);
        }

        var problem = Intercept(request);
        if (problem is { Apply: false })
        {
            await WriteProblemAsync(context, problem);
            return;
        }

        byte[] answer;
        try
        {
            answer = Do(request);
        }
        catch (SqliteException e)
        {
            await WriteProblemAsync(context, new(e.SqliteErrorCode == 19 ? 409 : 400, e.SqliteErrorCode == 19 ? "constraint" : "sql_error"));
            return;
        }

        if (problem is not null)
        {
            await WriteProblemAsync(context, problem);
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(answer);
    }

    private byte[] Do(FakeRequest request)
    {
        lock (_lock)
        {
            while (request.MinIndex > Index && _pending.TryDequeue(out var late))
            {
                Run(late, []);
                Index++;
            }

            Index = Math.Max(Index, request.MinIndex);
            if (request.Command == "exec")
            {
                if (request.Id is null || _ids.Add(request.Id))
                {
                    Run(request.Query, request.Parameters);
                    Index++;
                }

                return System.Text.Encoding.UTF8.GetBytes(string.Create(
                    CultureInfo.InvariantCulture, $"{{\"rows_affected\":1,\"last_insert_id\":1,\"index\":{Index},\"node\":{Id},\"elapsed_ms\":0.1}}"));
            }

            return Write(Run(request.Query, request.Parameters));
        }
    }

    private (string[] Columns, List<SqlValue[]> Rows) Run(string sql, IReadOnlyList<SqlValue> parameters)
    {
        using var command = _database.CreateCommand();

        // The library knows parameters by name alone.
        var position = 0;
        command.CommandText = parameters.Count == 0 || sql.Contains("?1", StringComparison.Ordinal)
            ? sql
            : string.Concat(sql.Split('?').SelectMany((part, i) => i == 0 ? [part] : new[] { $"?{i}", part }));
        foreach (var value in parameters)
        {
            command.Parameters.AddWithValue($"?{++position}", value.Kind switch
            {
                SqlValueKind.Null => DBNull.Value,
                SqlValueKind.Integer => value.Integer,
                SqlValueKind.Real => value.Real,
                SqlValueKind.Text => value.Text,
                _ => value.Blob,
            });
        }

        using var reader = command.ExecuteReader();
        var rows = new List<SqlValue[]>();
        while (reader.Read())
        {
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i) switch
            {
                DBNull => SqlValue.Null,
                long integer => SqlValue.From(integer),
                double real => SqlValue.From(real),
                string text => SqlValue.From(text),
                byte[] blob => SqlValue.From(blob),
                var other => throw new InvalidOperationException(other.GetType().Name),
            })]);
        }

        return ([.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)], rows);
    }

    private byte[] Write((string[] Columns, List<SqlValue[]> Rows) result)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("columns");
            foreach (var column in result.Columns)
            {
                json.WriteStringValue(column);
            }

            json.WriteEndArray();
            json.WriteStartArray("rows");
            foreach (var row in result.Rows)
            {
                json.WriteStartArray();
                foreach (var value in row)
                {
                    SqlValueJson.Write(json, value);
                }

                json.WriteEndArray();
            }

            json.WriteEndArray();
            json.WriteNumber("index", Index);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static FakeRequest Read(JsonElement json) => new(
        json.GetProperty("command").GetString()!,
        json.GetProperty("query").GetString()!,
        json.TryGetProperty("params", out var parameters) ? [.. parameters.EnumerateArray().Select(ReadValue)] : [],
        json.TryGetProperty("id", out var id) ? id.GetString() : null,
        json.TryGetProperty("min_index", out var index) ? index.GetInt64() : 0);

    private static SqlValue ReadValue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => SqlValue.Null,
        JsonValueKind.String => SqlValue.From(value.GetString()!),
        JsonValueKind.Object => SqlValue.From(value.GetProperty("base64").GetBytesFromBase64()),
        _ when value.GetRawText().AsSpan().IndexOfAny('.', 'E', 'e') >= 0 => SqlValue.From(value.GetDouble()),
        _ => SqlValue.From(value.GetInt64()),
    };

    private static Task WriteProblemAsync(HttpContext context, FakeProblem problem)
    {
        context.Response.StatusCode = problem.Status;
        context.Response.ContentType = "application/problem+json";
        return context.Response.WriteAsync($$"""{"type":"urn:x","title":"t","status":{{problem.Status}},"code":"{{problem.Code}}","detail":"detail of {{problem.Code}}."}""");
    }
}
