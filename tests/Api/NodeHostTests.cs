using DistDb.Node;
using DistDb.Tests.Support;

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
}
