using System.Text;

namespace DistDb.Tests.Fuzz;

/// <summary>Something that a client might send.</summary>
/// <param name="Node">To whom.</param>
/// <param name="Method">An HTTP method; null for bytes that go to the port as they are.</param>
/// <param name="Path">With its query string.</param>
/// <param name="Accept">The header, or null.</param>
/// <param name="Body">The body, or the bytes.</param>
internal sealed record FuzzRequest(int Node, string? Method, string Path, string? Accept, byte[] Body)
{
    private const int ShownMax = 2000;

    public bool IsRaw => Method is null;

    /// <summary>For a report; the bytes that are no printable ASCII as <c>\x00</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(IsRaw ? $"node {Node}: " : $"node {Node}: {Method} {Path}{(Accept is null ? "" : $" (Accept: {Accept})")} ");
        foreach (var b in Body.AsSpan(0, Math.Min(Body.Length, ShownMax)))
        {
            text.Append(b is >= 32 and < 127 ? ((char)b).ToString() : $"\\x{b:x2}");
        }

        return Body.Length > ShownMax ? $"{text}... ({Body.Length} bytes)" : text.ToString();
    }
}
