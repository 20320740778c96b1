using System.Net;
using System.Net.Sockets;

namespace DistDb.Tests.Support;

/// <summary>
/// Ports of the loopback that nobody listens on, below those that the system gives out by itself. One after the other, from a random
/// one on: what was given out and is not in use yet is not given to somebody else.
/// </summary>
internal static class FreePorts
{
    private const int PortMin = 20_000;
    private const int PortMax = 32_000;

    private static readonly Lock _lock = new();

    private static int _next = Random.Shared.Next(PortMin, PortMax);

    /// <summary>The first of so many in a row.</summary>
    public static int Find(int count)
    {
        lock (_lock)
        {
            while (true)
            {
                var first = _next + count <= PortMax ? _next : PortMin;
                _next = first + count;
                if (Enumerable.Range(first, count).All(IsFree))
                {
                    return first;
                }
            }
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
