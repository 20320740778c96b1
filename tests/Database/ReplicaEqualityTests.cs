using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Database;

/// <summary>What one node executes and logs, others must replay to the same content, whenever, wherever and however often interrupted.</summary>
public sealed class ReplicaEqualityTests(ITestOutputHelper output)
{
    private const int Writes = 4000;

    /// <summary>Little enough that some have to go.</summary>
    private const long ChangesBytesMax = 256 << 10;

    [Theory]
    [InlineData(1)]
    [InlineData(20240229)]
    public async Task Replicas_end_with_the_content_of_the_leader(int seed)
    {
        using var leader = new TestDatabase();
        var folder = Path.GetDirectoryName(leader.Path)!;
        var log = Path.Combine(folder, "log");
        var counts = Lead(leader.Writer, seed, log);
        output.WriteLine($"seed {seed}: {counts}");
        counts.Failed.Should().BeGreaterThan(Writes / 40);
        counts.Lost.Should().BeGreaterThan(5);
        counts.Remembered.Should().BeGreaterThan(5);
        counts.Succeeded.Should().BeGreaterThan(Writes / 2);

        // One goes straight through, the other is restarted all the time, in another time zone, and killed once.
        var steady = Path.Combine(folder, "steady.db");
        var restless = Path.Combine(folder, "restless.db");
        await ReplayProcess.RunAndKillAsync(log, restless, "Pacific/Apia", leader.Writer.AppliedIndex / 2);
        await Task.WhenAll(
            ReplayProcess.RunAsync(log, steady, "America/New_York"),
            ReplayProcess.RunAsync(log, restless, "Asia/Kathmandu", "--group", "3"));

        var expected = ContentHash.Of(leader.Path);
        ContentHash.Of(steady).Should().Be(expected);
        ContentHash.Of(restless).Should().Be(expected);
        var changes = ContentHash.OfChanges(leader.Path);
        ContentHash.OfChanges(steady).Should().Be(changes);
        ContentHash.OfChanges(restless).Should().Be(changes);

        // The control: had a replica missed one row's change, the hash would say so.
        using (var replica = DatabaseWriter.Open(steady, new()))
        {
            replica.Begin(new(replica.AppliedIndex + 1, replica.AppliedTimeMs, 0));
            replica.Execute(
                leader.Command(TestDatabase.Sql("UPDATE audit SET dice = coalesce(dice, 0) + 1 WHERE id = (SELECT max(id) FROM audit)")),
                0, new(false), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
            replica.Commit();
        }

        ContentHash.Of(steady).Should().NotBe(expected);
    }

    private static Counts Lead(DatabaseWriter writer, int seed, string log)
    {
        var random = new Random(seed);
        using var writes = new Workload(seed).Writes().Take(Writes).GetEnumerator();
        using var file = File.Create(log);
        var counts = new Counts();
        var timeMs = TestDatabase.StartMs;
        while (true)
        {
            timeMs += random.Next(1, 5_000_000);
            var stamp = new EntryStamp(writer.AppliedIndex + 1, timeMs, (ulong)random.NextInt64(), ChangesBytesMax);
            var logged = new List<LoggedWrite>();
            writer.Begin(stamp);
            var size = random.Next(1, 40);
            for (var i = 0; i < size && writes.MoveNext(); i++)
            {
                switch (writer.Execute(writes.Current, logged.Count, new(MaySchema: true), Timeout.InfiniteTimeSpan))
                {
                    case WriteOutcome.Succeeded succeeded:
                        logged.Add(new(writes.Current, succeeded.Observation));
                        counts.Succeeded++;
                        break;
                    case WriteOutcome.Remembered:
                        counts.Remembered++;
                        break;
                    case WriteOutcome.Failed:
                        counts.Failed++;
                        break;
                }

                if (writer.TransactionLost)
                {
                    counts.Lost++;
                    writer.Rollback();
                    writer.Begin(stamp);
                    for (var again = 0; again < logged.Count; again++)
                    {
                        writer.Replay(logged[again], again, collectRows: false);
                    }
                }
            }

            if (logged.Count == 0)
            {
                writer.Rollback();
                if (counts.Total >= Writes)
                {
                    return counts;
                }

                continue;
            }

            writer.Commit();
            LogFile.Append(file, new(stamp.TimeMs, stamp.Seed, logged) { ChangesBytesMax = ChangesBytesMax });
        }
    }

    private sealed record Counts
    {
        public int Succeeded { get; set; }

        public int Failed { get; set; }

        public int Remembered { get; set; }

        public int Lost { get; set; }

        public int Total => Succeeded + Failed + Remembered;
    }
}
