namespace DistDb.Tests.Linearizability;

/// <summary>
/// Distinct configurations, without those that another one makes needless: of two that differ only in which operations of unknown fate
/// they have used, the one that has used fewer can do all that the other can, since such an operation never has to happen.
/// </summary>
/// <param name="optional">The slots of operations of unknown fate.</param>
internal sealed class ConfigurationSet<TState>(ulong optional)
    where TState : notnull
{
    private readonly Dictionary<(TState State, ulong Required), List<ulong>> _used = [];

    public bool IsEmpty => _used.Count == 0;

    public IEnumerable<Configuration<TState>> All =>
        _used.SelectMany(group => group.Value.Select(used => new Configuration<TState>(group.Key.State, group.Key.Required | used)));

    /// <summary>Adds a configuration; false where it brings nothing new.</summary>
    public bool Add(Configuration<TState> configuration)
    {
        var key = (configuration.State, configuration.Linearized & ~optional);
        var used = configuration.Linearized & optional;
        if (!_used.TryGetValue(key, out var others))
        {
            _used.Add(key, [used]);
            return true;
        }

        if (others.Exists(other => (other & ~used) == 0))
        {
            return false;
        }

        others.RemoveAll(other => (used & ~other) == 0);
        others.Add(used);
        return true;
    }

    /// <summary>Whether it was added and nothing better since.</summary>
    public bool Contains(Configuration<TState> configuration) =>
        _used.TryGetValue((configuration.State, configuration.Linearized & ~optional), out var others)
        && others.Contains(configuration.Linearized & optional);
}
