using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Replication;

/// <summary>
/// Gathers the reads that this node answers, and has them recorded some at a time: each lot is one write. What the cluster does not take in time is
/// lost, and said to be; reads do not wait for it. Thread safe.
/// </summary>
/// <param name="submit">Writes a lot through the log.</param>
/// <param name="time">The clock.</param>
/// <param name="lost">Told how many were lost.</param>
internal sealed class ReadRecorder(Func<IReadOnlyList<RecordedRead>, Task<WriteResult>> submit, TimeProvider time, Action<int> lost)
{
    /// <summary>Held at once; some megabytes of usual statements, which a busy node has in a second.</summary>
    private const int HeldMax = 20_000;

    private const int LotMax = 1000;

    private readonly Lock _lock = new();
    private List<RecordedRead> _held = [];
    private bool _isBusy;
    private int _lostCount;

    public void Add(string client, string? token, string database, string sql)
    {
        // The history keeps no more of it.
        var kept = sql.Length > QueryHistory.QueryLengthMax ? sql[..QueryHistory.QueryLengthMax] : sql;
        var read = new RecordedRead(time.GetUtcNow().ToUnixTimeMilliseconds(), client, token, database, kept);
        lock (_lock)
        {
            if (_held.Count < HeldMax)
            {
                _held.Add(read);
            }
            else
            {
                _lostCount++;
            }
        }
    }

    /// <summary>Sends the next lot where the last one has arrived. Called every few dozen milliseconds.</summary>
    public void Sweep()
    {
        List<RecordedRead> lot;
        lock (_lock)
        {
            if (_isBusy || _held.Count == 0)
            {
                return;
            }

            lot = _held[..Math.Min(LotMax, _held.Count)];
            _held = _held[lot.Count..];
            _isBusy = true;
        }

        _ = SendAsync(lot);
    }

    private async Task SendAsync(List<RecordedRead> lot)
    {
        var result = await submit(lot).ConfigureAwait(false);
        int lostCount;
        lock (_lock)
        {
            _isBusy = false;
            lostCount = _lostCount + (result is WriteResult.Done ? 0 : lot.Count);
            _lostCount = 0;
        }

        if (lostCount > 0)
        {
            lost(lostCount);
        }
    }
}
