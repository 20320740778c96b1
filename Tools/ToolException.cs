namespace DistDb.Tools;

/// <summary>Ends a tool with one line on standard error and an exit code.</summary>
/// <param name="message">What happened and what to do, as a sentence.</param>
/// <param name="exitCode">One of <see cref="ExitCode"/>.</param>
public sealed class ToolException(string message, int exitCode) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
