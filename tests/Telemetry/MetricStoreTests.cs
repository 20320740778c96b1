using System.Diagnostics;
using DistDb.Node.Telemetry;

namespace DistDb.Tests.Telemetry;

public sealed class MetricStoreTests : IDisposable
{
    private readonly NodeInstruments _instruments = new();
    private readonly MetricStore _store;

    public MetricStoreTests() => _store = new(_instruments);

    public void Dispose()
    {
        _store.Dispose();
        _instruments.Dispose();
    }

    [Fact]
    public void Counters_grow_for_each_combination_of_labels()
    {
        _instruments.RequestAnswered("/query", "exec", "200", Stopwatch.GetTimestamp());
        _instruments.RequestAnswered("/query", "exec", "200", Stopwatch.GetTimestamp());
        _instruments.RequestAnswered("/query", "exec", "409", Stopwatch.GetTimestamp());
        Lines().Should().Contain("distdb_http_requests_total{route=\"/query\",command=\"exec\",code=\"200\"} 2")
            .And.Contain("distdb_http_requests_total{route=\"/query\",command=\"exec\",code=\"409\"} 1")
            .And.Contain("distdb_http_request_duration_seconds_count{route=\"/query\",command=\"exec\"} 3");
    }

    [Fact]
    public void A_request_whose_end_tells_nothing_is_counted_and_not_timed()
    {
        _instruments.RequestAnswered("/events", "", "200", started: null);
        Lines().Should().Contain("distdb_http_requests_total{route=\"/events\",command=\"\",code=\"200\"} 1")
            .And.NotContain(l => l.StartsWith("distdb_http_request_duration_seconds", StringComparison.Ordinal));
    }

    [Fact]
    public void Histograms_count_up_to_and_with_each_boundary()
    {
        foreach (var seconds in (double[])[0.0001, 0.0002, 0.01, 11])
        {
            _instruments.ReadDone(TimeSpan.FromSeconds(seconds));
        }

        Lines().Where(l => l.StartsWith("distdb_read_duration_seconds", StringComparison.Ordinal)).Should().Equal(
            "distdb_read_duration_seconds_bucket{le=\"0.0001\"} 1",
            "distdb_read_duration_seconds_bucket{le=\"0.00025\"} 2",
            "distdb_read_duration_seconds_bucket{le=\"0.0005\"} 2",
            "distdb_read_duration_seconds_bucket{le=\"0.001\"} 2",
            "distdb_read_duration_seconds_bucket{le=\"0.0025\"} 2",
            "distdb_read_duration_seconds_bucket{le=\"0.005\"} 2",
            "distdb_read_duration_seconds_bucket{le=\"0.01\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"0.025\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"0.05\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"0.1\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"0.25\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"0.5\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"1\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"2.5\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"5\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"10\"} 3",
            "distdb_read_duration_seconds_bucket{le=\"+Inf\"} 4",
            "distdb_read_duration_seconds_sum 11.0103",
            "distdb_read_duration_seconds_count 4");
    }

    [Fact]
    public void What_is_asked_is_as_it_is_now_and_what_is_gone_is_gone()
    {
        List<(int Peer, long Lag)> peers = [(1, 3), (2, 5)];
        _instruments.Meter.CreateObservableGauge(
            "test.lag", () => peers.Select(p => new System.Diagnostics.Metrics.Measurement<long>(p.Lag, new KeyValuePair<string, object?>("peer", p.Peer))), "By", "A \\ and\na line.");
        Lines().Should().ContainInConsecutiveOrder(
            "# HELP test_lag_bytes A \\\\ and\\na line.", "# TYPE test_lag_bytes gauge", "test_lag_bytes{peer=\"1\"} 3", "test_lag_bytes{peer=\"2\"} 5");
        peers = [(2, 4)];
        Lines().Where(l => l.StartsWith("test_lag_bytes{", StringComparison.Ordinal)).Should().Equal("test_lag_bytes{peer=\"2\"} 4");
    }

    [Theory]
    [InlineData("a\"b", "a\\\"b")]
    [InlineData("a\\b", "a\\\\b")]
    [InlineData("a\nb", "a\\nb")]
    public void Labels_cannot_break_the_text(string value, string written)
    {
        _instruments.Meter.CreateCounter<long>("test.odd").Add(2, new KeyValuePair<string, object?>("x.y", value));
        Lines().Should().Contain($"test_odd_total{{x_y=\"{written}\"}} 2");
    }

    [Fact]
    public void What_has_no_labels_begins_at_zero()
    {
        Lines().Should().Contain("distdb_raft_elections_total 0").And.Contain("distdb_snapshot_receive_duration_seconds_count 0");
    }

    [Fact]
    public void Instruments_of_another_node_in_the_process_are_not_mixed_in()
    {
        using var other = new NodeInstruments();
        other.ElectionBegun();
        _instruments.ElectionBegun();
        Lines().Should().Contain("distdb_raft_elections_total 1");
    }

    [Fact]
    public async Task Nothing_is_lost_where_many_record_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                _instruments.LogAppended(1, 2);
                _instruments.WriteDone(TimeSpan.FromSeconds(0.5));
            }
        })));
        Lines().Should().Contain("distdb_log_appended_entries_total 40000").And.Contain("distdb_log_appended_bytes_total 80000")
            .And.Contain("distdb_write_duration_seconds_sum 20000").And.Contain("distdb_write_duration_seconds_count 40000");
    }

    [Fact]
    public void Recording_takes_no_memory()
    {
        void Record()
        {
            _instruments.RequestAnswered("/query", "exec", "200", Stopwatch.GetTimestamp());
            _instruments.WriteDone(TimeSpan.FromMilliseconds(1));
            _instruments.LogAppended(1, 100);
        }

        for (var i = 0; i < 1000; i++)
        {
            Record();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Record();
        }

        // The compiler may be at work on this thread too.
        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(1000, "that is less than a byte for each");
    }

    private string[] Lines() => _store.Write().Split('\n');
}
