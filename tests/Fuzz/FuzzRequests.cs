using System.Text;
using DistDb.Tests.Commands;
using FsCheck;
using FsCheck.Fluent;

namespace DistDb.Tests.Fuzz;

/// <summary>
/// The stream of requests that a seed stands for. None of them asks for what would end the cluster by right: removing one of its members, or giving
/// one another address.
/// </summary>
internal static class FuzzRequests
{
    public const int NodeCount = 3;

    private const int Size = 6;

    private static readonly Gen<byte[]> _bodies = Gen.Frequency(
        (20, FuzzJson.Bodies.Select(Encoding.UTF8.GetBytes)),
        (3, from body in FuzzJson.Bodies
            from seed in Gen.Choose(0, int.MaxValue - 1)
            select new RandomCommands(seed).Damage(Encoding.UTF8.GetBytes(body.Length < 3000 ? body : body[..3000]))),
        (1, Gen.Choose(0, int.MaxValue - 1).Select(seed => new RandomCommands(seed).Bytes(seed % 300))));

    private static readonly Gen<(string Method, string Path, string? Accept, byte[] Body)> _queries =
        from path in Gen.Frequency((8, Gen.Constant("/query")), (1, Gen.Elements("/", "/query?objects", "/query?pretty", "/query?objects&pretty&x=%00", "/QUERY", "/query/")))
        from accept in Gen.Frequency((8, Gen.Constant<string?>(null)), (1, Gen.Elements<string?>("text/csv", "application/json", "*/*", "text/csv;q=0.5, application/json", "nonsense", "text/html", ";q=x,,")))
        from body in _bodies
        select ("POST", path, accept, body);

    private static readonly Gen<(string Method, string Path, string? Accept, byte[] Body)> _others =
        from method in Gen.Frequency((4, Gen.Elements("GET", "POST")), (1, Gen.Elements("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FUZZ")))
        from path in Gen.Elements(
            "/", "/status", "/cluster", "/health/live", "/health/ready", "/query", "/peer", "/nowhere", "/%2e%2e/%2e%2e/etc/passwd", "/status/../query", "/cluster/promote", "/cluster/verify", "/cluster/members/x", "/cluster/members/99", "/cluster/members/-1", "/cluster/members/99999999999", "/?" + new string('a', 3000), "/query?%ff=%zz", "//", "/cluster/")
        from body in Gen.OneOf(_bodies, Gen.Elements("", """{"id":99}""", """{"id":-1}""", """{"id":1.5}""", """{"id":"a"}""", """{"repair":false}""", """{"repair":1}""", "[]", "null", """{"id":1e99}""", "{\"x\":\"" + new string('y', 70_000) + "\"}").Select(Encoding.UTF8.GetBytes))
        select (method, path, (string?)null, body);

    private static readonly Gen<(string Method, string Path, string? Accept, byte[] Body)> _memberships =
        from body in Gen.Elements("""{"id":99,"address":"http://127.0.0.1:1"}""", """{"id":2,"address":"ftp://x"}""", """{"id":2,"address":""}""", """{"id":2}""", """{"address":"http://x"}""", "{}", "[", """{"id":2,"address":null}""", """{"id":2,"address":5}""", """{"id":2,"address":"../"}""")
        select ("POST", "/cluster/members", (string?)null, Encoding.UTF8.GetBytes(body));

    private static readonly Gen<byte[]> _raw =
        from head in Gen.Elements(
            "POST /query HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 41\r\n\r\n{\"command\":\"query\",\"query\":\"SELECT 1\"}   ",
            "POST /query HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"com\r\nZZ\r\n",
            "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{}",
            "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n{}",
            "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n{}",
            "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{\"command\":\"exec\"",
            "GET / HTTP/1.0\r\n\r\n", "GET /status\r\n", "GET / HTTP/9.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0",
            "GET /status HTTP/1.1\r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            "GET /peer HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            "GET /peer HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x\r\n\r\n",
            "GET /query HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + new string('h', 40_000) + "\r\n\r\n", "GET /" + new string('p', 9_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", string.Concat(Enumerable.Repeat("A: b\r\n", 200)), "\u0016\u0003\u0001\u0002\0\u0001\0", "\r\n\r\n\r\n", "")
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select Disturb(Encoding.Latin1.GetBytes(head), seed);

    private static readonly Gen<FuzzRequest> _requests =
        from node in Gen.Choose(0, NodeCount - 1)
        from request in Gen.Frequency(
            (90, _queries.Select(q => new FuzzRequest(node, q.Method, q.Path, q.Accept, q.Body))),
            (5, _others.Select(q => new FuzzRequest(node, q.Method, q.Path, q.Accept, q.Body))),
            (1, _memberships.Select(q => new FuzzRequest(node, q.Method, q.Path, q.Accept, q.Body))),
            (4, _raw.Select(bytes => new FuzzRequest(node, null, "", null, bytes))))
        select request;

    /// <summary>The request at a position of the stream, whatever is before it.</summary>
    public static FuzzRequest At(int seed, int position) =>
        Gen.Sample(_requests, 1, new Rnd(unchecked(((ulong)(uint)seed << 32) | (uint)position)), Size).Single();

    private static byte[] Disturb(byte[] bytes, int seed) => (seed % 4) switch
    {
        0 => bytes,
        1 => [.. bytes, .. new RandomCommands(seed).Bytes(seed % 200)],
        _ when bytes.Length > 0 => new RandomCommands(seed).Damage(bytes),
        _ => new RandomCommands(seed).Bytes(64),
    };
}
