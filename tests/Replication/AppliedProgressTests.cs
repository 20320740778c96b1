using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class AppliedProgressTests
{
    private readonly AppliedProgress _progress = new();

    [Fact]
    public async Task Waiters_are_woken_when_their_index_is_applied_and_not_before()
    {
        var third = _progress.WaitForAsync(new(3), CancellationToken.None);
        var first = _progress.WaitForAsync(new(1), CancellationToken.None);
        var alsoThird = _progress.WaitForAsync(new(3), CancellationToken.None);
        _progress.Advance(new(1));
        await first;
        _progress.Advance(new(2));
        third.IsCompleted.Should().BeFalse();
        _progress.Advance(new(4));
        await third;
        await alsoThird;
        _progress.Index.Value.Should().Be(4);
        _progress.WaiterCount.Should().Be(0);
    }

    [Fact]
    public void What_is_applied_is_not_waited_for()
    {
        _progress.Advance(new(5));
        _progress.WaitForAsync(new(5), new(canceled: true)).IsCompletedSuccessfully.Should().BeTrue();
    }

    [Fact]
    public async Task Whoever_gives_up_is_forgotten()
    {
        using var cancel = new CancellationTokenSource();
        var waits = Enumerable.Range(0, 1000).Select(i => _progress.WaitForAsync(new(1_000_000 + (i % 7)), cancel.Token)).ToArray();
        var patient = _progress.WaitForAsync(new(1), CancellationToken.None);
        _progress.WaiterCount.Should().Be(1001);
        await cancel.CancelAsync();
        foreach (var wait in waits)
        {
            await wait.Invoking(w => w).Should().ThrowAsync<OperationCanceledException>();
        }

        _progress.WaiterCount.Should().Be(1);
        _progress.Advance(new(2_000_000));
        await patient;
    }

    [Fact]
    public async Task Waiting_races_with_advancing_without_losing_anybody()
    {
        var waiting = Task.Run(async () =>
        {
            for (var i = 1; i <= 20_000; i++)
            {
                await _progress.WaitForAsync(new(i), CancellationToken.None);
            }
        });
        for (var i = 1; i <= 20_000; i++)
        {
            _progress.Advance(new(i));
        }

        await waiting.WaitAsync(TimeSpan.FromSeconds(60));
    }
}
