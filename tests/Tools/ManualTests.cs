using System.CommandLine;
using DistDb.Tools;

namespace DistDb.Tests.Tools;

public sealed class ManualTests
{
    [Fact]
    public async Task The_manual_page_has_every_command_and_every_option()
    {
        var root = DistDb.Program.CreateRoot();
        using var output = new StringWriter();
        using var error = new StringWriter();

        (await ToolRunner.InvokeAsync(root, ["man"], new() { Output = output, Error = error })).Should().Be(ExitCode.Success, error.ToString());

        var page = output.ToString();
        var plain = page.Replace("\\-", "-", StringComparison.Ordinal).Replace("\\fB", "", StringComparison.Ordinal).Replace("\\fR", "", StringComparison.Ordinal);
        Check(root, "distdb");
        page.Should().NotContain("System.").And.NotContain("DistDb.Tools", "values are shown as they are typed");
        plain.Should().Contain("[default: insert=30,update=10,read=60]").And.NotContain("--clock-offset-file");

        void Check(Command command, string name)
        {
            foreach (var below in command.Subcommands.Where(one => !one.Hidden))
            {
                plain.Should().Contain($".SS \"{name} {below.Name}");
                Check(below, $"{name} {below.Name}");
            }

            foreach (var option in command.Options.Where(one => !one.Hidden))
            {
                plain.Split('\n').Should().Contain(line => Words(line).Contains(option.Name));
                plain.Should().Contain(option.Description!.Split('"', '\'')[0]);
            }
        }
    }

    private static string[] Words(string line) => line.Split([' ', ',']);
}
