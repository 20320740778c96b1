using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace DistDb.Node.Telemetry;

/// <summary>One metric: its name, what it means, and a series for each combination of labels. Thread safe.</summary>
internal sealed class MetricFamily
{
    private readonly ConcurrentDictionary<Labels, MetricSeries> _series = new();
    private readonly Func<MetricSeries> _create;
    private readonly string _type;
    private readonly string _help;
    private readonly bool _isAsked;

    public MetricFamily(Instrument instrument)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        _isAsked = instrument.IsObservable;
        _type = type == typeof(Histogram<>) ? "histogram" : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? "counter" : "gauge";
        _help = (instrument.Description ?? instrument.Name).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        Name = NameOf(instrument, isCounter: _type == "counter");
        var boundaries = instrument switch
        {
            Histogram<double> { Advice.HistogramBucketBoundaries: { } given } => [.. given],
            Histogram<int> { Advice.HistogramBucketBoundaries: { } given } => [.. given.Select(b => (double)b)],
            _ => Array.Empty<double>(),
        };
        _create = _type == "histogram" ? () => new HistogramSeries(boundaries)
            : _isAsked || _type == "gauge" && type != typeof(UpDownCounter<>) ? () => new ValueSeries()
            : () => new SumSeries();
    }

    /// <summary>As Prometheus has it.</summary>
    public string Name { get; }

    /// <summary>Makes the series without labels, at zero.</summary>
    public void Begin() => _series.TryAdd(new([]), _create());

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new Labels(tags);
        if (!_series.TryGetValue(labels, out var series))
        {
            series = _series.GetOrAdd(labels, _ => _create());
        }

        series.Record(value);
    }

    /// <summary>Before it is asked anew: what is not told then is not there any more.</summary>
    public void Forget()
    {
        if (_isAsked)
        {
            _series.Clear();
        }
    }

    public void Write(TextWriter text)
    {
        if (_series.IsEmpty)
        {
            return;
        }

        text.Write($"# HELP {Name} {_help}\n# TYPE {Name} {_type}\n");
        foreach (var (labels, series) in _series.OrderBy(s => s.Key.ToString(), StringComparer.Ordinal))
        {
            series.Write(text, Name, labels.ToString());
        }
    }

    /// <summary>
    /// As OpenTelemetry's rules for Prometheus have it: the unit is a part of the name, and what only grows ends in <c>_total</c>. A gauge must not end in
    /// <c>_count</c>, which is a histogram's.
    /// </summary>
    internal static string NameOf(Instrument instrument, bool isCounter)
    {
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        var name = instrument.Name.Replace('.', '_');
        if (!isCounter && name.EndsWith("_count", StringComparison.Ordinal))
        {
            name = name[..^"_count".Length];
        }

        return (name.EndsWith(unit, StringComparison.Ordinal) ? name : name + unit) + (isCounter ? "_total" : "");
    }

    /// <summary>Up to three labels; no instrument here has more. A value, so that finding a series takes no memory.</summary>
    private readonly struct Labels : IEquatable<Labels>
    {
        private readonly KeyValuePair<string, object?> _first;
        private readonly KeyValuePair<string, object?> _second;
        private readonly KeyValuePair<string, object?> _third;
        private readonly int _count;

        public Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            _count = tags.Length <= 3 ? tags.Length : throw new ArgumentException($"A metric has at most 3 labels, not {tags.Length}.", nameof(tags));
            _first = _count > 0 ? tags[0] : default;
            _second = _count > 1 ? tags[1] : default;
            _third = _count > 2 ? tags[2] : default;
        }

        public bool Equals(Labels other) =>
            _count == other._count && Equals(_first.Value, other._first.Value) && Equals(_second.Value, other._second.Value) && Equals(_third.Value, other._third.Value);

        public override bool Equals(object? obj) => obj is Labels other && Equals(other);

        public override int GetHashCode() => HashCode.Combine(_first.Value, _second.Value, _third.Value);

        /// <summary>Such as <c>route="/query",code="200"</c>; empty for none.</summary>
        public override string ToString() => string.Join(',', ((KeyValuePair<string, object?>[])[_first, _second, _third]).Take(_count).Select(Text));

        private static string Text(KeyValuePair<string, object?> label)
        {
            var value = Convert.ToString(label.Value, System.Globalization.CultureInfo.InvariantCulture)!;
            return $"{label.Key.Replace('.', '_')}=\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"";
        }
    }
}
