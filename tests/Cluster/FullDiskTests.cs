using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>A node whose disk takes no more stops with a sentence, and loses nothing of what it answered.</summary>
public sealed class FullDiskTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-full-disk-");
    private readonly HttpClient _client = new(new SocketFailures(new SocketsHttpHandler())) { Timeout = _patience };

    public void Dispose()
    {
        _client.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <param name="statement">What fills the disk; <c>{0}</c> is the row's id.</param>
    /// <param name="padding">Bytes that the log takes beside.</param>
    /// <param name="file">The file that is at its limit first.</param>
    [Theory]
    [InlineData("INSERT INTO t VALUES ({0}, randomblob(200000))", 0, "main.db")]
    [InlineData("INSERT INTO t VALUES ({0}, NULL)", 200_000, "raft.db")]
    public async Task A_full_disk_stops_the_node_and_a_restart_with_room_goes_on(string statement, int padding, string file)
    {
        var port = FreePort();
        _client.BaseAddress = new($"http://127.0.0.1:{port}");
        string[] arguments = ["master", "0", "--host", "127.0.0.1", "--base-port", $"{port}", "--data", _folder.FullName];
        var done = 1;
        using (var process = DistDbProcess.StartOnSmallDisk(_folder.FullName, 4096, arguments))
        {
            await ReadyAsync(process);
            (await ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)")).Should().Be(HttpStatusCode.OK);
            while (await ExecAsync(string.Format(CultureInfo.InvariantCulture, statement, done) + $" /*{new string('.', padding)}*/") == HttpStatusCode.OK)
            {
                done++;
                done.Should().BeLessThan(1000, "the disk is small");
            }

            (await process.WaitForExitAsync(_patience)).Should().Be(1);
            (process.Output + process.Errors).Should().Contain(file).And.Contain("start the node again").And.NotContain("   at ");
        }

        using (var process = DistDbProcess.Start(_folder.FullName, new Dictionary<string, string>(), arguments))
        {
            await ReadyAsync(process);
            (await ExecAsync("INSERT INTO t VALUES (100000, NULL)")).Should().Be(HttpStatusCode.OK);
            var answer = await _client.PostAsJsonAsync("/query", new { command = "query", query = "SELECT count(*) FROM t WHERE id < 100000" });
            using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
            json.RootElement.GetProperty("rows")[0][0].GetInt32().Should().BeInRange(done - 1, done, "one more may have been stored unanswered");
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ReadyAsync(DistDbProcess process)
    {
        using var deadline = new CancellationTokenSource(_patience);
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await poll.WaitForNextTickAsync(deadline.Token))
        {
            process.HasExited.Should().BeFalse($"the node starts: {process.Output} {process.Errors}");
            try
            {
                if ((await _client.GetAsync("/health/ready", deadline.Token)).IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        }
    }

    /// <summary>The status, or null where the node ended instead of answering.</summary>
    private async Task<HttpStatusCode?> ExecAsync(string sql)
    {
        try
        {
            return (await _client.PostAsJsonAsync("/query", new { command = "exec", query = sql })).StatusCode;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
