using System.Runtime.CompilerServices;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>One cluster of three for all tests of the API. Whatever is refused must leave its content alone.</summary>
public sealed class ApiCluster : IAsyncLifetime
{
    internal TestCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Cluster = await TestCluster.StartAsync();
        (await Cluster.Master.ExecAsync("CREATE TABLE t (id INTEGER PRIMARY KEY, a UNIQUE, b CHECK (b <> 'bad'), c NOT NULL DEFAULT 0)"))
            .IsOk.Should().BeTrue();
        (await Cluster.Master.ExecAsync("INSERT INTO t (a, b) VALUES (1, 'one'), (2, 'two')")).IsOk.Should().BeTrue();
        (await Cluster.Master.ExecAsync("CREATE TABLE child (t INTEGER REFERENCES t (id))")).IsOk.Should().BeTrue();
        await Cluster.ConvergeAsync();
    }

    public async Task DisposeAsync()
    {
        if (Cluster is not null)
        {
            await Cluster.DisposeAsync();
        }
    }

    /// <summary>
    /// Sends what must be refused, and checks all that a refusal promises: the status, the code, problem details without a stack trace,
    /// the same content as before, and nodes that go on.
    /// </summary>
    /// <returns>The answer, for what is particular to it.</returns>
    internal async Task<Answer> ShouldRefuseAsync(
        Func<Task<Answer>> send, int status, string code, [CallerArgumentExpression(nameof(send))] string what = "")
    {
        var before = await Cluster.ConvergeAsync();
        var answer = await send();
        answer.Status.Should().Be(status, $"that is the status of {code} for {what}, but: {answer.Text}");
        answer.ContentType.Should().Be("application/problem+json");
        answer.Code.Should().Be(code, answer.Text);
        answer.Json.GetProperty("status").GetInt32().Should().Be(status);
        answer.Json.GetProperty("type").GetString().Should().Be("urn:distdb:problem:" + code);
        answer.Json.GetProperty("title").GetString().Should().NotBeNullOrWhiteSpace();
        answer.Detail.Should().NotBeNullOrWhiteSpace();
        answer.Text.Should().NotContain("   at ").And.NotContain("Exception").And.NotContain("DistDb.Node");
        (await Cluster.ConvergeAsync()).Should().Be(before, "what is refused changes nothing");
        Cluster.Nodes.Should().OnlyContain(n => n.IsRunning);
        return answer;
    }
}
