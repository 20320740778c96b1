using System.Globalization;
using System.Net;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>Links that are slow for what is sent over them.</summary>
public sealed class SlowLinkTests
{
    private const int BytesPerSecond = 2 << 20;
    private const int WriteBytes = 4 << 20;

    [Fact]
    public async Task A_write_that_takes_seconds_to_arrive_deposes_nobody()
    {
        var links = (from a in Enumerable.Range(0, 3) from b in Enumerable.Range(0, 3) where a != b select (From: a, To: b)).ToDictionary(l => l, _ => new TcpProxy());
        try
        {
            await using var cluster = TestCluster.Create(2, id => ["--peers", string.Join(',', links.Where(l => l.Key.From == id).Select(Peer)), "--timeout", "60s"]);
            foreach (var ((_, to), link) in links)
            {
                link.Target = new(IPAddress.Loopback, cluster[to].Address.Port);
                link.Begin(new LinkTrouble.Slow(TimeSpan.Zero, BytesPerSecond));
            }

            cluster.StartAll();
            await cluster.WaitUntilReadyAsync();
            (await cluster.Master.ExecAsync("CREATE TABLE large (v)")).IsOk.Should().BeTrue();

            // On a busy machine there are elections without that, too; but not every time.
            await cluster.WaitUntilAsync("a write goes through in one term", async () =>
            {
                var leader = await cluster.FindLeaderAsync();
                var term = await TermAsync(leader);
                (await leader.ExecOnceAsync(Guid.NewGuid().ToString(), "INSERT INTO large VALUES (?)", new string('x', WriteBytes))).IsOk.Should().BeTrue();
                return await TermAsync(leader) == term;
            });
            await cluster.ConvergeAsync();
        }
        finally
        {
            foreach (var link in links.Values)
            {
                await link.DisposeAsync();
            }
        }
    }

    private static async Task<long> TermAsync(TestNode node) => (await node.StatusAsync())!.Value.GetProperty("term").GetInt64();

    private static string Peer(KeyValuePair<(int From, int To), TcpProxy> link) =>
        string.Create(CultureInfo.InvariantCulture, $"{link.Key.To}=http://127.0.0.1:{link.Value.Port}");
}
