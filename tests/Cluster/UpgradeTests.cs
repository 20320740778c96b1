using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using DistDb.Tests.Support;
using Microsoft.Data.Sqlite;
using Xunit.Abstractions;

namespace DistDb.Tests.Cluster;

/// <summary>Data folders that earlier releases wrote (<c>tests/upgrade-fixture.sh</c>) are started by this version, and nothing of them is lost.</summary>
public sealed class UpgradeTests(ITestOutputHelper output)
{
    public static TheoryData<string> Releases => [.. Directory.GetFiles(Folder, "*.tar.gz").Select(f => Path.GetFileName(f)[..^".tar.gz".Length])];

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "data", "upgrade");

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task A_release_goes_on_where_an_earlier_one_stopped(string release)
    {
        await using var cluster = TestCluster.Create(2, _ => []);
        await using (var file = File.OpenRead(Path.Combine(Folder, release + ".tar.gz")))
        await using (var content = new GZipStream(file, CompressionMode.Decompress))
        {
            await TarFile.ExtractToDirectoryAsync(content, cluster.Folder, overwriteFiles: true);
        }

        var before = ContentHash.Of(cluster[0].DatabasePath);

        // It goes on at once: ids are remembered for a day.
        var clock = Path.Combine(cluster.Folder, "clock");
        await File.WriteAllTextAsync(clock, ((long)(TimeOf(cluster[0].DatabasePath) - DateTime.UtcNow).TotalMilliseconds).ToString(CultureInfo.InvariantCulture));
        foreach (var node in cluster.Nodes)
        {
            // They were elsewhere then.
            node.Start("--peers", string.Join(',', cluster.Nodes.Select(n => $"{n.Id}={n.Address}")), "--clock-offset-file", clock);
        }

        try
        {
            await cluster.WaitUntilReadyAsync();
            (await cluster.ConvergeAsync()).Should().Be(before, "all that was there is there");
            var status = (await cluster[2].StatusAsync())!.Value;
            status.GetProperty("master").GetInt32().Should().Be(1, "it had been promoted");
            status.GetProperty("suffrage").GetString().Should().Be("voter");

            // Remembered ids, triggers, full text and the master's authority are of the old release; the writes are of this one.
            (await cluster[1].ExecOnceAsync("user-50", "INSERT INTO users (username, r, b) VALUES ('user 50', random(), randomblob(100))")).Status.Should().Be(200);
            (await cluster[0].QueryAsync("SELECT count(*) FROM users")).Rows.Should().Be("[[50]]");
            (await cluster[2].ExecAsync("INSERT INTO users (username) VALUES ('new')")).Status.Should().Be(200);
            (await cluster[2].QueryAsync("SELECT n FROM words WHERE word = 'new'")).Rows.Should().Be("[[1]]");
            (await cluster[2].QueryAsync("SELECT count(*) FROM notes WHERE notes MATCH 'note'")).Rows.Should().Be("[[50]]");
            (await cluster[1].ExecAsync("ALTER TABLE users ADD COLUMN later")).Status.Should().Be(200);
            await cluster.ConvergeAsync();
        }
        catch
        {
            output.WriteLine(cluster.Logs);
            throw;
        }
    }

    /// <summary>When the last row was written.</summary>
    private static DateTime TimeOf(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT max(created_at) FROM users";
        return DateTime.Parse((string)command.ExecuteScalar()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
    }
}
