using System.Text;

namespace DistDb.Tests.Support;

/// <summary>What happens to files by bad disks and by careless people.</summary>
internal static class FilePages
{
    private const int PageBytes = 4096;

    /// <summary>Overwrites the page of a database file that has a text in it.</summary>
    public static void Overwrite(string path, string text)
    {
        var bytes = File.ReadAllBytes(path);
        var at = bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(text));
        at.Should().BePositive($"{path} has \"{text}\"");
        using var file = File.OpenWrite(path);
        file.Seek(at / PageBytes * PageBytes, SeekOrigin.Begin);
        file.Write(Enumerable.Repeat((byte)0xa5, PageBytes).ToArray());
    }
}
