using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace DistDb.Tests.Support;

/// <summary>The executable in a terminal of its own, as somebody has it who types: what is sent are keys, and what it draws stands on a screen.</summary>
internal sealed partial class PseudoTerminal : IDisposable
{
    public const string Up = "\eOA", ControlC = "\x03", ControlD = "\x04", Enter = "\r", Tab = "\t";

    private const int ReadWrite = 2;
    private const int NoControllingTerminal = 0x100;
    private const nuint SetWindowSize = 0x5414;

    /// <summary>Longer than anything here takes, even on a machine that is busy with other things.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly SafeFileHandle _master;
    private readonly Process _process;
    private readonly Thread _reader;
    private readonly TerminalScreen _screen;

    private PseudoTerminal(SafeFileHandle master, Process process, TerminalScreen screen)
    {
        (_master, _process, _screen) = (master, process, screen);
        _reader = new(Read) { IsBackground = true, Name = "terminal" };
        _reader.Start();
    }

    /// <summary>The screen's rows, without what is blank at their ends.</summary>
    public IReadOnlyList<string> Rows => _screen.Rows;

    /// <param name="width">Columns.</param>
    /// <param name="height">Rows.</param>
    /// <param name="environment">Variables beside this process's own.</param>
    /// <param name="arguments">The command line.</param>
    public static PseudoTerminal Start(ushort width, ushort height, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var master = OpenMaster(ReadWrite | NoControllingTerminal);
        var name = new byte[64];
        var size = new WindowSize { Rows = height, Columns = width };
        if (master.IsInvalid || Grant(master) != 0 || Unlock(master) != 0 || NameOf(master, name, (nuint)name.Length) != 0 || Control(master, SetWindowSize, size) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }

        var path = Encoding.UTF8.GetString(name.AsSpan(0, name.AsSpan().IndexOf((byte)0)));
        // A session of its own, whose terminal it is: so that Ctrl-C is a signal to it, and to it alone. Tests that run in the background ignore that signal, and so would whatever they start.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec env --default-signal=INT setsid --ctty --wait \"$@\" <>\"$0\" >&0 2>&0", path, Path.Combine(AppContext.BaseDirectory, "distdb"), .. arguments]);
        start.Environment["TERM"] = "xterm-256color";
        foreach (var (variable, value) in environment)
        {
            start.Environment[variable] = value;
        }

        return new(master, Process.Start(start)!, new(width, height));
    }

    /// <summary>Presses keys.</summary>
    public void Type(string keys)
    {
        var bytes = Encoding.UTF8.GetBytes(keys);
        if (WriteMaster(_master, bytes, (nuint)bytes.Length) != bytes.Length)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Waits until the screen shows something.</summary>
    public Task WaitForAsync(string what, Func<IReadOnlyList<string>, bool> condition) => PressUntilAsync("", what, condition);

    /// <summary>Presses a key, again and again where that is needed, until the screen shows something.</summary>
    public async Task PressUntilAsync(string key, string what, Func<IReadOnlyList<string>, bool> condition)
    {
        var clock = Stopwatch.StartNew();
        for (var round = 0; !condition(Rows); round++)
        {
            if (clock.Elapsed > _patience)
            {
                throw new TimeoutException($"The screen does not show {what}, but:\n{string.Join('\n', Rows)}");
            }

            if (key.Length > 0 && round % 20 == 0)
            {
                Type(key);
            }

            await Task.Delay(20);
        }
    }

    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync()
    {
        using var timeout = new CancellationTokenSource(_patience);
        await _process.WaitForExitAsync(timeout.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        // With the last process the terminal's other end is closed, which ends the reading.
        _reader.Join();
        _process.Dispose();
        _master.Dispose();
    }

    private void Read()
    {
        var bytes = new byte[4096];
        var characters = new char[4096];
        var decoder = Encoding.UTF8.GetDecoder();
        while (true)
        {
            var count = ReadMaster(_master, bytes, (nuint)bytes.Length);
            if (count <= 0)
            {
                return;
            }

            _screen.Write(characters.AsSpan(0, decoder.GetChars(bytes.AsSpan(0, (int)count), characters, flush: false)));
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    private static partial SafeFileHandle OpenMaster(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt", SetLastError = true)]
    private static partial int Grant(SafeFileHandle master);

    [LibraryImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    private static partial int Unlock(SafeFileHandle master);

    [LibraryImport("libc", EntryPoint = "ptsname_r", SetLastError = true)]
    private static partial int NameOf(SafeFileHandle master, byte[] name, nuint length);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle master, nuint request, in WindowSize size);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadMaster(SafeFileHandle master, [Out] byte[] buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteMaster(SafeFileHandle master, byte[] buffer, nuint length);

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort Width;
        public ushort Height;
    }
}
