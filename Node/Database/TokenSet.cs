using System.Security.Cryptography;
using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>All tokens as of one log entry. Immutable, so that any thread may ask it.</summary>
public sealed class TokenSet
{
    private readonly Dictionary<Guid, List<StoredToken>> _byHash;

    /// <param name="tokens">In the order of their names.</param>
    public TokenSet(IReadOnlyList<StoredToken> tokens)
    {
        All = tokens;
        _byHash = tokens.GroupBy(t => KeyOf(t.Hash.Span)).ToDictionary(g => g.Key, g => g.ToList());
    }

    /// <summary>None at all.</summary>
    public static TokenSet Empty { get; } = new([]);

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<StoredToken> All { get; }

    /// <summary>The token with this hash, expired or not; null where there is none.</summary>
    /// <param name="hash">SHA-256 of what a client showed. That is looked up by its beginning, which tells nothing about any token: nobody can
    /// make a text with a hash that begins as another's does, other than by trying.</param>
    public StoredToken? Find(ReadOnlySpan<byte> hash)
    {
        StoredToken? found = null;
        foreach (var token in _byHash.GetValueOrDefault(KeyOf(hash), []))
        {
            if (CryptographicOperations.FixedTimeEquals(token.Hash.Span, hash))
            {
                found = token;
            }
        }

        return found;
    }

    private static Guid KeyOf(ReadOnlySpan<byte> hash) => hash.Length == CreateTokenOperation.HashBytes
        ? new(hash[..16])
        : throw new ArgumentException($"A hash of {hash.Length} bytes; SHA-256 gives {CreateTokenOperation.HashBytes}.", nameof(hash));
}
