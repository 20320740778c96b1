using DistDb.Node.Commands;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>
/// The bytes of differences, as the node that looked for them tells the others.
/// <code>
/// differences  count, count x (database: text, table: text, nodes: count, count x signed, keys: count, count x text, detail: text)
/// </code>
/// </summary>
internal static class VerificationCodec
{
    public static byte[] Encode(IReadOnlyList<TableDifference> differences)
    {
        var writer = new WireWriter();
        writer.WriteUnsigned((ulong)differences.Count);
        foreach (var difference in differences)
        {
            writer.WriteText(difference.Database);
            writer.WriteText(difference.Table);
            writer.WriteUnsigned((ulong)difference.Nodes.Count);
            foreach (var node in difference.Nodes)
            {
                writer.WriteSigned(node.Value);
            }

            writer.WriteUnsigned((ulong)difference.Keys.Count);
            foreach (var key in difference.Keys)
            {
                writer.WriteText(key);
            }

            writer.WriteText(difference.Detail);
        }

        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static IReadOnlyList<TableDifference> Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var differences = new TableDifference[reader.ReadCount()];
        for (var i = 0; i < differences.Length; i++)
        {
            var (database, table) = (reader.ReadText(), reader.ReadText());
            var nodes = new NodeId[reader.ReadCount()];
            for (var n = 0; n < nodes.Length; n++)
            {
                nodes[n] = new(reader.ReadInt32());
            }

            var keys = new string[reader.ReadCount()];
            for (var k = 0; k < keys.Length; k++)
            {
                keys[k] = reader.ReadText();
            }

            differences[i] = new(database, table, nodes, keys, reader.ReadText());
        }

        return differences;
    }
}
