using System.Net;
using System.Net.Sockets;
using Dapper;
using DistDb.Data;
using DistDb.Tests.Support;

namespace DistDb.Tests.Data;

/// <summary>Nodes die while programs work: what was answered is there once, what was not is told truly, and work goes on.</summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task Nothing_is_lost_and_nothing_doubled_where_the_serving_node_is_killed()
    {
        await using var cluster = await TestCluster.StartAsync();

        // The leader serves, so that its death meets both the connection and the write under way.
        var leader = await cluster.FindLeaderAsync();
        var servers = string.Join(',', cluster.Nodes.OrderBy(node => node != leader).Select(node => node.Address));
        await using var connection = new DistDbConnection($"Servers={servers};Command Timeout=60");
        await connection.OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE kept (id INTEGER PRIMARY KEY, writer INTEGER, n INTEGER)");
        connection.DataSource.Should().Be(leader.Address.GetLeftPart(UriPartial.Authority));

        // One is in the middle of a transaction, whose node is that one.
        await using var open = new DistDbConnection(connection.ConnectionString);
        await open.OpenAsync();
        await using var transaction = open.BeginTransaction();
        await open.ExecuteAsync("INSERT INTO kept (writer, n) VALUES (-1, -1)");
        await transaction.SaveAsync("s");
        leader.Kill();
        var lost = await Awaiting(() => open.ExecuteAsync("INSERT INTO kept (writer, n) VALUES (-1, -2)")).Should().ThrowAsync<DistDbException>();
        (lost.Which.Code, lost.Which.IsTransient, lost.Which.Outcome).Should().Be(("transaction_lost", true, DistDbOutcome.NotDone));
        var again = await Awaiting(() => transaction.CommitAsync()).Should().ThrowAsync<DistDbException>();
        again.Which.IsTransient.Should().BeTrue();

        // The next one is served without any error, and then more nodes die while writers write.
        await connection.ExecuteAsync("INSERT INTO kept (writer, n) VALUES (0, 0)");
        await cluster.RestartAsync(leader);
        var serving = cluster.Nodes.Single(node => connection.DataSource == node.Address.GetLeftPart(UriPartial.Authority));
        using var stop = new CancellationTokenSource();
        var counts = new int[4];
        var writers = Enumerable.Range(1, 4).Select(writer => Task.Run(async () =>
        {
            await using var own = new DistDbConnection(connection.ConnectionString);
            await own.OpenAsync();
            for (var n = 0; !stop.IsCancellationRequested; n++)
            {
                (await own.ExecuteAsync("INSERT INTO kept (writer, n) VALUES (@writer, @n)", new { writer, n })).Should().Be(1);
                Volatile.Write(ref counts[writer - 1], n + 1);

                // Its own writes are seen, wherever it is by now.
                (await own.ExecuteScalarAsync<int>("SELECT count(*) FROM kept WHERE writer = @writer", new { writer })).Should().Be(n + 1);
            }
        })).ToArray();
        await cluster.WaitUntilAsync("all write", () => counts.All(count => Volatile.Read(ref count) >= 5));
        serving.Kill();
        var before = counts.ToArray();
        await cluster.WaitUntilAsync("all go on", () => writers.Any(writer => writer.IsCompleted) || counts.Zip(before).All(count => count.First >= count.Second + 5));
        await stop.CancelAsync();
        await Task.WhenAll(writers);
        connection.Consistency = DistDbConsistency.Strong;
        var kept = (await connection.QueryAsync<(int Writer, int N)>("SELECT writer, n FROM kept WHERE writer > 0 ORDER BY writer, n")).ToList();
        kept.Should().Equal(counts.SelectMany((count, writer) => Enumerable.Range(0, count).Select(n => (writer + 1, n))));
        (await connection.QueryAsync<int>("SELECT n FROM kept WHERE writer <= 0")).Should().Equal(0);
    }

    [Fact]
    public async Task A_node_that_is_stopped_in_its_tracks_does_not_hold_up_those_who_have_another()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.FindLeaderAsync();
        var first = cluster.Nodes.First(node => node != leader);
        await using var connection = new DistDbConnection($"Servers={first.Address},{leader.Address};Command Timeout=60");
        await connection.OpenAsync();
        await connection.ExecuteAsync("CREATE TABLE held (a)");
        first.Pause();
        try
        {
            (await connection.ExecuteAsync("INSERT INTO held VALUES (1)")).Should().Be(1);
            connection.DataSource.Should().Be(leader.Address.GetLeftPart(UriPartial.Authority));
        }
        finally
        {
            first.Resume();
        }

        (await connection.ExecuteScalarAsync<int>("SELECT count(*) FROM held")).Should().Be(1);
    }

    /// <summary>A node can be stopped between the head of its answer and the rest.</summary>
    [Fact]
    public async Task A_node_that_is_stopped_within_its_answer_does_not_either()
    {
        await using var cluster = await TestCluster.StartAsync();
        var leader = await cluster.FindLeaderAsync();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var begun = 0;
        var serving = Task.Run(async () =>
        {
            var clients = new List<TcpClient>();
            try
            {
                while (true)
                {
                    var client = await listener.AcceptTcpClientAsync();
                    clients.Add(client);
                    if (clients.Count == 1)
                    {
                        await client.GetStream().ReadAtLeastAsync(new byte[4096], 1);
                        await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray());
                        begun++;
                    }
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                clients.ForEach(client => client.Dispose());
            }
        });
        await using (var connection = new DistDbConnection($"Servers=http://{listener.LocalEndpoint},{leader.Address}"))
        {
            await connection.OpenAsync();
            connection.DataSource.Should().Be(leader.Address.GetLeftPart(UriPartial.Authority));
        }

        listener.Stop();
        await serving;
        begun.Should().Be(1);
    }

    private static Func<Task> Awaiting(Func<Task> act) => act;
}
