using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

/// <summary>Requests as most tests make them.</summary>
internal static class ClusterNodeExtensions
{
    public static Task<WriteResult> WriteAsync(
        this ClusterNode node,
        string database,
        IReadOnlyList<Statement> statements,
        bool isTransaction,
        string? idempotencyKey,
        CancellationToken cancellationToken) => node.WriteAsync(
            new WriteCommand { Database = database, Statements = statements, IsTransaction = isTransaction, IdempotencyKey = idempotencyKey, Client = "127.0.0.1" },
            node.RequestTimeout,
            memory: null,
            cancellationToken);

    public static Task<QueryResult> QueryAsync(
        this ClusterNode node, string database, Statement statement, bool isStrong, LogIndex minIndex, CancellationToken cancellationToken) =>
        node.QueryAsync(database, statement, isStrong, minIndex, new(node.RequestTimeout), cancellationToken);
}
