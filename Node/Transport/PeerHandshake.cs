using System.Security.Cryptography;
using System.Text;
using DistDb.Node.Commands;

namespace DistDb.Node.Transport;

/// <summary>
/// Proves to both ends of a link that the other knows the cluster secret, without sending it, and gives them a key that seals
/// everything they say afterwards. Each end contributes a fresh nonce, so nothing recorded can be used again. Pure: bytes in, bytes out.
/// <code>
/// dialer   -> hello        magic "DDBP", identity, nonce: 32 bytes
/// acceptor -> challenge    identity, nonce: 32 bytes, proof: HMAC(secret, "acceptor" hello identity+nonce)
/// dialer   -> response     proof: HMAC(secret, "dialer" hello identity+nonce)
/// acceptor -> verdict      kind: 1 byte, reason: text, proof: HMAC(HMAC(secret, "verdict" hello identity+nonce), kind+reason);
///                          the link ends unless the kind is "welcome"
/// session key = HMAC(secret, "session" hello identity+nonce)
/// </code>
/// </summary>
public sealed class PeerHandshake
{
    private const int NonceBytes = 32;
    private const int ProofBytes = HMACSHA256.HashSizeInBytes;
    private static readonly byte[] _magic = "DDBP"u8.ToArray();

    private readonly byte[] _secret;
    private readonly PeerIdentity _self;
    private byte[] _hello = [];
    private byte[] _challenge = [];

    /// <param name="secret">The cluster secret's bytes.</param>
    /// <param name="self">This node.</param>
    public PeerHandshake(ReadOnlySpan<byte> secret, PeerIdentity self)
    {
        _secret = secret.ToArray();
        _self = self;
    }

    /// <summary>This node, as it told the other end.</summary>
    public PeerIdentity Self => _self;

    /// <summary>The other end, once its proof was checked.</summary>
    public PeerIdentity? Peer { get; private set; }

    /// <summary>Dialer, step 1: what to send first.</summary>
    public byte[] CreateHello()
    {
        var writer = new WireWriter();
        writer.WriteRaw(_magic);
        _self.Write(writer);
        writer.WriteRaw(RandomNumberGenerator.GetBytes(NonceBytes));
        return _hello = writer.ToArray();
    }

    /// <summary>Acceptor, step 2: the answer to a hello.</summary>
    /// <exception cref="PeerRefusedException">These bytes are not a hello of this version.</exception>
    public byte[] CreateChallenge(ReadOnlySpan<byte> hello)
    {
        Peer = Parse(hello, hasMagic: true);
        _hello = hello.ToArray();
        var writer = new WireWriter();
        _self.Write(writer);
        writer.WriteRaw(RandomNumberGenerator.GetBytes(NonceBytes));
        _challenge = writer.ToArray();
        writer.WriteRaw(Derive("acceptor"));
        return writer.ToArray();
    }

    /// <summary>Dialer, step 3: checks the acceptor's proof and answers with its own.</summary>
    /// <exception cref="PeerRefusedException">The acceptor does not know the secret, or cannot work with this node.</exception>
    public byte[] CreateResponse(ReadOnlySpan<byte> challenge)
    {
        if (challenge.Length <= ProofBytes)
        {
            throw new PeerRefusedException("the other side is not a distdb node");
        }

        _challenge = challenge[..^ProofBytes].ToArray();
        CheckProof("acceptor", challenge[^ProofBytes..]);
        Peer = Parse(_challenge, hasMagic: false);
        return PeerIdentity.Incompatibility(_self, Peer) is { } reason ? throw new PeerRefusedException(reason) : Derive("dialer");
    }

    /// <summary>Acceptor, step 4: checks the dialer's proof. Whether the two fit is for the verdict to say.</summary>
    /// <exception cref="PeerRefusedException">The dialer does not know the secret; it gets no verdict.</exception>
    public void CheckResponse(ReadOnlySpan<byte> response) => CheckProof("dialer", response);

    /// <summary>Acceptor, step 5: what to send last.</summary>
    public byte[] CreateVerdict(PeerVerdict verdict)
    {
        var writer = new WireWriter();
        writer.WriteByte((byte)verdict.Kind);
        writer.WriteText(verdict.Reason);
        writer.WriteRaw(HMACSHA256.HashData(Derive("verdict"), writer.Written.Span));
        return writer.ToArray();
    }

    /// <summary>Dialer, step 6: the acceptor's verdict, which nobody in between can have made or altered.</summary>
    /// <exception cref="PeerRefusedException">These bytes are not the acceptor's.</exception>
    public PeerVerdict ReadVerdict(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= ProofBytes
            || !CryptographicOperations.FixedTimeEquals(bytes[^ProofBytes..], HMACSHA256.HashData(Derive("verdict"), bytes[..^ProofBytes])))
        {
            throw new PeerRefusedException("the last word of the handshake was altered on its way");
        }

        var reader = new WireReader(bytes[..^ProofBytes]);
        return new((PeerVerdictKind)reader.ReadByte(), reader.ReadText());
    }

    /// <summary>The key that both ends now share, and nobody else.</summary>
    public byte[] DeriveSessionKey() => Derive("session");

    private static PeerIdentity Parse(ReadOnlySpan<byte> bytes, bool hasMagic)
    {
        try
        {
            var reader = new WireReader(bytes);
            if (hasMagic && !reader.ReadRaw(_magic.Length).SequenceEqual(_magic))
            {
                throw new PeerRefusedException("the other side is not a distdb node");
            }

            var identity = PeerIdentity.Read(ref reader);
            reader.ReadRaw(NonceBytes);
            return reader.AtEnd ? identity : throw new PeerRefusedException("the other side speaks an unknown peer protocol");
        }
        catch (InvalidDataException)
        {
            throw new PeerRefusedException("the other side speaks an unknown peer protocol");
        }
    }

    private void CheckProof(string role, ReadOnlySpan<byte> proof)
    {
        if (!CryptographicOperations.FixedTimeEquals(proof, Derive(role)))
        {
            throw new PeerRefusedException("the other side has another cluster secret; give all nodes the same");
        }
    }

    private byte[] Derive(string purpose)
    {
        // Lengths in front, so that no two different conversations give the same bytes.
        var writer = new WireWriter();
        writer.WriteBytes(Encoding.ASCII.GetBytes(purpose));
        writer.WriteBytes(_hello);
        writer.WriteBytes(_challenge);
        return HMACSHA256.HashData(_secret, writer.Written.Span);
    }
}

/// <summary>A link was refused, by this end or the other. The message is half a sentence that says why.</summary>
public sealed class PeerRefusedException(string reason) : Exception(reason);
