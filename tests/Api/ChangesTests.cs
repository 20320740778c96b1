using System.Net;
using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary><c>GET /changes</c>.</summary>
[Collection(nameof(ApiTests))]
public sealed class ChangesTests(ApiCluster api)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private TestCluster Cluster => api.Cluster;

    [Fact]
    public async Task Whoever_reads_and_follows_from_there_misses_nothing_at_any_node()
    {
        await DoAsync("main", "CREATE DATABASE followed");
        await DoAsync("followed", "CREATE TABLE a (id INTEGER PRIMARY KEY, x REAL, b BLOB)");
        var from = await DoAsync("followed", "INSERT INTO a VALUES (1, 1, NULL)");
        var last = await DoAsync("followed", "INSERT INTO a VALUES (9007199254740993, 2, x'0aff')");
        last = await DoAsync("followed", "ALTER TABLE a ADD COLUMN t DEFAULT 'żółw'");
        last = await DoAsync("followed", "UPDATE a SET id = 2 WHERE id = 1");
        foreach (var node in Cluster.Nodes)
        {
            using var stream = await OpenAsync(node, $"/changes?database=Followed&from={from}");
            var events = new[] { await NextAsync(stream), await NextAsync(stream), await NextAsync(stream) };
            events.Should().OnlyContain(e => e.Name == "change" && e.Data.GetProperty("database").GetString() == "followed" && e.Data.GetProperty("last").GetBoolean());
            events.Select(e => Text(e.Data.GetProperty("changes"))).Should().Equal(
                """[{"write":0,"operation":"insert","table":"a","key":{"id":9007199254740993},"values":{"id":9007199254740993,"x":2.0,"b":{"base64":"Cv8="}}}]""",
                """[{"write":0,"operation":"schema","statement":"ALTER TABLE","name":"a","sql":"ALTER TABLE a ADD COLUMN t DEFAULT 'żółw'"}]""",
                """[{"write":0,"operation":"update","table":"a","key":{"id":2},"old_key":{"id":1},"values":{"id":2,"x":1.0,"b":null,"t":"żółw"}}]""");
            stream.LastId.Should().Be($"{last}");
        }
    }

    [Fact]
    public async Task Without_a_place_it_begins_now_and_says_where_that_is()
    {
        await DoAsync("main", "CREATE DATABASE now");
        var made = await DoAsync("now", "CREATE TABLE a (x)");

        // Now is what the node has by now.
        (await Cluster[1].PostAsync($$"""{"command":"query","database":"main","query":"SELECT 1","min_index":{{made}}}""")).IsOk.Should().BeTrue();
        using var stream = await OpenAsync(Cluster[1], "/changes?database=now");
        var (name, start) = await NextAsync(stream);
        name.Should().Be("start");
        stream.LastId.Should().Be($"{start.GetProperty("index").GetInt64()}");
        var index = await DoAsync("now", "INSERT INTO a VALUES (1)");
        (await NextAsync(stream)).Data.GetProperty("index").GetInt64().Should().Be(index);
    }

    [Fact]
    public async Task Only_the_tables_that_were_asked_for_are_told()
    {
        await DoAsync("main", "CREATE DATABASE filtered");
        foreach (var sql in new[] { "CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE c (x)" })
        {
            await DoAsync("filtered", sql);
        }

        var from = await DoAsync("filtered", "INSERT INTO c VALUES (0)");
        using var stream = await OpenAsync(Cluster[2], $"/changes?database=filtered&from={from}&table=A&table=b&table=later");
        await DoAsync("filtered", "INSERT INTO c VALUES (1)");
        await DoAsync("filtered", "INSERT INTO a VALUES (1)");
        await DoAsync("filtered", "INSERT INTO c VALUES (2)");
        await DoAsync("filtered", "INSERT INTO b VALUES (2)");
        var told = new[] { await NextAsync(stream), await NextAsync(stream) };
        told.Select(e => e.Data.GetProperty("changes")[0].GetProperty("table").GetString()).Should().Equal("a", "b");
        told[0].Data.GetProperty("changes").GetArrayLength().Should().Be(1);
    }

    [Fact]
    public async Task A_large_write_is_taken_up_in_its_middle()
    {
        await DoAsync("main", "CREATE DATABASE pieces");
        var from = await DoAsync("pieces", "CREATE TABLE a (id INTEGER PRIMARY KEY)");
        await DoAsync("pieces", "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) INSERT INTO a SELECT i FROM n");
        List<long> keys = [];
        string? id = null;
        for (var piece = 0; piece < 3; piece++)
        {
            // What the address says is what the page had; the browser knows better.
            using var stream = await OpenAsync(Cluster[piece], $"/changes?database=pieces&from={from}", id);
            var (_, data) = await NextAsync(stream);
            (data.GetProperty("piece").GetInt32(), data.GetProperty("last").GetBoolean()).Should().Be((piece, piece == 2));
            keys.AddRange(data.GetProperty("changes").EnumerateArray().Select(c => c.GetProperty("key").GetProperty("id").GetInt64()));
            id = stream.LastId;
        }

        keys.Should().Equal(Enumerable.Range(1, 2500).Select(i => (long)i));
        id.Should().Be($"{from + 1}");
    }

    [Fact]
    public async Task The_id_of_a_write_comes_back()
    {
        await DoAsync("main", "CREATE DATABASE ids");
        var from = await DoAsync("ids", "CREATE TABLE a (x)");
        (await Cluster[1].PostAsync("""{"command":"exec","database":"ids","id":"order-17","transaction":[{"query":"INSERT INTO a VALUES (1)"},{"query":"DELETE FROM a"}]}""")).IsOk.Should().BeTrue();
        using var stream = await OpenAsync(Cluster[0], $"/changes?database=ids&from={from}");
        (await NextAsync(stream)).Data.GetProperty("changes").EnumerateArray().Select(c => c.GetProperty("id").GetString()).Should().Equal("order-17", "order-17");
    }

    [Fact]
    public async Task When_the_database_is_dropped_or_replaced_that_is_the_end()
    {
        await DoAsync("main", "CREATE DATABASE ending");
        var from = await DoAsync("ending", "CREATE TABLE a (x)");
        using (var stream = await OpenAsync(Cluster[1], $"/changes?database=ending&from={from}"))
        {
            await DoAsync("main", "DROP DATABASE ending");
            (await NextAsync(stream)).Name.Should().Be("dropped");
            (await stream.NextAsync().WaitAsync(_patience)).Should().BeNull();
        }

        // Another of its name is another one.
        await DoAsync("main", "CREATE DATABASE ending");
        await DoAsync("ending", "CREATE TABLE b (x)");
        (await RefusedAsync(Cluster.Master, $"/changes?database=ending&from={from}")).Should().Be((HttpStatusCode.Gone, "changes_gone"));

        var file = Path.Combine(Cluster.Folder, "ending-backup.db");
        await File.WriteAllBytesAsync(file, await BackupAsync("ending"));
        var before = await DoAsync("ending", "INSERT INTO b VALUES (1)");
        using var replaced = await OpenAsync(Cluster[2], $"/changes?database=ending&from={before}");
        using var content = new ByteArrayContent(await File.ReadAllBytesAsync(file));
        (await Cluster.Master.SendAsync(new(HttpMethod.Post, "/restore/ending?replace") { Content = content })).IsOk.Should().BeTrue();
        var (name, gone) = await NextAsync(replaced);
        name.Should().Be("gone");
        var index = await DoAsync("ending", "INSERT INTO b VALUES (2)");
        gone.GetProperty("oldest").GetInt64().Should().BeInRange(before + 1, index - 1);
        using var anew = await OpenAsync(Cluster[2], $"/changes?database=ending&from={gone.GetProperty("oldest").GetInt64()}");
        (await NextAsync(anew)).Data.GetProperty("index").GetInt64().Should().Be(index);
    }

    [Theory]
    [InlineData("/changes?database=nowhere", HttpStatusCode.NotFound, "no_such_database")]
    [InlineData("/changes?database=history_query", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("/changes?database=a/b", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("/changes?from=-1", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("/changes?from=1.x", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("/changes?from=99999999999999999999", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("/changes?from=1&from=2", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("/changes?tables=a", HttpStatusCode.BadRequest, "bad_request")]
    [InlineData("/changes?from=4000000000000", HttpStatusCode.Gone, "changes_gone")]
    public async Task What_cannot_be_followed_is_refused(string path, HttpStatusCode status, string code) =>
        (await RefusedAsync(Cluster[1], path)).Should().Be((status, code));

    private static Task<EventStream> OpenAsync(TestNode node, string path, string? lastId = null) =>
        EventStream.OpenAsync(node.Address, path, lastId).WaitAsync(_patience);

    private static async Task<(string Name, JsonElement Data)> NextAsync(EventStream stream) =>
        await stream.NextAsync().WaitAsync(_patience) ?? throw new EndOfStreamException();

    private static async Task<(HttpStatusCode? Status, string? Code)> RefusedAsync(TestNode node, string path)
    {
        var refused = (await FluentActions.Awaiting(() => OpenAsync(node, path)).Should().ThrowAsync<HttpRequestException>()).Which;
        return (refused.StatusCode, JsonElement.Parse(refused.Message).GetProperty("code").GetString());
    }

    private static string Text(JsonElement element) => element.GetRawText();

    private async Task<byte[]> BackupAsync(string database)
    {
        using var http = new HttpClient { BaseAddress = Cluster.Master.Address };
        return await http.GetByteArrayAsync($"/backup/{database}");
    }

    private async Task<long> DoAsync(string database, string sql)
    {
        var answer = await Cluster.Master.PostAsync(JsonSerializer.Serialize(new { command = "exec", database, query = sql }));
        answer.IsOk.Should().BeTrue(answer.Text);
        return answer.Json.GetProperty("index").GetInt64();
    }
}
