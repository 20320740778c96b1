using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;

namespace DistDb.Tests.Database;

public sealed class FilesAtRestTests : IDisposable
{
    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("distdb-rest-");
    private readonly NodeFolder _folder;

    public FilesAtRestTests()
    {
        _folder = new(_data.FullName, new NodeId(1));
        File.WriteAllText(_folder.DatabasePath("main"), "content of main");
        File.WriteAllText(_folder.DatabasePath("other"), new string('x', 5000));
        File.WriteAllText(_folder.DatabasePath("empty"), "");
    }

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public void Files_that_nobody_touched_are_as_noted_for_one_start()
    {
        FilesAtRest.Note(_folder.DatabasesPath, _folder.FilesAtRestPath).Should().BeTrue();

        FilesAtRest.TakeNote(_folder.DatabasesPath, _folder.FilesAtRestPath).Should().BeTrue();

        FilesAtRest.TakeNote(_folder.DatabasesPath, _folder.FilesAtRestPath).Should().BeFalse("the process may change them and die");
    }

    [Fact]
    public void Without_a_note_nothing_is_known() => FilesAtRest.TakeNote(_folder.DatabasesPath, _folder.FilesAtRestPath).Should().BeFalse();

    [Theory]
    [InlineData("written")]
    [InlineData("longer")]
    [InlineData("header")]
    [InlineData("replaced")]
    [InlineData("deleted")]
    [InlineData("added")]
    [InlineData("write-ahead log")]
    public void Any_change_shows(string change)
    {
        FilesAtRest.Note(_folder.DatabasesPath, _folder.FilesAtRestPath);
        var path = _folder.DatabasePath("other");
        var time = File.GetLastWriteTimeUtc(path);
        switch (change)
        {
            case "written":
                Overwrite(path, 4500);
                File.SetLastWriteTimeUtc(path, time.AddMilliseconds(1));
                break;
            case "longer":
                File.AppendAllText(path, "y");
                File.SetLastWriteTimeUtc(path, time);
                break;
            case "header":
                Overwrite(path, 24);
                File.SetLastWriteTimeUtc(path, time);
                break;
            case "replaced":
                File.Move(_folder.DatabasePath("main"), path, overwrite: true);
                break;
            case "deleted":
                File.Delete(path);
                break;
            case "added":
                File.WriteAllText(_folder.DatabasePath("third"), "");
                break;
            case "write-ahead log":
                File.WriteAllText(path + "-wal", "");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change));
        }

        FilesAtRest.TakeNote(_folder.DatabasesPath, _folder.FilesAtRestPath).Should().BeFalse();

        File.Exists(_folder.FilesAtRestPath).Should().BeFalse();
    }

    [Fact]
    public void Where_another_program_has_a_database_open_nothing_is_noted()
    {
        File.WriteAllText(_folder.DatabasePath("main") + "-wal", "");

        FilesAtRest.Note(_folder.DatabasesPath, _folder.FilesAtRestPath).Should().BeFalse();

        File.Exists(_folder.FilesAtRestPath).Should().BeFalse();
    }

    private static void Overwrite(string path, int offset)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write);
        file.Position = offset;
        file.WriteByte((byte)'z');
    }
}
