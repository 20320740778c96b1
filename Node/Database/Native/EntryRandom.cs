using System.Runtime.InteropServices;

namespace DistDb.Node.Database.Native;

/// <summary>
/// <c>random()</c> and <c>randomblob()</c> of one connection, drawn from the seed of the log entry in place of the machine's chance.
/// They shadow the built-in functions wherever SQL can call them, column defaults and triggers included.
/// </summary>
internal sealed unsafe class EntryRandom : IDisposable
{
    /// <summary>SQLITE_UTF8 | SQLITE_INNOCUOUS, for use in defaults and triggers. With SQLITE_DIRECTONLY they would fail there; with
    /// SQLITE_DETERMINISTIC they would be folded to one constant.</summary>
    private const int FunctionFlags = 0x1 | 0x200000;

    private ulong* _state;

    /// <summary>Registers both functions on the connection; dispose only after the connection is closed.</summary>
    public EntryRandom(nint database)
    {
        _state = (ulong*)NativeMemory.AllocZeroed(sizeof(ulong));
        Register(database, "random"u8, arguments: 0, &Random);
        Register(database, "randomblob"u8, arguments: 1, &RandomBlob);
    }

    /// <summary>Starts the sequence of one write, given by the entry's seed and the write's position in the entry.</summary>
    public void Seed(ulong seed, int ordinal) => *_state = Mix(seed ^ Mix((ulong)ordinal + 1));

    public void Dispose()
    {
        NativeMemory.Free(_state);
        _state = null;
    }

    private void Register(nint database, ReadOnlySpan<byte> name, int arguments, delegate* unmanaged<nint, int, nint*, void> function)
    {
        fixed (byte* text = name)
        {
            var code = Sqlite3.sqlite3_create_function_v2(database, text, arguments, FunctionFlags, (nint)_state, function, 0, 0, 0);
            if (code != Sqlite3.Ok)
            {
                throw new InvalidOperationException($"SQLite did not take the function (code {code}).");
            }
        }
    }

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): one word of state and no bad seeds.</summary>
    private static ulong Next(ulong* state) => Mix(*state += 0x9e3779b97f4a7c15);

    private static ulong Mix(ulong word)
    {
        word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
        word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
        return word ^ (word >> 31);
    }

    [UnmanagedCallersOnly]
    private static void Random(nint context, int count, nint* arguments)
    {
        var value = (long)Next((ulong*)Sqlite3.sqlite3_user_data(context));

        // As SQLite's own: never the smallest integer, whose abs() does not exist.
        Sqlite3.sqlite3_result_int64(context, value < 0 ? -(value & long.MaxValue) : value);
    }

    [UnmanagedCallersOnly]
    private static void RandomBlob(nint context, int count, nint* arguments)
    {
        var state = (ulong*)Sqlite3.sqlite3_user_data(context);
        var length = Math.Max(1, Sqlite3.sqlite3_value_int64(arguments[0]));
        if (length > DatabaseOptions.ValueBytesMax)
        {
            Sqlite3.sqlite3_result_error_toobig(context);
            return;
        }

        var bytes = (byte*)NativeMemory.Alloc((nuint)length);
        for (long i = 0; i < length; i += sizeof(ulong))
        {
            var word = Next(state);
            var taken = Math.Min(sizeof(ulong), length - i);
            Buffer.MemoryCopy(&word, bytes + i, taken, taken);
        }

        Sqlite3.sqlite3_result_blob64(context, bytes, (ulong)length, Sqlite3.Transient);
        NativeMemory.Free(bytes);
    }
}
