using System.CommandLine;
using System.CommandLine.Invocation;

namespace DistDb.Tools;

/// <summary><c>distdb --version</c>: what runs here, a line for each part.</summary>
/// <param name="version">Of distdb.</param>
/// <param name="commit">That it was built from; null where that is not known.</param>
/// <param name="sqlite">The version of SQLite's library.</param>
internal sealed class VersionAction(string version, string? commit, string sqlite) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine($"distdb {version}");
        if (commit is not null)
        {
            output.WriteLine($"commit {commit}");
        }

        output.WriteLine($"sqlite {sqlite}");
        output.WriteLine($"dotnet {Environment.Version}");
        return 0;
    }
}
