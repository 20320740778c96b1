using System.Text;
using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>What goes in comes out, on every node, to the last bit.</summary>
[Collection(nameof(ApiTests))]
public sealed class ValueTests(ApiCluster api) : IAsyncLifetime
{
    private TestCluster Cluster => api.Cluster;

    public async Task InitializeAsync()
    {
        (await Cluster.Master.ExecAsync("CREATE TABLE IF NOT EXISTS value (v)")).IsOk.Should().BeTrue();
        (await Cluster.Master.ExecAsync("DELETE FROM value")).IsOk.Should().BeTrue();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory]
    [InlineData("null", "null", "null")]
    [InlineData("true", "1", "integer")]
    [InlineData("false", "0", "integer")]
    [InlineData("0", "0", "integer")]
    [InlineData("-0", "0", "integer")]
    [InlineData("9007199254740993", "9007199254740993", "integer")]
    [InlineData("-9007199254740993", "-9007199254740993", "integer")]
    [InlineData("9223372036854775807", "9223372036854775807", "integer")]
    [InlineData("-9223372036854775808", "-9223372036854775808", "integer")]
    [InlineData("1.5", "1.5", "real")]
    [InlineData("1.0", "1.0", "real")]
    [InlineData("1e2", "100.0", "real")]
    [InlineData("-0.0", "-0.0", "real")]
    [InlineData("0.1", "0.1", "real")]
    [InlineData("5e-324", "5E-324", "real")]
    [InlineData("1.7976931348623157e308", "1.7976931348623157E+308", "real")]
    [InlineData("9223372036854775808.0", "9.223372036854776E+18", "real")]
    [InlineData("9e999", "9e999", "real")]
    [InlineData("-9e999", "-9e999", "real")]
    [InlineData("\"\"", "\"\"", "text")]
    [InlineData("\"1\"", "\"1\"", "text")]
    [InlineData("\"it's\"", "\"it's\"", "text")]
    [InlineData("\"a\\u0000b\"", "\"a\\u0000b\"", "text")]
    [InlineData("\"Zażółć 漢字\"", "\"Zażółć 漢字\"", "text")]
    [InlineData("\"<b>&\\\"\\\\\\n\"", "\"<b>&\\\"\\\\\\n\"", "text")]
    [InlineData("{\"base64\":\"\"}", "{\"base64\":\"\"}", "blob")]
    [InlineData("{\"base64\":\"AP+AYQ==\"}", "{\"base64\":\"AP+AYQ==\"}", "blob")]
    public async Task A_parameter(string json, string expected, string type)
    {
        var written = await Cluster[1].PostAsync($$"""{"command":"exec","query":"INSERT INTO value VALUES (?)","params":[{{json}}]}""");
        written.IsOk.Should().BeTrue(written.Text);
        await Cluster.ConvergeAsync();
        foreach (var node in Cluster.Nodes)
        {
            (await node.QueryAsync("SELECT v, typeof(v) FROM value")).Rows.Should().Be($"[[{expected},\"{type}\"]]");
        }
    }

    [Theory]
    [InlineData("9007199254740993", "9007199254740993", "integer")]
    [InlineData("9223372036854775807", "9223372036854775807", "integer")]
    [InlineData("-9223372036854775808", "-9223372036854775808", "integer")]
    [InlineData("9223372036854775808", "9.223372036854776E+18", "real")]
    [InlineData("9007199254740993.0", "9007199254740992.0", "real")]
    [InlineData("0x7fffffffffffffff", "9223372036854775807", "integer")]
    [InlineData("9e999", "9e999", "real")]
    [InlineData("9e999 - 9e999", "null", "null")]
    [InlineData("x'00ff'", "{\"base64\":\"AP8=\"}", "blob")]
    public async Task A_literal(string sql, string expected, string type)
    {
        var written = await Cluster[2].ExecAsync($"INSERT INTO value VALUES ({sql})");
        written.IsOk.Should().BeTrue(written.Text);
        await Cluster.ConvergeAsync();
        (await Cluster[0].QueryAsync("SELECT v, typeof(v) FROM value")).Rows.Should().Be($"[[{expected},\"{type}\"]]");
        (await Cluster[1].QueryAsync($"SELECT {sql}")).Rows.Should().Be($"[[{expected}]]");
    }

    [Fact]
    public async Task Text_of_every_plane_comes_back_as_it_went_in()
    {
        const string Text = "😀 👩‍👩‍👧 𝒳 \u0001\u007f\u2028\uffff\0 'quoted' \"twice\" \\ / <tag> ";
        var written = await Cluster[1].ExecAsync("INSERT INTO value VALUES (?)", Text);
        written.IsOk.Should().BeTrue(written.Text);
        (await Cluster[1].QueryAsync("SELECT v FROM value")).Scalar.GetString().Should().Be(Text);
        (await Cluster[1].QueryAsync("SELECT hex(v) FROM value")).Scalar.GetString().Should().Be(Convert.ToHexString(Encoding.UTF8.GetBytes(Text)));
    }

    [Fact]
    public async Task Emoji_are_answered_as_they_are()
    {
        var answer = await Cluster[1].QueryAsync("SELECT '😀'");
        answer.Text.Should().Contain("😀", "people read answers in terminals");
    }

    [Fact]
    public async Task Named_parameters_in_all_their_forms()
    {
        var answer = await Cluster[1].PostAsync(
            """{"command":"query","query":"SELECT :a, @b, $c, :a","params":{"a":1,"@b":"two","$c":null}}""");
        answer.Rows.Should().Be("""[[1,"two",null,1]]""");
    }

    [Fact]
    public async Task Objects_and_pretty_answers()
    {
        var node = Cluster[1];
        var objects = await node.SendAsync(new(HttpMethod.Post, "/?objects") { Content = new StringContent("""{"command":"query","query":"SELECT 1 AS one, 'b' AS two"}""") });
        objects.Rows.Should().Be("""[{"one":1,"two":"b"}]""");
        var pretty = await node.SendAsync(new(HttpMethod.Post, "/query?pretty") { Content = new StringContent("""{"command":"query","query":"SELECT 1"}""") });
        pretty.Text.Should().Contain("\n  \"rows\"");
        JsonElement.Parse(pretty.Text).GetProperty("rows")[0][0].GetInt32().Should().Be(1);
    }

    [Fact]
    public async Task An_insert_with_returning_is_a_write_by_either_command()
    {
        foreach (var (node, send) in Cluster.Nodes.SelectMany(n => (IEnumerable<(TestNode, Func<string, Task<Answer>>)>)
            [(n, sql => n.ExecAsync(sql)), (n, sql => n.QueryAsync(sql))]))
        {
            var answer = await send("INSERT INTO value VALUES (5), (6) RETURNING rowid, v");
            answer.IsOk.Should().BeTrue(answer.Text);
            answer.RowsAffected.Should().Be(2);
            answer.Json.GetProperty("rows").GetArrayLength().Should().Be(2);
            answer.Json.GetProperty("columns").GetRawText().Should().Be("""["rowid","v"]""");
            answer.Json.GetProperty("node").GetInt32().Should().Be(node.Id);
        }

        await Cluster.ConvergeAsync();
        (await Cluster[1].QueryAsync("SELECT count(*) FROM value")).Scalar.GetInt32().Should().Be(12);
    }
}
