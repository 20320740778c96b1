using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <content>The tokens by which clients are known.</content>
public sealed partial class ClusterNode
{
    /// <summary>What the first token is called where it comes from a node's settings.</summary>
    private const string InitialTokenName = "initial";

    private Task? _initialToken;
    private Task? _catchUp;
    private volatile bool _hasCaughtUp;

    /// <summary>
    /// All tokens, as of the last entry that this node applied, or, while it replaces its data, as of before. Null where it cannot know: it has no data yet,
    /// or bad data, or has yet to be taken into a cluster that may have tokens, or finds none and has yet to catch up with the others, who may have some.
    /// </summary>
    public TokenSet? Tokens => _writes.Tokens is { } tokens && (tokens.All.Count > 0 || (IsKnown && _hasCaughtUp)) ? tokens : null;

    /// <summary>The time by which tokens expire.</summary>
    public DateTimeOffset Now => _options.TimeProvider.GetUtcNow();

    /// <summary>Whether a token was given to this node to be the first, and has yet to become it, unless the cluster has another.</summary>
    public bool AwaitsFirstToken => _cluster.InitialTokenHash is not null && Tokens is not { All.Count: > 0 };

    /// <summary>Makes or revokes a token, through the log. Once it is done, this node goes by it, and every other as soon as it has applied the entry.</summary>
    /// <param name="operation">A <see cref="CreateTokenOperation"/> or a <see cref="RevokeTokenOperation"/>.</param>
    /// <param name="cancellationToken">Ends the waiting, not the operation.</param>
    public async Task<WriteResult> ChangeTokensAsync(Operation operation, CancellationToken cancellationToken) => Refusal() is { } refusal
        ? new WriteResult.NotDone(refusal)
        : await SubmitAsync(operation, cancellationToken).ConfigureAwait(false);

    /// <summary>Finds out, after each start, once this node has applied all that the cluster had acknowledged at some moment since.</summary>
    private void SweepCatchUp()
    {
        if (!_hasCaughtUp && IsKnown && Leader is not null && !IsClosed && _catchUp is null or { IsCompleted: true })
        {
            _catchUp = CatchUpAsync();
        }
    }

    private async Task CatchUpAsync() =>
        _hasCaughtUp = await WaitForFreshnessAsync(isStrong: true, LogIndex.Zero, Deadline.After(_options.RequestTimeout), CancellationToken.None).ConfigureAwait(false) is null;

    /// <summary>Proposes the first token, again and again until there is one. Every node that was given one does so; the log decides which is first.</summary>
    private void SweepInitialToken()
    {
        if (_cluster.InitialTokenHash is not { } hash || Tokens is not { All.Count: 0 } || Leader is null || IsClosed || _initialToken is { IsCompleted: false })
        {
            return;
        }

        _initialToken = MakeInitialTokenAsync(hash);
    }

    private async Task MakeInitialTokenAsync(ReadOnlyMemory<byte> hash)
    {
        var operation = new CreateTokenOperation(InitialTokenName, TokenRole.Admin, [], LifetimeMs: null, hash, MustBeFirst: true);
        switch (await SubmitAsync(operation, CancellationToken.None).ConfigureAwait(false))
        {
            case WriteResult.Done:
                LogInitialToken(InitialTokenName);
                break;
            case WriteResult.NotDone { Failure: { Code: not FailureCode.Conflict } failure }:
                LogInitialTokenWaits(failure.Detail);
                break;
            default:
                // Another node was faster, and this one is about to apply the entry.
                break;
        }
    }

    [LoggerMessage(EventId = 440, Level = LogLevel.Information, Message = "The cluster had no tokens; the one in this node's settings became its first, \"{Name}\".")]
    private partial void LogInitialToken(string name);

    [LoggerMessage(EventId = 441, Level = LogLevel.Warning, Message = "The cluster has no tokens yet, and the one in this node's settings could not become its first: {Reason} It is tried again.")]
    private partial void LogInitialTokenWaits(string reason);
}
