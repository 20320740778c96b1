using System.Buffers.Binary;
using System.IO.Hashing;
using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// What a write did on one node, in 64 bits that nodes can compare: where in its entry it stands, whether it was done or failed, its rows and last id,
/// or the failure's code and SQLite's extended one. Never 0, which stands for "as the leader recorded".
/// </summary>
internal static class ObservationDigest
{
    private const byte Done = 0;

    public static ulong Of(int ordinal, WriteObservation observation) =>
        Of(ordinal, Done, observation.RowsAffected, observation.LastInsertId);

    public static ulong Of(int ordinal, Failure failure) => Of(ordinal, (byte)failure.Code, failure.SqliteCode ?? 0, 0);

    private static ulong Of(int ordinal, byte kind, long first, long second)
    {
        Span<byte> bytes = stackalloc byte[21];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, ordinal);
        bytes[4] = kind;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[5..], first);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[13..], second);
        return Math.Max(1, XxHash3.HashToUInt64(bytes));
    }
}
