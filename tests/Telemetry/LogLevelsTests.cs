using DistDb.Node.Telemetry;
using Microsoft.Extensions.Logging;

namespace DistDb.Tests.Telemetry;

public sealed class LogLevelsTests
{
    [Theory]
    [InlineData("debug", LogLevel.Debug)]
    [InlineData("Information", LogLevel.Information)]
    [InlineData("critical", LogLevel.Critical)]
    [InlineData("none", null)]
    [InlineData("2", null)]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Levels_are_found_by_their_names(string? name, LogLevel? level) => LogLevels.Find(name).Should().Be(level);

    [Fact]
    public void A_change_counts_at_once()
    {
        var levels = new LogLevels(LogLevel.Information);
        levels.Allow("DistDb.Node", LogLevel.Debug).Should().BeFalse();
        levels.Allow("DistDb.Node", LogLevel.Information).Should().BeTrue();
        levels.Minimum = LogLevel.Debug;
        levels.Allow("DistDb.Node", LogLevel.Debug).Should().BeTrue();
        levels.Minimum = LogLevel.Error;
        levels.Allow("DistDb.Node", LogLevel.Warning).Should().BeFalse();
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.Routing", LogLevel.Information, false)]
    [InlineData("Microsoft.AspNetCore.Routing", LogLevel.Warning, true)]
    [InlineData("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Error, false)]
    [InlineData("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical, true)]
    [InlineData("Microsoft.Extensions.Diagnostics.HealthChecks.DefaultHealthCheckService", LogLevel.Error, false)]
    public void The_web_server_is_quiet_at_every_level(string category, LogLevel level, bool isWritten) =>
        new LogLevels(LogLevel.Trace).Allow(category, level).Should().Be(isWritten);
}
