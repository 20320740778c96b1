using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace DistDb.Tests.Support;

/// <summary>What tests do to processes that .NET has no words for.</summary>
internal static partial class Posix
{
    private const int SigTerm = 15;
    private const int SigCont = 18;
    private const int SigStop = 19;

    /// <summary>Asks for an orderly stop.</summary>
    public static void Terminate(Process process) => Signal(process, SigTerm);

    /// <summary>Freezes a process: its sockets stay open, but nobody answers.</summary>
    public static void Pause(Process process) => Signal(process, SigStop);

    public static void Resume(Process process) => Signal(process, SigCont);

    private static void Signal(Process process, int signal)
    {
        if (Kill(process.Id, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int processId, int signal);
}
