using System.Diagnostics.Metrics;
using System.Globalization;

namespace DistDb.Node.Telemetry;

/// <summary>
/// Keeps what a node's instruments recorded since its start, and writes it as Prometheus text. Only what is recorded as things happen is kept, without
/// allocating; gauges are asked when somebody wants the text, so that nothing runs while nobody does. Of .NET's own instruments it has those
/// of garbage collection, which are asked likewise. Thread safe.
/// </summary>
internal sealed class MetricStore : IDisposable
{
    /// <summary>The part of .NET's own instruments that is worth its lines.</summary>
    private const string GarbageCollection = "dotnet.gc.";

    private readonly Lock _lock = new();
    private readonly MeterListener _listener = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);

    /// <param name="instruments">The node's, of which nothing is missed from now on.</param>
    public MetricStore(NodeInstruments instruments)
    {
        Instruments = instruments;
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter == instruments.Meter || (instrument.IsObservable && instrument.Name.StartsWith(GarbageCollection, StringComparison.Ordinal)))
            {
                var family = Add(instrument);
                if (!instrument.IsObservable && !instruments.Labelled.Contains(instrument))
                {
                    // So that a rate has something to begin with.
                    family.Begin();
                }

                listener.EnableMeasurementEvents(instrument, family);
            }
        };
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => ((MetricFamily)family!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>What is listened to.</summary>
    public NodeInstruments Instruments { get; }

    /// <summary>The text format 0.0.4: everything, in the order of the names.</summary>
    public string Write()
    {
        var text = new StringWriter(CultureInfo.InvariantCulture);
        lock (_lock)
        {
            foreach (var family in _families.Values)
            {
                family.Forget();
            }

            _listener.RecordObservableInstruments();
            foreach (var family in _families.Values)
            {
                family.Write(text);
            }
        }

        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private MetricFamily Add(Instrument instrument)
    {
        var family = new MetricFamily(instrument);
        lock (_lock)
        {
            // Two instruments of one name would be one metric with two types.
            _families.Add(family.Name, family);
        }

        return family;
    }
}
