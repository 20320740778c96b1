using System.Net;
using System.Net.Sockets;
using System.Text;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>Bodies that the fuzzer found to be misunderstood: each was a defect once.</summary>
[Collection(nameof(ApiTests))]
public sealed class BrokenBodyTests(ApiCluster api)
{
    private TestCluster Cluster => api.Cluster;

    [Theory]
    [InlineData("/cluster/promote", "{}")]
    [InlineData("/cluster/promote", """{"id":1,"id":2}""")]
    [InlineData("/cluster/members", """{"address":"http://x"}""")]
    [InlineData("/cluster/members", """{"id":1}""")]
    public async Task A_member_that_is_not_named_or_named_twice_is_not_guessed(string path, string body)
    {
        await api.ShouldRefuseAsync(() => Cluster[1].PostAsync(path, body), 400, "bad_request");
        var members = (await Cluster[1].GetAsync("/cluster/members")).Json.GetProperty("members").EnumerateArray().ToList();
        members.Select(m => new Uri(m.GetProperty("address").GetString()!).Port).Should().Equal(Cluster.Nodes.Select(n => n.Address.Port));
        members.Single(m => m.GetProperty("role").GetString() == "master").GetProperty("id").GetInt32().Should().Be(0);
    }

    [Theory]
    [InlineData("/query")]
    [InlineData("/cluster/promote")]
    public async Task A_chunk_that_is_none(string path) => await api.ShouldRefuseAsync(
        () => SendAsync($"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{{\"com\r\nZZ\r\n"), 400, "bad_request");

    [Fact]
    public async Task A_large_body_for_a_small_request() =>
        await api.ShouldRefuseAsync(() => Cluster[1].PostAsync("/cluster/verify", "{\"repair\":" + new string(' ', 70_000) + "false}"), 413, "too_large");

    /// <summary>Sends bytes and reads until the node closes the connection.</summary>
    private async Task<Answer> SendAsync(string request)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Cluster[1].Address.Port);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request));
        using var reader = new StreamReader(new NetworkStream(socket));
        var answer = await reader.ReadToEndAsync();
        var head = answer.Split("\r\n\r\n", 2)[0];
        var body = answer[answer.IndexOf('{', StringComparison.Ordinal)..(answer.LastIndexOf('}') + 1)];
        var mediaType = head.Split("\r\n").Single(line => line.StartsWith("Content-Type: ", StringComparison.Ordinal))["Content-Type: ".Length..];
        return new(int.Parse(head.AsSpan(9, 3), null), mediaType.Split(';')[0], body);
    }
}
