using System.Collections;
using System.Data.Common;

namespace DistDb.Data;

/// <summary>The values of a command.</summary>
public sealed class DistDbParameterCollection : DbParameterCollection
{
    private readonly List<DistDbParameter> _parameters = [];

    internal DistDbParameterCollection()
    {
    }

    /// <inheritdoc/>
    public override int Count => _parameters.Count;

    /// <inheritdoc/>
    public override object SyncRoot => ((ICollection)_parameters).SyncRoot;

    /// <summary>The parameter at a place.</summary>
    public new DistDbParameter this[int index]
    {
        get => _parameters[index];
        set => _parameters[index] = value;
    }

    /// <summary>The parameter of a name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none.</exception>
    public new DistDbParameter this[string parameterName]
    {
        get => _parameters[Require(parameterName)];
        set => _parameters[Require(parameterName)] = value;
    }

    /// <summary>Adds a parameter.</summary>
    public DistDbParameter Add(DistDbParameter value)
    {
        _parameters.Add(value);
        return value;
    }

    /// <summary>Adds a parameter whose value is set later.</summary>
    public DistDbParameter Add(string? parameterName, DistDbType type) => Add(new DistDbParameter { ParameterName = parameterName, DistDbType = type });

    /// <summary>Adds a parameter of a name and a value.</summary>
    public DistDbParameter AddWithValue(string? parameterName, object? value) => Add(new DistDbParameter(parameterName, value));

    /// <inheritdoc/>
    public override int Add(object value)
    {
        _parameters.Add(Ours(value));
        return _parameters.Count - 1;
    }

    /// <inheritdoc/>
    public override void AddRange(Array values)
    {
        foreach (var value in values)
        {
            Add(value!);
        }
    }

    /// <inheritdoc/>
    public override void Clear() => _parameters.Clear();

    /// <inheritdoc/>
    public override bool Contains(object value) => _parameters.Contains(value);

    /// <inheritdoc/>
    public override bool Contains(string value) => IndexOf(value) >= 0;

    /// <inheritdoc/>
    public override void CopyTo(Array array, int index) => ((ICollection)_parameters).CopyTo(array, index);

    /// <inheritdoc/>
    public override IEnumerator GetEnumerator() => _parameters.GetEnumerator();

    /// <inheritdoc/>
    public override int IndexOf(object value) => value is DistDbParameter parameter ? _parameters.IndexOf(parameter) : -1;

    /// <inheritdoc/>
    public override int IndexOf(string parameterName) => _parameters.FindIndex(parameter => parameter.ParameterName == parameterName);

    /// <inheritdoc/>
    public override void Insert(int index, object value) => _parameters.Insert(index, Ours(value));

    /// <inheritdoc/>
    public override void Remove(object value) => _parameters.Remove(Ours(value));

    /// <inheritdoc/>
    public override void RemoveAt(int index) => _parameters.RemoveAt(index);

    /// <inheritdoc/>
    public override void RemoveAt(string parameterName) => _parameters.RemoveAt(Require(parameterName));

    /// <inheritdoc/>
    protected override DbParameter GetParameter(int index) => this[index];

    /// <inheritdoc/>
    protected override DbParameter GetParameter(string parameterName) => this[parameterName];

    /// <inheritdoc/>
    protected override void SetParameter(int index, DbParameter value) => this[index] = Ours(value);

    /// <inheritdoc/>
    protected override void SetParameter(string parameterName, DbParameter value) => this[parameterName] = Ours(value);

    internal IReadOnlyList<DistDbParameter> All => _parameters;

    private int Require(string name) => IndexOf(name) is >= 0 and var index
        ? index
        : throw new ArgumentOutOfRangeException(nameof(name), name, "There is no parameter of this name.");

    private static DistDbParameter Ours(object value) => value as DistDbParameter
        ?? throw new InvalidCastException($"A {nameof(DistDbParameter)} is expected, not {value?.GetType().Name ?? "null"}.");
}
