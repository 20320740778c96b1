namespace DistDb.Tools.Shell;

/// <summary>Something that was typed cannot be done; the shell goes on.</summary>
/// <param name="message">What happened and what to do, as a sentence.</param>
/// <param name="line">The line that it is about, where that is not the one at hand; from 1.</param>
internal sealed class ShellException(string message, int? line = null) : Exception(message)
{
    public int? Line { get; } = line;

    /// <summary>Whether the message says where it was already.</summary>
    public bool IsPlaced { get; init; }
}
