using System.Data.Common;

namespace DistDb.Data;

/// <summary>The commands of a batch.</summary>
public sealed class DistDbBatchCommandCollection : DbBatchCommandCollection
{
    private readonly List<DistDbBatchCommand> _commands = [];

    internal DistDbBatchCommandCollection()
    {
    }

    /// <inheritdoc/>
    public override int Count => _commands.Count;

    /// <inheritdoc/>
    public override bool IsReadOnly => false;

    internal IReadOnlyList<DistDbBatchCommand> All => _commands;

    /// <inheritdoc/>
    public override void Add(DbBatchCommand item) => _commands.Add(Ours(item));

    /// <inheritdoc/>
    public override void Clear() => _commands.Clear();

    /// <inheritdoc/>
    public override bool Contains(DbBatchCommand item) => _commands.Contains(Ours(item));

    /// <inheritdoc/>
    public override void CopyTo(DbBatchCommand[] array, int arrayIndex) => _commands.ToArray<DbBatchCommand>().CopyTo(array, arrayIndex);

    /// <inheritdoc/>
    public override IEnumerator<DbBatchCommand> GetEnumerator() => _commands.GetEnumerator();

    /// <inheritdoc/>
    public override int IndexOf(DbBatchCommand item) => _commands.IndexOf(Ours(item));

    /// <inheritdoc/>
    public override void Insert(int index, DbBatchCommand item) => _commands.Insert(index, Ours(item));

    /// <inheritdoc/>
    public override bool Remove(DbBatchCommand item) => _commands.Remove(Ours(item));

    /// <inheritdoc/>
    public override void RemoveAt(int index) => _commands.RemoveAt(index);

    /// <inheritdoc/>
    protected override DbBatchCommand GetBatchCommand(int index) => _commands[index];

    /// <inheritdoc/>
    protected override void SetBatchCommand(int index, DbBatchCommand batchCommand) => _commands[index] = Ours(batchCommand);

    private static DistDbBatchCommand Ours(DbBatchCommand command) => command as DistDbBatchCommand
        ?? throw new InvalidCastException($"A {nameof(DistDbBatchCommand)} is expected, not {command?.GetType().Name ?? "null"}.");
}
