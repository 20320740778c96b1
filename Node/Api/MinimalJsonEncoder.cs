using System.Buffers;
using System.Text.Encodings.Web;

namespace DistDb.Node.Api;

/// <summary>
/// Escapes what JSON demands and nothing more, so that people can read answers in a terminal. The framework's encoders escape
/// everything beyond the basic plane as well, emoji for example. Meant for text that was decoded from UTF-8 and so has no lone surrogates.
/// </summary>
internal sealed unsafe class MinimalJsonEncoder : JavaScriptEncoder
{
    private const int FirstPrintable = 0x20;

    private static readonly SearchValues<char> _escaped =
        SearchValues.Create([.. Enumerable.Range(0, FirstPrintable).Select(c => (char)c), '"', '\\']);

    public static MinimalJsonEncoder Instance { get; } = new();

    public override int MaxOutputCharactersPerInputCharacter => UnsafeRelaxedJsonEscaping.MaxOutputCharactersPerInputCharacter;

    public override int FindFirstCharacterToEncode(char* text, int textLength) =>
        new ReadOnlySpan<char>(text, textLength).IndexOfAny(_escaped);

    public override bool WillEncode(int unicodeScalar) => unicodeScalar is < FirstPrintable or '"' or '\\';

    public override bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten) =>
        UnsafeRelaxedJsonEscaping.TryEncodeUnicodeScalar(unicodeScalar, buffer, bufferLength, out numberOfCharactersWritten);
}
