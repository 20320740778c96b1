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

    /// <summary>Puts another text of the same length in a text's place, wherever a database file has it: SQLite finds nothing wrong with that.</summary>
    public static void Replace(string path, string text, string other)
    {
        var (from, to) = (Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes(other));
        to.Should().HaveSameCount(from);
        var bytes = File.ReadAllBytes(path);
        bytes.AsSpan().IndexOf(from).Should().BePositive($"{path} has \"{text}\"");
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        for (int at, begin = 0; (at = bytes.AsSpan(begin).IndexOf(from)) >= 0; begin += at + from.Length)
        {
            file.Seek(begin + at, SeekOrigin.Begin);
            file.Write(to);
        }
    }
}
