using System.Net;
using System.Net.Sockets;

namespace DistDb.Tests.Support;

/// <summary>Ports of the loopback that nobody listens on, below those that the system gives out by itself.</summary>
internal static class FreePorts
{
    private const int PortMin = 20_000;
    private const int PortMax = 32_000;

    /// <summary>The first of so many in a row.</summary>
    public static int Find(int count)
    {
        while (true)
        {
            var first = Random.Shared.Next(PortMin, PortMax - count);
            if (Enumerable.Range(first, count).All(IsFree))
            {
                return first;
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
