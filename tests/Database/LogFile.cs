using DistDb.Node.Commands;

namespace DistDb.Tests.Database;

/// <summary>Log entries in a file, each behind its length: what one process hands to another to replay. Entry indexes count from 1.</summary>
internal static class LogFile
{
    public static void Append(Stream file, WriteBatch batch)
    {
        var bytes = LogCommandCodec.Encode(batch);
        file.Write(BitConverter.GetBytes(bytes.Length));
        file.Write(bytes);
    }

    public static IEnumerable<(long Index, WriteBatch Batch)> Read(string path)
    {
        using var file = new BinaryReader(File.OpenRead(path));
        for (long index = 1; file.BaseStream.Position < file.BaseStream.Length; index++)
        {
            yield return (index, (WriteBatch)LogCommandCodec.Decode(file.ReadBytes(file.ReadInt32())));
        }
    }
}
