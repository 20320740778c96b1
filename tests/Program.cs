using DistDb.Tests.Fuzz;
using DistDb.Tests.Overload;
using DistDb.Tests.Simulation;
using DistDb.Tests.Soak;

namespace DistDb.Tests;

/// <summary>
/// The tests' own executable. `dotnet test` finds the tests without it; run by hand it offers the commands that a test starts in a
/// process of its own, and the long runs.
/// </summary>
internal static class Program
{
    private static int Main(string[] args) => args switch
    {
        ["replay", ..] => Database.ReplayProcess.Replay(args.AsSpan(1)),
        ["simulate", .. var rest] => SimulateCommand.Run(rest),
        ["soak", .. var rest] => SoakCommand.Run(rest),
        ["overload", .. var rest] => OverloadCommand.Run(rest),
        ["fuzz", .. var rest] => FuzzCommand.Run(rest),
        _ => Usage(),
    };

    private static int Usage()
    {
        Console.Error.WriteLine("usage: dotnet run --project tests -- simulate [--seeds N] [--from S] [--seed S [--trace]]\n   or: dotnet run --project tests -- soak MINUTES [--seed N] [--nodes N]\n   or: dotnet run --project tests -- overload [--connections N] [--seconds S] [--bytes N]\n   or: dotnet run --project tests -- fuzz [COUNT] [--seed N] [--first N]");
        return 2;
    }
}
