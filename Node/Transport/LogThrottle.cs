namespace DistDb.Node.Transport;

/// <summary>Lets the same message be logged once a minute: whoever is refused dials again and again. Thread safe.</summary>
internal sealed class LogThrottle(TimeProvider time)
{
    // Messages may quote what strangers send; so many distinct ones are remembered.
    private const int MessagesMax = 100;

    private static readonly TimeSpan _interval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, long> _logged = [];

    /// <summary>Whether this message is due; if so, it counts as logged.</summary>
    public bool IsDue(string message)
    {
        lock (_logged)
        {
            if (_logged.TryGetValue(message, out var at) && time.GetElapsedTime(at) < _interval)
            {
                return false;
            }

            if (_logged.Count >= MessagesMax)
            {
                _logged.Clear();
            }

            _logged[message] = time.GetTimestamp();
            return true;
        }
    }
}
