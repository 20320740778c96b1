using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace DistDb.Node.Api;

/// <summary>The text that a client shows to be let in. It is nowhere stored: the cluster knows its SHA-256, which is enough to recognise it (docs/adr/0011).</summary>
public static class BearerToken
{
    /// <summary>What made tokens begin with, so that people and secret scanners recognise them.</summary>
    public const string Prefix = "distdb_";

    /// <summary>Fewest characters of a token that somebody thought up: fewer could be guessed by trying.</summary>
    public const int LengthMin = 16;

    /// <summary>Most characters of any.</summary>
    public const int LengthMax = 512;

    private const int RandomBytes = 32;

    /// <summary>A new one: the prefix and 256 random bits in 43 characters of base64url.</summary>
    public static string Create() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>
    /// What proves to a node that one has the cluster secret, without showing it: 256 bits that are drawn from it. <c>POST /tokens/init</c> alone takes it.
    /// </summary>
    /// <param name="clusterSecret">As the nodes have it.</param>
    public static string OfSecret(ReadOnlySpan<byte> clusterSecret)
    {
        Span<byte> key = stackalloc byte[RandomBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, clusterSecret, key, salt: [], info: "distdb token init"u8);
        return Prefix + Base64Url.EncodeToString(key);
    }

    /// <summary>What the cluster knows of it, 32 bytes.</summary>
    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Why a text that somebody gave cannot be a token, without the text itself; or null.</summary>
    public static string? FindFault(string text) =>
        text.Length is < LengthMin or > LengthMax ? $"it has {text.Length} characters; a token has {LengthMin} to {LengthMax}"
        : !text.All(c => c is > ' ' and < '\x7f') ? "it has other characters than visible ASCII ones"
        : null;

    /// <summary>Reads a token that was given in a file or a variable; white space around it does not count.</summary>
    /// <param name="text">What was given.</param>
    /// <param name="source">Where, for the error message.</param>
    /// <exception cref="InvalidDataException">It cannot be a token.</exception>
    public static string Parse(string text, string source) => text.Trim() is var token && FindFault(token) is { } fault
        ? throw new InvalidDataException(
            $"The token in {source} cannot be used: {fault}. A good one comes from: echo {Prefix}$(openssl rand -hex 32)")
        : token;

    /// <summary>The token of a request's <c>Authorization: Bearer ...</c>; null where there is none, or more than one, or something else.</summary>
    public static string? Of(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        return request.Headers.Authorization is [{ Length: <= LengthMax + 16 } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && header[Scheme.Length..].Trim() is { Length: > 0 } token
            ? token
            : null;
    }
}
