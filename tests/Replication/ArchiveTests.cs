using DistDb.Node.Archive;
using DistDb.Node.Database;

namespace DistDb.Tests.Replication;

/// <summary>The archive of a node's log.</summary>
public sealed class ArchiveTests : IDisposable
{
    private readonly DirectoryInfo _place = Directory.CreateTempSubdirectory("distdb-archive-");

    private string Folder => Path.Combine(_place.FullName, "archive");

    public void Dispose() => _place.Delete(recursive: true);

    [Fact]
    public async Task The_log_is_not_cut_before_it_is_archived_and_a_database_can_be_rebuilt_of_the_archive()
    {
        File.WriteAllText(Folder, "a file in the folder's place");
        await using var cluster = await TestCluster.StartAsync(node => TestCluster.Options with
        {
            LogTailEntriesMax = 10,
            Archive = node == 1 ? new(Folder, TimeSpan.FromMilliseconds(100)) : null,
        });
        await InsertAsync(cluster, "first", 30);
        await cluster.UntilAsync(() => cluster[2].FirstLogIndex.Value > 1, "a node without an archive cuts its log");
        await cluster.UntilAsync(() => cluster.Messages.Any(m => m.Contains("archive", StringComparison.Ordinal) && m.Contains("cannot be written", StringComparison.Ordinal)), "it is said");
        cluster[1].FirstLogIndex.Value.Should().Be(1);
        cluster[1].ArchivedIndex!.Value.Value.Should().Be(0);
        await cluster.UntilAsync(() => cluster[1].AppliedIndex == cluster[0].AppliedIndex, "node 1 has all of it");
        var (backups, failure) = await cluster[1].BackUpAsync(["main"], _place.FullName, default);
        failure.Should().BeNull();

        File.Delete(Folder);
        await InsertAsync(cluster, "second", 15);
        var point = cluster[0].AppliedIndex;
        await InsertAsync(cluster, "third", 15);
        await cluster.UntilAsync(() => cluster[1].ArchivedIndex >= point, "it is archived now");
        await cluster.CrashAsync(1);
        await cluster.StartAsync(1);
        await InsertAsync(cluster, "fourth", 30);
        await cluster.UntilAsync(() => cluster[1].ArchivedIndex >= cluster[0].AppliedIndex, "it goes on after a restart");
        for (var more = 0; cluster[1].FirstLogIndex.Value == 1; more++)
        {
            more.Should().BeLessThan(20, "the log is cut behind what is archived");
            await InsertAsync(cluster, $"more-{more}", 15);
        }

        var source = DatabaseFile.PathIn(_place.FullName, "main");
        (await TokensAsync(PointInTimeTarget.At(point.Value))).Should().Be(45);
        (await TokensAsync(PointInTimeTarget.At(backups[0].Index))).Should().Be(30);
        (await TokensAsync(PointInTimeTarget.Last)).Should().BeGreaterThanOrEqualTo(90);
        await cluster.CheckAsync();

        async Task<long> TokensAsync(PointInTimeTarget target)
        {
            var path = Path.Combine(_place.FullName, $"{Guid.NewGuid():n}.db");
            PointInTime.Rebuild(source, [Folder], target, path, null, default);
            using var pool = new ReadPool(path, new());
            var outcome = await pool.QueryAsync(TestCluster.Sql("SELECT count(*) FROM w"), new(TimeSpan.FromMinutes(1)), default);
            return outcome.Should().BeOfType<ReadOutcome.RowsRead>().Subject.Rows.Rows[0][0].Integer;
        }
    }

    private static async Task InsertAsync(TestCluster cluster, string prefix, int count)
    {
        for (var i = 0; i < count; i++)
        {
            await cluster.InsertAsync(0, $"{prefix}-{i}");
        }
    }
}
