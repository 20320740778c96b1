using DistDb.Node;
using DistDb.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace DistDb.Tests.Api;

public sealed class NodeHostTests
{
    /// <summary>Between the two, the files of a node that is rebuilt are put aside.</summary>
    [Fact]
    public async Task A_node_is_built_without_opening_its_files()
    {
        var folder = Directory.CreateTempSubdirectory("distdb-host-");
        await using (NodeHost.Build(TestSettings.In(folder.FullName)))
        {
            Directory.GetFiles(folder.FullName, "*", SearchOption.AllDirectories).Should().BeEmpty();
        }

        folder.Delete(recursive: true);
    }

    /// <summary>A web server's habit is to look for <c>appsettings.json</c> where it was started, and to watch every folder below for changes of it.</summary>
    [Fact]
    public async Task Nothing_but_its_own_options_sets_a_node()
    {
        var folder = Directory.CreateTempSubdirectory("distdb-host-");
        await using (var app = NodeHost.Build(TestSettings.In(folder.FullName)))
        {
            app.Configuration.AsEnumerable().Where(setting => setting.Value is not null).Select(setting => setting.Key).Should().BeSubsetOf(["contentRoot", "applicationName"]);
            app.Services.GetRequiredService<IConfiguration>().As<IConfigurationRoot>()
                .Providers.OfType<FileConfigurationProvider>().Should().BeEmpty();
        }

        folder.Delete(recursive: true);
    }
}
