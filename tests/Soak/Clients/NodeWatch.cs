namespace DistDb.Tests.Soak.Clients;

/// <summary>Sees to it that a node never goes back: whatever it reads out reflects at least all that it answered before, as long as its process lives.</summary>
internal sealed class NodeWatch(Arena arena)
{
    private readonly (int Incarnation, long Index)[] _latest = new (int, long)[arena.NodeCount];
    private readonly Lock _lock = new();

    /// <summary>To be called before a request is sent.</summary>
    /// <returns>The process that will answer, and the index that its answer must reach.</returns>
    public (int Incarnation, long Index) Begin(int node)
    {
        lock (_lock)
        {
            var incarnation = arena.IncarnationOf(node);
            return _latest[node].Incarnation == incarnation ? _latest[node] : (incarnation, 0);
        }
    }

    /// <summary>To be called with an answer.</summary>
    /// <returns>False where a read went back. (A write's index may be that of an earlier time, when it was first sent.)</returns>
    public bool End(int node, (int Incarnation, long Index) begin, long index, bool isRead)
    {
        lock (_lock)
        {
            if (arena.IncarnationOf(node) != begin.Incarnation)
            {
                return true;
            }

            if (_latest[node].Incarnation != begin.Incarnation || _latest[node].Index < index)
            {
                _latest[node] = (begin.Incarnation, index);
            }

            return !isRead || index >= begin.Index;
        }
    }
}
