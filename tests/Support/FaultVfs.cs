using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DistDb.Node.Database;
using DistDb.Node.Database.Native;

namespace DistDb.Tests.Support;

/// <summary>
/// A disk that fails when told to: SQLite's default virtual file system for the whole test process, put there before anything opens a file, so that
/// both the Raft log and the databases (whose own file system is a copy of the default one) go through it. It passes everything on
/// unless a <see cref="DiskFault"/> is armed for the file.
/// </summary>
internal static unsafe class FaultVfs
{
    // Before SQLite's own file structure, which follows it.
    private const int HeaderBytes = 16;

    private static Sqlite3.Vfs* _original;
    private static IoMethods* _methods;

    /// <summary>Called by the runtime when the tests are loaded.</summary>
#pragma warning disable CA2255 // The tests are loaded as a library, but nobody else loads them.
    [ModuleInitializer]
#pragma warning restore CA2255
    public static void Register()
    {
        SqliteLibrary.Initialize();
        _original = Sqlite3.sqlite3_vfs_find(null);
        _methods = (IoMethods*)NativeMemory.AllocZeroed((nuint)sizeof(IoMethods));
        *_methods = new()
        {
            Version = 3,
            Close = &Close,
            Read = &Read,
            Write = &Write,
            Truncate = &Truncate,
            Sync = &Sync,
            FileSize = &FileSize,
            Lock = &Lock,
            Unlock = &Unlock,
            CheckReservedLock = &CheckReservedLock,
            FileControl = &FileControl,
            SectorSize = &SectorSize,
            DeviceCharacteristics = &DeviceCharacteristics,
            ShmMap = &ShmMap,
            ShmLock = &ShmLock,
            ShmBarrier = &ShmBarrier,
            ShmUnmap = &ShmUnmap,
            Fetch = &Fetch,
            Unfetch = &Unfetch,
        };

        // Never freed: SQLite keeps both for the life of the process.
        var vfs = (Sqlite3.Vfs*)NativeMemory.Alloc((nuint)sizeof(Sqlite3.Vfs));
        *vfs = *_original;
        vfs->Next = 0;
        vfs->Name = (byte*)Marshal.StringToCoTaskMemUTF8("distdb-faults");
        vfs->FileStructBytes += HeaderBytes;
        vfs->Open = (nint)(delegate* unmanaged<Sqlite3.Vfs*, byte*, FileHeader*, int, int*, int>)&Open;
        if (Sqlite3.sqlite3_vfs_register(vfs, makeDefault: 1) != Sqlite3.Ok)
        {
            throw new InvalidOperationException("SQLite did not register the fault-injecting file system.");
        }
    }

    [UnmanagedCallersOnly]
    private static int Open(Sqlite3.Vfs* vfs, byte* name, FileHeader* file, int flags, int* outFlags)
    {
        var open = (delegate* unmanaged<Sqlite3.Vfs*, byte*, FileHeader*, int, int*, int>)_original->Open;
        var code = open(_original, name, Real(file), flags, outFlags);
        file->Methods = Real(file)->Methods == null ? null : _methods;
        file->Name = name;
        return code;
    }

    [UnmanagedCallersOnly]
    private static int Close(FileHeader* file) => Real(file)->Methods->Close(Real(file));

    [UnmanagedCallersOnly]
    private static int Read(FileHeader* file, void* buffer, int count, long offset) =>
        Fault(file, FaultyCall.Read) is not 0 and var code ? code : Real(file)->Methods->Read(Real(file), buffer, count, offset);

    [UnmanagedCallersOnly]
    private static int Write(FileHeader* file, void* buffer, int count, long offset) =>
        Fault(file, FaultyCall.Write) is not 0 and var code ? code : Real(file)->Methods->Write(Real(file), buffer, count, offset);

    [UnmanagedCallersOnly]
    private static int Truncate(FileHeader* file, long size) =>
        Fault(file, FaultyCall.Truncate) is not 0 and var code ? code : Real(file)->Methods->Truncate(Real(file), size);

    [UnmanagedCallersOnly]
    private static int Sync(FileHeader* file, int flags)
    {
        var code = Fault(file, FaultyCall.Sync);
        if (code == 0)
        {
            code = Real(file)->Methods->Sync(Real(file), flags);
            if (code == 0 && DiskFault.AnyArmed)
            {
                DiskFault.Synced(Sqlite3.Text(file->Name));
            }
        }

        return code;
    }

    [UnmanagedCallersOnly]
    private static int FileSize(FileHeader* file, long* size) => Real(file)->Methods->FileSize(Real(file), size);

    [UnmanagedCallersOnly]
    private static int Lock(FileHeader* file, int level) => Real(file)->Methods->Lock(Real(file), level);

    [UnmanagedCallersOnly]
    private static int Unlock(FileHeader* file, int level) => Real(file)->Methods->Unlock(Real(file), level);

    [UnmanagedCallersOnly]
    private static int CheckReservedLock(FileHeader* file, int* isReserved) => Real(file)->Methods->CheckReservedLock(Real(file), isReserved);

    [UnmanagedCallersOnly]
    private static int FileControl(FileHeader* file, int operation, void* argument) =>
        Real(file)->Methods->FileControl(Real(file), operation, argument);

    [UnmanagedCallersOnly]
    private static int SectorSize(FileHeader* file) => Real(file)->Methods->SectorSize(Real(file));

    [UnmanagedCallersOnly]
    private static int DeviceCharacteristics(FileHeader* file) => Real(file)->Methods->DeviceCharacteristics(Real(file));

    [UnmanagedCallersOnly]
    private static int ShmMap(FileHeader* file, int region, int size, int extends, void** memory) =>
        Real(file)->Methods->ShmMap(Real(file), region, size, extends, memory);

    [UnmanagedCallersOnly]
    private static int ShmLock(FileHeader* file, int offset, int count, int flags) =>
        Real(file)->Methods->ShmLock(Real(file), offset, count, flags);

    [UnmanagedCallersOnly]
    private static void ShmBarrier(FileHeader* file) => Real(file)->Methods->ShmBarrier(Real(file));

    [UnmanagedCallersOnly]
    private static int ShmUnmap(FileHeader* file, int deletes) => Real(file)->Methods->ShmUnmap(Real(file), deletes);

    [UnmanagedCallersOnly]
    private static int Fetch(FileHeader* file, long offset, int count, void** memory) =>
        Real(file)->Methods->Fetch(Real(file), offset, count, memory);

    [UnmanagedCallersOnly]
    private static int Unfetch(FileHeader* file, long offset, void* memory) => Real(file)->Methods->Unfetch(Real(file), offset, memory);

    private static FileHeader* Real(FileHeader* file) => (FileHeader*)((byte*)file + HeaderBytes);

    private static int Fault(FileHeader* file, FaultyCall call) => DiskFault.AnyArmed ? DiskFault.Of(Sqlite3.Text(file->Name), call) : 0;

    /// <summary>Ours; SQLite's own begins with the methods as well.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct FileHeader
    {
        public IoMethods* Methods;

        // Valid until the file is closed; null for a temporary file.
        public byte* Name;
    }

    /// <summary>struct sqlite3_io_methods, version 3.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct IoMethods
    {
        public int Version;
        public delegate* unmanaged<FileHeader*, int> Close;
        public delegate* unmanaged<FileHeader*, void*, int, long, int> Read;
        public delegate* unmanaged<FileHeader*, void*, int, long, int> Write;
        public delegate* unmanaged<FileHeader*, long, int> Truncate;
        public delegate* unmanaged<FileHeader*, int, int> Sync;
        public delegate* unmanaged<FileHeader*, long*, int> FileSize;
        public delegate* unmanaged<FileHeader*, int, int> Lock;
        public delegate* unmanaged<FileHeader*, int, int> Unlock;
        public delegate* unmanaged<FileHeader*, int*, int> CheckReservedLock;
        public delegate* unmanaged<FileHeader*, int, void*, int> FileControl;
        public delegate* unmanaged<FileHeader*, int> SectorSize;
        public delegate* unmanaged<FileHeader*, int> DeviceCharacteristics;
        public delegate* unmanaged<FileHeader*, int, int, int, void**, int> ShmMap;
        public delegate* unmanaged<FileHeader*, int, int, int, int> ShmLock;
        public delegate* unmanaged<FileHeader*, void> ShmBarrier;
        public delegate* unmanaged<FileHeader*, int, int> ShmUnmap;
        public delegate* unmanaged<FileHeader*, long, int, void**, int> Fetch;
        public delegate* unmanaged<FileHeader*, long, void*, int> Unfetch;
    }
}
