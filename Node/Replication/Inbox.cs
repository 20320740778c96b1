namespace DistDb.Node.Replication;

/// <summary>The bounded queue in front of a thread that owns state: many post, one drains all that waits at once.</summary>
internal sealed class Inbox<T>(int capacity)
{
    private readonly object _lock = new();
    private List<T> _items = [];

    /// <summary>Adds an item; false when the inbox is full.</summary>
    public bool TryPost(T item)
    {
        lock (_lock)
        {
            if (_items.Count >= capacity)
            {
                return false;
            }

            Add(item);
            return true;
        }
    }

    /// <summary>Adds an item however full the inbox is: for the few kinds that are bounded by their nature and must not be lost.</summary>
    public void Post(T item)
    {
        lock (_lock)
        {
            Add(item);
        }
    }

    /// <summary>Waits until there are items or the time is over; takes all, in order. The list belongs to the caller, who gives back an empty one.</summary>
    public List<T> Drain(List<T> empty, TimeSpan timeout)
    {
        lock (_lock)
        {
            if (_items.Count == 0 && timeout > TimeSpan.Zero)
            {
                // Whole milliseconds is what it knows; rounded down, the last one before a tick would be spent spinning.
                Monitor.Wait(_lock, (int)Math.Ceiling(timeout.TotalMilliseconds));
            }

            (empty, _items) = (_items, empty);
            return empty;
        }
    }

    private void Add(T item)
    {
        _items.Add(item);
        if (_items.Count == 1)
        {
            Monitor.Pulse(_lock);
        }
    }
}
