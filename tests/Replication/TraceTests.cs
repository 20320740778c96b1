using System.Collections.Concurrent;
using System.Diagnostics;
using DistDb.Node.Replication;
using DistDb.Node.Telemetry;

namespace DistDb.Tests.Replication;

/// <summary>A write's spans, wherever they were made, belong to its client's trace.</summary>
public sealed class TraceTests : IDisposable
{
    private const string TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public TraceTests()
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name == NodeTracing.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.PropagationData,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task A_forwarded_write_is_followed_to_the_leader_and_back()
    {
        await using var cluster = await TestCluster.StartAsync();
        using (var request = NodeTracing.StartRequest("POST", "/query", TraceParent, null))
        {
            (await cluster[1].WriteAsync("main", [TestCluster.Sql("INSERT INTO w VALUES ('traced', 1)")], false, null, default)).Should().BeOfType<WriteResult.Done>();
        }

        await cluster.UntilAsync(() => Spans().Count == 6, "all spans have ended");
        var spans = Spans();
        spans.Select(s => s.OperationName).Should().BeEquivalentTo("POST /query", "forward", "execute", "replicate", "apply", "apply");
        var (root, forward) = (spans.Single(s => s.OperationName == "POST /query"), spans.Single(s => s.OperationName == "forward"));
        root.ParentSpanId.ToHexString().Should().Be("b7ad6b7169203331");
        forward.ParentSpanId.Should().Be(root.SpanId);
        forward.GetTagItem("distdb.leader").Should().Be(0);
        spans.Where(s => s != root && s != forward).Should().OnlyContain(s => s.ParentSpanId == forward.SpanId && s.Duration >= TimeSpan.Zero);
        spans.Where(s => s.OperationName == "apply").Select(s => s.GetTagItem("distdb.index")).Distinct().Should().ContainSingle("it is the same entry at the leader and at the origin");
    }

    [Fact]
    public async Task A_write_at_the_leader_is_not_forwarded_and_a_query_is_a_span_of_its_own()
    {
        await using var cluster = await TestCluster.StartAsync(size: 1);
        using (NodeTracing.StartRequest("POST", "/query", TraceParent.Replace("319c", "319d", StringComparison.Ordinal), null))
        {
            (await cluster[0].WriteAsync("main", [TestCluster.Sql("INSERT INTO w VALUES ('traced', 1)")], false, null, default)).Should().BeOfType<WriteResult.Done>();
            (await cluster[0].QueryAsync("main", TestCluster.Sql("SELECT 1"), false, default, new(TimeSpan.FromSeconds(10)), default)).Should().BeOfType<QueryResult.Done>();
        }

        await cluster.UntilAsync(() => Spans("319d").Count == 5, "all spans have ended");
        Spans("319d").Select(s => s.OperationName).Should().BeEquivalentTo("POST /query", "execute", "replicate", "apply", "query");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("nonsense")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    public void A_client_without_a_trace_begins_one(string? traceParent)
    {
        using var outer = new Activity("the web server's").Start();
        using var request = NodeTracing.StartRequest("POST", "/query", traceParent, null);
        request!.ParentSpanId.Should().Be(default(ActivitySpanId));
        request.TraceId.Should().NotBe(outer.TraceId);
    }

    private List<Activity> Spans(string end = "319c") => [.. _ended.Where(s => s.TraceId.ToHexString().EndsWith(end, StringComparison.Ordinal))];
}
