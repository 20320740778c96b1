using System.Security.Cryptography;
using DistDb.Tests.Soak.Faults;
using Xunit.Abstractions;

namespace DistDb.Tests.Soak;

/// <summary>A short run with every kind of fault; <c>tests/soak.sh</c> makes long ones.</summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(SoakSabotage.LocalReads, FindingKind.NotLinearizable)]
    [InlineData(SoakSabotage.RetriesWithoutId, FindingKind.NotLinearizable, FindingKind.Doubled)]
    [InlineData(SoakSabotage.InventedWrites, FindingKind.NotLinearizable, FindingKind.Lost, FindingKind.LocalRead)]
    [InlineData(SoakSabotage.SkippedDrops, FindingKind.WrongDatabases)]
    internal async Task What_is_wrong_is_found(SoakSabotage sabotage, params FindingKind[] signs)
    {
        var options = new SoakOptions
        {
            Seed = 1,
            Duration = TimeSpan.FromMinutes(2),
            // Some of it shows when replicas are compared.
            RoundMax = TimeSpan.FromSeconds(10),
            HoldMax = TimeSpan.FromSeconds(1),
            RestMax = TimeSpan.FromSeconds(1),
            Sabotage = sabotage,
        };
        if (sabotage is SoakSabotage.InventedWrites or SoakSabotage.SkippedDrops)
        {
            // What the clients' own bookkeeping gets wrong needs no fault to show, and no other nodes.
            options = options with { NodeCount = 1, FaultsAtOnce = 0 };
        }

        var report = await SoakRun.RunAsync(options, output.WriteLine);
        output.WriteLine(report.ToString());
        report.Findings.Select(f => f.Kind).Should().Contain(k => signs.Contains(k));
        report.KeptFolder.Should().NotBeNull("somebody will want to look at it");
        Directory.Delete(report.KeptFolder!, recursive: true);
    }

    [Fact]
    public async Task Nothing_is_lost_doubled_or_stale_whatever_goes_wrong()
    {
        var report = await SoakRun.RunAsync(
            new()
            {
                Seed = RandomNumberGenerator.GetInt32(int.MaxValue),
                Duration = TimeSpan.FromSeconds(30),
                FaultCountMin = (FaultCatalogue.All.Count / 2) + 1,
                HoldMax = TimeSpan.FromSeconds(3),
                RestMax = TimeSpan.FromSeconds(1),
            },
            output.WriteLine);
        output.WriteLine(report.ToString());
        report.IsClean.Should().BeTrue(report.ToString());
        report.Faults.Values.Sum().Should().BeGreaterThan(FaultCatalogue.All.Count / 2);
        report.Statistics.CheckedCount.Should().BeGreaterThan(8);
    }
}
