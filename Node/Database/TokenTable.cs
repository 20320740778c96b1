using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// The tokens by which clients are known, kept in <c>main</c>, so that they come and go with log entries. As long as there is none, nobody is
/// asked for one; so from the first on there is always one that can make others: with the role <c>admin</c>, and without an end.
/// </summary>
internal sealed class TokenTable(Connection connection) : IDisposable
{
    /// <summary>Tokens of a cluster: each request looks in all of them, and each change reads all.</summary>
    public const int CountMax = 10_000;

    private static readonly string _isLasting = $"role = {(int)TokenRole.Admin} AND expires_ms IS NULL";

    private readonly InternalStatement _read = connection.CreateInternal(
        "SELECT name, hash, role, ifnull(databases, ''), created_ms, ifnull(expires_ms, 0) FROM _distdb_tokens ORDER BY name");

    private readonly InternalStatement _count = connection.CreateInternal(
        "SELECT count(*), ifnull(sum(name = ?1), 0) FROM _distdb_tokens");

    private readonly InternalStatement _countOtherLasting = connection.CreateInternal(
        $"SELECT count(*) FROM _distdb_tokens WHERE name <> ?1 AND {_isLasting}");

    private readonly InternalStatement _add = connection.CreateInternal(
        "INSERT INTO _distdb_tokens(name, hash, role, databases, created_ms, expires_ms) VALUES (?1, ?2, ?3, nullif(?4, ''), ?5, nullif(?6, 0))");

    private readonly InternalStatement _remove = connection.CreateInternal("DELETE FROM _distdb_tokens WHERE name = ?1");

    /// <summary>All of them, in the order of their names.</summary>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public IReadOnlyList<StoredToken> Read()
    {
        List<StoredToken> tokens = [];
        while (_read.Step())
        {
            tokens.Add(new(
                _read.Text(0),
                (TokenRole)_read.Integer(2),
                _read.Text(3).Split(',', StringSplitOptions.RemoveEmptyEntries),
                _read.Integer(4),
                _read.Integer(5) is not 0 and var expiresMs ? expiresMs : null,
                _read.Blob(1)));
        }

        return tokens;
    }

    /// <summary>Adds one.</summary>
    /// <param name="token">What it is to be.</param>
    /// <param name="timeMs">The entry's time.</param>
    /// <returns>Why it was not added, or null.</returns>
    /// <exception cref="StorageFailedException">The file cannot be written.</exception>
    public Failure? Add(CreateTokenOperation token, long timeMs)
    {
        var (count, isNameTaken) = Count(token.Name);
        if (token.MustBeFirst && count > 0)
        {
            return new(FailureCode.Conflict, "The cluster has tokens already, so that this is not the first. Nothing was done; have somebody with an admin token make one.");
        }

        if (isNameTaken)
        {
            return new(FailureCode.Conflict, $"There is a token \"{token.Name}\" already. Nothing was done; choose another name, or revoke that one first.");
        }

        if (count == 0 && token is not { Role: TokenRole.Admin, LifetimeMs: null })
        {
            return new(
                FailureCode.Conflict,
                "From the first token on nobody gets in without one, so the first must have the role \"admin\" and must not expire: others can be made with it. Nothing was done.");
        }

        if (count >= CountMax)
        {
            return new(FailureCode.Conflict, $"The cluster has {count} tokens, which is the most. Nothing was done; revoke some first.");
        }

        _add.Bind(1, token.Name)
            .Bind(2, token.Hash.Span)
            .Bind(3, (long)token.Role)
            .Bind(4, string.Join(',', token.Databases))
            .Bind(5, timeMs)
            .Bind(6, token.LifetimeMs is { } lifetimeMs ? timeMs + lifetimeMs : 0)
            .Run();
        return null;
    }

    /// <summary>Removes one.</summary>
    /// <returns>Why it was not removed, or null.</returns>
    /// <exception cref="StorageFailedException">The file cannot be written.</exception>
    public Failure? Remove(string name)
    {
        if (!Count(name).IsNameTaken)
        {
            return new(FailureCode.NoSuchToken, $"There is no token \"{name}\". Nothing was done; see all with \"distdb token list\" (GET /tokens).");
        }

        _ = _countOtherLasting.Bind(1, name).Step();
        var others = _countOtherLasting.Integer(0);
        _countOtherLasting.Reset();
        if (others == 0)
        {
            return new(
                FailureCode.Conflict,
                $"\"{name}\" is the last admin token that does not expire: without it nobody could make another. Nothing was done; make its successor first.");
        }

        _remove.Bind(1, name).Run();
        return null;
    }

    public void Dispose()
    {
        foreach (var statement in (ReadOnlySpan<InternalStatement>)[_read, _count, _countOtherLasting, _add, _remove])
        {
            statement.Dispose();
        }
    }

    private (long Count, bool IsNameTaken) Count(string name)
    {
        _ = _count.Bind(1, name).Step();
        var count = (_count.Integer(0), _count.Integer(1) > 0);
        _count.Reset();
        return count;
    }
}
