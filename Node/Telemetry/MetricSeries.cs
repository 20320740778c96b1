using System.Globalization;

namespace DistDb.Node.Telemetry;

/// <summary>What one metric with one combination of labels has come to. Thread safe.</summary>
internal abstract class MetricSeries
{
    public abstract void Record(double value);

    /// <param name="text">Where to.</param>
    /// <param name="name">The metric's.</param>
    /// <param name="labels">Without braces.</param>
    public abstract void Write(TextWriter text, string name, string labels);

    protected static void WriteLine(TextWriter text, string name, string labels, double value)
    {
        text.Write(name);
        if (labels.Length > 0)
        {
            text.Write($"{{{labels}}}");
        }

        text.Write($" {Text(value)}\n");
    }

    protected static string Text(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    protected static void Add(ref double sum, double value)
    {
        var known = Volatile.Read(ref sum);
        while (Interlocked.CompareExchange(ref sum, known + value, known) is var found && !found.Equals(known))
        {
            known = found;
        }
    }
}

/// <summary>What was last said.</summary>
internal sealed class ValueSeries : MetricSeries
{
    private double _value;

    public override void Record(double value) => Volatile.Write(ref _value, value);

    public override void Write(TextWriter text, string name, string labels) => WriteLine(text, name, labels, Volatile.Read(ref _value));
}

/// <summary>The sum of all that was said.</summary>
internal sealed class SumSeries : MetricSeries
{
    private double _sum;

    public override void Record(double value) => Add(ref _sum, value);

    public override void Write(TextWriter text, string name, string labels) => WriteLine(text, name, labels, Volatile.Read(ref _sum));
}

/// <summary>How many measurements there were up to each boundary, and their sum.</summary>
/// <param name="boundaries">Ascending; each includes itself.</param>
internal sealed class HistogramSeries(double[] boundaries) : MetricSeries
{
    private readonly long[] _counts = new long[boundaries.Length + 1];
    private double _sum;

    public override void Record(double value)
    {
        var bucket = Array.BinarySearch(boundaries, value);
        Interlocked.Increment(ref _counts[bucket < 0 ? ~bucket : bucket]);
        Add(ref _sum, value);
    }

    public override void Write(TextWriter text, string name, string labels)
    {
        // The sum first: a measurement that comes meanwhile is then in the count alone, and never in the sum without being counted.
        var sum = Volatile.Read(ref _sum);
        long count = 0;
        var prefix = labels.Length > 0 ? labels + "," : "";
        for (var i = 0; i < _counts.Length; i++)
        {
            count += Interlocked.Read(ref _counts[i]);
            WriteLine(text, name + "_bucket", $"{prefix}le=\"{Text(i < boundaries.Length ? boundaries[i] : double.PositiveInfinity)}\"", count);
        }

        WriteLine(text, name + "_sum", labels, sum);
        WriteLine(text, name + "_count", labels, count);
    }
}
