using System.Text.Json;
using DistDb.Tests.Support;
using DistDb.Tools;

namespace DistDb.Tests.Cluster;

/// <summary><c>distdb changes</c> as somebody uses it who pipes its lines elsewhere.</summary>
public sealed class ChangesToolTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-changes-");
    private TestCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await TestCluster.StartAsync();

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task It_prints_every_row_once_though_its_node_dies_and_ends_when_the_database_does()
    {
        (await _cluster.Master.PostAsync("""{"command":"create_db","database":"x"}""")).IsOk.Should().BeTrue();
        await ExecAsync("CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT)");
        await ExecAsync("CREATE TABLE b (id INTEGER PRIMARY KEY)");
        using var tool = Start("--url", $"{_cluster[2].Address}", "--database", "x", "--table", "a");
        await _cluster.WaitUntilAsync("it follows", () => Task.FromResult(tool.Errors.Contains("following from entry", StringComparison.Ordinal)));
        await ExecAsync("INSERT INTO a VALUES (1, 'one'), (2, 'two')");
        await ExecAsync("INSERT INTO b VALUES (1)");
        await _cluster.WaitUntilAsync("both rows are printed", () => Task.FromResult(Rows(tool).Count == 2));

        _cluster[2].Kill();
        await _cluster.WaitUntilAsync("a row is written elsewhere", async () => (await _cluster.Master.PostAsync(Body("INSERT OR REPLACE INTO a VALUES (3, NULL)", id: "3"))).IsOk);
        await _cluster.WaitUntilAsync("it goes on at another node", () => Task.FromResult(Rows(tool).Count == 3));
        Rows(tool).Should().Equal("""{"id":1,"v":"one"}""", """{"id":2,"v":"two"}""", """{"id":3,"v":null}""");

        await _cluster.WaitUntilAsync("the database is dropped", async () => (await _cluster.Master.PostAsync("""{"command":"drop_db","database":"x","id":"drop"}""")).IsOk);
        (await tool.WaitForExitAsync(_patience)).Should().Be(ExitCode.BadNews);
        tool.Errors.Should().Contain("the database \"x\" was dropped.");
        Rows(tool).Should().HaveCount(3);
    }

    [Theory]
    [InlineData("--from", "nowhere", "from")]
    [InlineData("--database", "nosuch", "nosuch")]
    [InlineData("--from", "999999", "999999")]
    public async Task What_cannot_be_followed_is_refused(string option, string value, string named)
    {
        using var tool = Start("--url", $"{_cluster[1].Address}", option, value);
        (await tool.WaitForExitAsync(_patience)).Should().NotBe(0, tool.Output);
        tool.Errors.Should().Contain(named).And.NotContain("   at ");
        tool.Output.Should().BeEmpty();
    }

    private static string Body(string query, string id) => JsonSerializer.Serialize(new { command = "exec", database = "x", query, id });

    /// <summary>The values of each line that it has printed.</summary>
    private static List<string> Rows(DistDbProcess tool) =>
        [.. tool.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line).GetProperty("values").GetRawText())];

    private async Task ExecAsync(string sql) => (await _cluster.Master.PostAsync(Body(sql, Guid.NewGuid().ToString()))).IsOk.Should().BeTrue();

    private DistDbProcess Start(params string[] arguments) => DistDbProcess.Start(_folder.FullName, new Dictionary<string, string>(), ["changes", .. arguments]);
}
