using System.Net;

namespace DistDb.Tools;

/// <summary>The body of a request that is read from a file as it is sent.</summary>
/// <param name="file">From its beginning.</param>
/// <param name="onProgress">Told how many bytes were sent so far.</param>
internal sealed class UploadContent(Stream file, Action<long> onProgress) : HttpContent
{
    private const int BufferBytes = 128 << 10;

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var buffer = new byte[BufferBytes];
        file.Position = 0;
        while (await file.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var count)
        {
            await stream.WriteAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
            onProgress(file.Position);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = file.Length;
        return true;
    }
}
