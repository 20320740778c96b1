using System.Globalization;
using DistDb.Node.Storage;

namespace DistDb.Tests.Storage;

public sealed class NodeLockTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-lock-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_folder_has_one_owner_at_a_time()
    {
        using (NodeLock.Acquire(_folder.FullName))
        {
            FluentActions.Invoking(() => NodeLock.Acquire(_folder.FullName))
                .Should().Throw<NodeLockedException>().WithMessage($"*{_folder.FullName}*in use*Nothing was changed*");
        }

        NodeLock.Acquire(_folder.FullName).Dispose();
    }

    [Fact]
    public void The_file_left_by_an_owner_that_died_does_not_matter()
    {
        var path = Path.Combine(_folder.FullName, "node.lock");
        File.WriteAllText(path, "a much longer text than a process id\n");
        NodeLock.Acquire(_folder.FullName).Dispose();
        File.ReadAllText(path).Should().Be(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
    }
}
