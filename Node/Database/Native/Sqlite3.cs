using System.Runtime.InteropServices;

namespace DistDb.Node.Database.Native;

/// <summary>
/// The C interface of SQLite, as far as this folder uses it, under its own names. Bound directly because the managed wrappers lack
/// virtual file systems and cost an allocation or a lock where a write has none to spare.
/// <see cref="SqliteLibrary"/> decides which shared library answers to <see cref="Library"/>.
/// </summary>
internal static unsafe partial class Sqlite3
{
    /// <summary>The name that both this binding and SQLitePCLRaw's provider ask for, so that one process holds one SQLite.</summary>
    public const string Library = "e_sqlite3";

    public const int Ok = 0;
    public const int Row = 100;
    public const int Done = 101;

    public const int OpenReadOnly = 0x1;
    public const int OpenReadWrite = 0x2;
    public const int OpenCreate = 0x4;
    public const int OpenNoMutex = 0x8000;

    public const int TypeInteger = 1;
    public const int TypeReal = 2;
    public const int TypeText = 3;
    public const int TypeBlob = 4;
    public const int TypeNull = 5;

    public const uint PreparePersistent = 1;
    public const byte EncodingUtf8 = 1;

    /// <summary>SQLITE_TRANSIENT: SQLite copies what it is given before the call returns.</summary>
    public static readonly nint Transient = -1;

    [LibraryImport(Library)]
    public static partial byte* sqlite3_libversion();

    [LibraryImport(Library)]
    public static partial byte* sqlite3_sourceid();

    [LibraryImport(Library)]
    public static partial byte* sqlite3_compileoption_get(int index);

    [LibraryImport(Library)]
    public static partial Vfs* sqlite3_vfs_find(byte* name);

    [LibraryImport(Library)]
    public static partial int sqlite3_vfs_register(Vfs* vfs, int makeDefault);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_open_v2(string path, out nint database, int flags, byte* vfs);

    [LibraryImport(Library)]
    public static partial int sqlite3_close_v2(nint database);

    [LibraryImport(Library)]
    public static partial void sqlite3_interrupt(nint database);

    /// <summary>Variadic in C; the option used here takes a pointer and two ints. Only before SQLite is used.</summary>
    [LibraryImport(Library)]
    public static partial int sqlite3_config(int option, nint memory, int size, int count);

    /// <summary>The operating system's error behind the latest failure to open or use a file.</summary>
    [LibraryImport(Library)]
    public static partial int sqlite3_system_errno(nint database);

    [LibraryImport(Library)]
    public static partial long sqlite3_soft_heap_limit64(long bytes);

    [LibraryImport(Library)]
    public static partial long sqlite3_memory_used();

    [LibraryImport(Library)]
    public static partial int sqlite3_extended_result_codes(nint database, int on);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_errmsg(nint database);

    [LibraryImport(Library)]
    public static partial int sqlite3_busy_timeout(nint database, int milliseconds);

    [LibraryImport(Library)]
    public static partial int sqlite3_limit(nint database, int limit, int value);

    /// <summary>Variadic in C; every option used here takes an int and an optional out pointer.</summary>
    [LibraryImport(Library)]
    public static partial int sqlite3_db_config(nint database, int option, int value, int* result);

    [LibraryImport(Library)]
    public static partial int sqlite3_file_control(nint database, byte* schema, int operation, void* argument);

    [LibraryImport(Library)]
    public static partial int sqlite3_db_status(nint database, int option, int* current, int* highest, int reset);

    [LibraryImport(Library)]
    public static partial int sqlite3_get_autocommit(nint database);

    [LibraryImport(Library)]
    public static partial int sqlite3_changes(nint database);

    [LibraryImport(Library)]
    public static partial long sqlite3_last_insert_rowid(nint database);

    [LibraryImport(Library)]
    public static partial void sqlite3_set_last_insert_rowid(nint database, long rowid);

    [LibraryImport(Library)]
    public static partial int sqlite3_wal_checkpoint_v2(nint database, byte* schema, int mode, int* frames, int* checkpointed);

    [LibraryImport(Library)]
    public static partial nint sqlite3_backup_init(nint target, byte* targetSchema, nint source, byte* sourceSchema);

    [LibraryImport(Library)]
    public static partial int sqlite3_backup_step(nint backup, int pages);

    [LibraryImport(Library)]
    public static partial int sqlite3_backup_finish(nint backup);

    [LibraryImport(Library)]
    public static partial int sqlite3_extended_errcode(nint database);

    [LibraryImport(Library)]
    public static partial int sqlite3_set_authorizer(
        nint database, delegate* unmanaged<nint, int, byte*, byte*, byte*, byte*, int> callback, nint context);

    [LibraryImport(Library)]
    public static partial void sqlite3_progress_handler(
        nint database, int instructions, delegate* unmanaged<nint, int> callback, nint context);

    [LibraryImport(Library)]
    public static partial nint sqlite3_update_hook(
        nint database, delegate* unmanaged<nint, int, byte*, byte*, long, void> callback, nint context);

    [LibraryImport(Library)]
    public static partial int sqlite3_create_function_v2(
        nint database, byte* name, int arguments, int flags, nint context,
        delegate* unmanaged<nint, int, nint*, void> function, nint step, nint final, nint destroy);

    [LibraryImport(Library)]
    public static partial nint sqlite3_user_data(nint context);

    [LibraryImport(Library)]
    public static partial long sqlite3_value_int64(nint value);

    [LibraryImport(Library)]
    public static partial int sqlite3_value_type(nint value);

    [LibraryImport(Library)]
    public static partial double sqlite3_value_double(nint value);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_value_text(nint value);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_value_blob(nint value);

    [LibraryImport(Library)]
    public static partial int sqlite3_value_bytes(nint value);

    [LibraryImport(Library)]
    public static partial nint sqlite3_preupdate_hook(
        nint database, delegate* unmanaged<nint, nint, int, byte*, byte*, long, long, void> callback, nint context);

    [LibraryImport(Library)]
    public static partial int sqlite3_preupdate_old(nint database, int column, out nint value);

    [LibraryImport(Library)]
    public static partial int sqlite3_preupdate_new(nint database, int column, out nint value);

    [LibraryImport(Library)]
    public static partial int sqlite3_preupdate_count(nint database);

    [LibraryImport(Library)]
    public static partial void sqlite3_result_int64(nint context, long value);

    [LibraryImport(Library)]
    public static partial void sqlite3_result_blob64(nint context, void* bytes, ulong count, nint destroy);

    [LibraryImport(Library)]
    public static partial void sqlite3_result_error(nint context, byte* message, int bytes);

    [LibraryImport(Library)]
    public static partial void sqlite3_result_error_toobig(nint context);

    [LibraryImport(Library)]
    public static partial int sqlite3_prepare_v3(nint database, byte* sql, int bytes, uint flags, out nint statement, out byte* tail);

    [LibraryImport(Library)]
    public static partial int sqlite3_step(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_reset(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_clear_bindings(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_finalize(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_stmt_readonly(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_stmt_isexplain(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_stmt_status(nint statement, int counter, int reset);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_parameter_count(nint statement);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_bind_parameter_name(nint statement, int position);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_null(nint statement, int position);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_int64(nint statement, int position, long value);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_double(nint statement, int position, double value);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_text64(nint statement, int position, byte* text, ulong bytes, nint destroy, byte encoding);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_blob64(nint statement, int position, byte* blob, ulong bytes, nint destroy);

    [LibraryImport(Library)]
    public static partial int sqlite3_column_count(nint statement);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_name(nint statement, int column);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_decltype(nint statement, int column);

    [LibraryImport(Library)]
    public static partial int sqlite3_column_type(nint statement, int column);

    [LibraryImport(Library)]
    public static partial long sqlite3_column_int64(nint statement, int column);

    [LibraryImport(Library)]
    public static partial double sqlite3_column_double(nint statement, int column);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_text(nint statement, int column);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_blob(nint statement, int column);

    [LibraryImport(Library)]
    public static partial nint sqlite3_column_value(nint statement, int column);

    [LibraryImport(Library)]
    public static partial int sqlite3_column_bytes(nint statement, int column);

    /// <summary>A C string that SQLite owns, as managed text; empty for null.</summary>
    public static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    /// <summary>struct sqlite3_vfs, version 3.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Vfs
    {
        public int Version;
        public int FileStructBytes;
        public int PathBytesMax;
        public nint Next;
        public byte* Name;
        public nint AppData;
        public nint Open;
        public nint Delete;
        public nint Access;
        public nint FullPathname;
        public nint DlOpen;
        public nint DlError;
        public nint DlSym;
        public nint DlClose;
        public nint Randomness;
        public nint Sleep;
        public delegate* unmanaged<Vfs*, double*, int> CurrentTime;
        public nint GetLastError;
        public delegate* unmanaged<Vfs*, long*, int> CurrentTimeInt64;
        public nint SetSystemCall;
        public nint GetSystemCall;
        public nint NextSystemCall;
    }
}
