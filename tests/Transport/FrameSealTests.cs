using System.Security.Cryptography;
using System.Text;
using DistDb.Node.Transport;

namespace DistDb.Tests.Transport;

public sealed class FrameSealTests : IDisposable
{
    private static readonly byte[] _key = SHA256.HashData("key"u8);

    private readonly FrameSeal _sender = new(_key);
    private readonly FrameSeal _receiver = new(_key);

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    [Fact]
    public void Frames_are_opened_in_their_order()
    {
        foreach (var text in (string[])["one", "", "three"])
        {
            Encoding.ASCII.GetString(_receiver.Open(Seal(text))).Should().Be(text);
        }
    }

    [Fact]
    public void A_frame_may_be_sealed_and_looked_at_in_parts()
    {
        var frame = Seal("one of many bytes");
        using var sender = new FrameSeal(_key);
        sender.Add("one of "u8);
        sender.Add(""u8);
        sender.Add("many bytes"u8);
        var tag = new byte[FrameSeal.TagBytes];
        sender.Finish(tag);
        frame.AsSpan(^FrameSeal.TagBytes..).ToArray().Should().Equal(tag);
        for (var length = 0; length <= frame.Length; length += 3)
        {
            _receiver.Preview(frame.AsSpan(0, length));
        }

        Encoding.ASCII.GetString(_receiver.Open(frame)).Should().Be("one of many bytes");
        Encoding.ASCII.GetString(_receiver.Open(Seal("next"))).Should().Be("next");
    }

    [Fact]
    public void A_repeated_frame_is_refused()
    {
        var frame = Seal("one");
        _receiver.Open(frame);
        Refused(frame);
    }

    [Fact]
    public void A_frame_out_of_order_or_after_a_lost_one_is_refused()
    {
        Seal("one");
        Refused(Seal("two"));
    }

    [Fact]
    public void Any_altered_bit_is_refused()
    {
        var frame = Seal("payload");
        for (var bit = 0; bit < frame.Length * 8; bit++)
        {
            using var receiver = new FrameSeal(_key);
            byte[] altered = [.. frame];
            altered[bit / 8] ^= (byte)(1 << (bit % 8));
            receiver.Invoking(r => r.Open(altered).Length).Should().Throw<PeerRefusedException>();
        }
    }

    [Fact]
    public void A_frame_that_was_cut_or_sealed_with_another_key_is_refused()
    {
        var frame = Seal("payload");
        using var other = new FrameSeal(SHA256.HashData("another"u8));
        other.Invoking(o => o.Open(frame).Length).Should().Throw<PeerRefusedException>();
        Refused(frame[..^1]);
        Refused([]);
        Refused(new byte[FrameSeal.TagBytes - 1]);
    }

    private byte[] Seal(string text)
    {
        var payload = Encoding.ASCII.GetBytes(text);
        var frame = new byte[payload.Length + FrameSeal.TagBytes];
        payload.CopyTo(frame, 0);
        _sender.Add(payload);
        _sender.Finish(frame.AsSpan(payload.Length));
        return frame;
    }

    private void Refused(byte[] frame) => _receiver.Invoking(r => r.Open(frame).Length).Should().Throw<PeerRefusedException>();
}
