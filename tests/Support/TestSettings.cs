using System.Net;
using DistDb.Node;
using DistDb.Node.Raft;

namespace DistDb.Tests.Support;

/// <summary>Settings of a node that is built, and not started.</summary>
internal static class TestSettings
{
    public static NodeSettings In(string folder) => new()
    {
        Id = new(0),
        NodeCount = 0,
        Host = IPAddress.Loopback.ToString(),
        BasePort = 8080,
        DataFolder = folder,
        Addresses = new Dictionary<NodeId, Uri> { [new(0)] = new("http://127.0.0.1:8080") },
        GivenAddresses = new Dictionary<NodeId, Uri>(),
        Join = [],
        IsRebuilding = false,
        ClusterSecret = new byte[32],
        ClusterSecretSource = "",
        InitialToken = null,
        InitialTokenSource = null,
        Timeout = TimeSpan.FromSeconds(10),
        BodyBytesMax = 1024,
        RequestsMax = 1,
        ConnectionsMax = 1,
        RequestMemoryBytes = 1024,
        PendingWritesMax = 1,
        PendingBytesMax = 1024,
        ReaderCount = 1,
        OpenDatabasesMax = 32,
        ResultBytesMax = 1024,
        LogTailEntries = 1,
        LogTailBytes = 1024,
        VerifyInterval = TimeSpan.Zero,
        TransactionIdle = TimeSpan.FromSeconds(5),
        TransactionTimeout = TimeSpan.FromSeconds(30),
        HistoryRowsMax = 0,
        HistoryAgeMax = TimeSpan.Zero,
        ChangesBytesMax = 0,
        RecordsReads = false,
    };
}
