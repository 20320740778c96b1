namespace DistDb.Node.Database;

/// <summary>Tells whether a file that nobody here has open was changed.</summary>
/// <param name="ByteCount">How long it is; negative where there is none.</param>
/// <param name="WrittenAt">When it was changed last, in UTC.</param>
internal readonly record struct FileStamp(long ByteCount, DateTime WrittenAt)
{
    public static FileStamp Of(string path)
    {
        var file = new FileInfo(path);
        return new(file.Exists ? file.Length : -1, file.LastWriteTimeUtc);
    }
}
