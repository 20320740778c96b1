using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using DistDb.Tools.Bench;

namespace DistDb.Bench;

/// <summary>How long a message takes over the loopback to another thread and back, both of which sleep until it comes: what a write waits for at least until a follower has it.</summary>
internal static class LoopbackProbe
{
    /// <summary>About what a small write is on its way to a peer.</summary>
    private const int MessageBytes = 200;

    /// <summary>Sends a message and waits for it to come back, again and again.</summary>
    public static LoadResult Run(TimeSpan time)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var near = new TcpClient { NoDelay = true };
        near.Connect((IPEndPoint)listener.LocalEndpoint);
        using var far = listener.AcceptTcpClient();
        far.NoDelay = true;
        var echo = new Thread(() => Echo(far.GetStream()));
        echo.Start();

        var stream = near.GetStream();
        var message = new byte[MessageBytes];
        var latencies = new LatencyHistogram();
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            var before = Stopwatch.GetTimestamp();
            stream.Write(message);
            stream.ReadExactly(message);
            latencies.Add(Stopwatch.GetElapsedTime(before));
        }

        var elapsed = Stopwatch.GetElapsedTime(start);
        near.Client.Shutdown(SocketShutdown.Send);
        echo.Join();
        return new(elapsed, [latencies], new Dictionary<string, long>(), null);
    }

    private static void Echo(NetworkStream stream)
    {
        var message = new byte[MessageBytes];
        while (stream.ReadAtLeast(message, MessageBytes, throwOnEndOfStream: false) == MessageBytes)
        {
            stream.Write(message);
        }
    }
}
