using System.Collections.Concurrent;

namespace DistDb.Tests.Soak;

/// <summary>What is wrong, from all threads. The first finding ends the run, so that files and logs are as they were then.</summary>
internal sealed class Findings : IDisposable
{
    private readonly ConcurrentQueue<(FindingKind Kind, string Text)> _all = [];
    private readonly CancellationTokenSource _any = new();

    /// <summary>Cancelled by the first finding.</summary>
    public CancellationToken Any => _any.Token;

    public bool IsEmpty => _all.IsEmpty;

    public IReadOnlyCollection<(FindingKind Kind, string Text)> All => _all;

    public void Add(FindingKind kind, string text)
    {
        _all.Enqueue((kind, text));
        _any.Cancel();
    }

    public void Dispose() => _any.Dispose();
}
