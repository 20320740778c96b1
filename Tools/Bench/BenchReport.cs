using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace DistDb.Tools.Bench;

/// <summary>Shows what a load did.</summary>
internal sealed class BenchReport(BenchReport.Plan plan, LoadResult result)
{
    private const int BarMax = 40;

    private static readonly int[] _digits = [1, 2, 5];

    private static readonly (string Key, double Fraction)[] _percentiles = [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p999_ms", 0.999)];

    /// <summary>What was asked for.</summary>
    /// <param name="Mix">The operations.</param>
    /// <param name="Clients">How many at once.</param>
    /// <param name="Through">Which nodes.</param>
    /// <param name="IsStrong">Whether reads were strong.</param>
    /// <param name="Target">What was made for it.</param>
    internal sealed record Plan(LoadMix Mix, int Clients, string Through, bool IsStrong, string Target);

    private IEnumerable<(string Name, LatencyHistogram Latencies)> Lines =>
        plan.Mix.Parts.Select((part, i) => (part.Operation, result.Latencies[i])).Concat(plan.Mix.Parts.Count > 1 ? [("all", result.All)] : []);

    public void Write(TextWriter output, ConnectionSettings settings)
    {
        if (settings.Json)
        {
            output.WriteLine(ToJson());
            return;
        }

        var table = new ToolTable("operation", "count", "per second", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms");
        foreach (var (name, latencies) in Lines)
        {
            table.Add(
                name, Number(latencies.Count), Number(latencies.Count / result.Elapsed.TotalSeconds, "0.0"), Ms(latencies.Percentile(0.5)), Ms(latencies.Percentile(0.9)),
                Ms(latencies.Percentile(0.99)), Ms(latencies.Percentile(0.999)), Ms(latencies.Max));
        }

        table.Write(output, settings.Csv);
        if (!settings.Csv)
        {
            WriteHistogram(output);
            WriteErrors(output);
        }
    }

    private void WriteHistogram(TextWriter output)
    {
        var all = result.All;
        var bars = Limits().Zip(Limits().Skip(1))
            .Select(range => (UpTo: range.Second, Count: all.CountBetween(range.First, range.Second)))
            .SkipWhile(bar => bar.Count == 0).Reverse().SkipWhile(bar => bar.Count == 0).Reverse().ToArray();
        var most = bars.Select(bar => bar.Count).DefaultIfEmpty(1).Max();
        foreach (var (upTo, count) in bars)
        {
            var bar = count == 0 ? "" : new string('█', Math.Max(1, (int)(BarMax * count / most)));
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"up to {upTo.TotalMilliseconds,8:0.###} ms {100.0 * count / all.Count,6:0.00}% {bar}"));
        }
    }

    private void WriteErrors(TextWriter output)
    {
        var console = ToolConsole.Create(output);
        if (result.Failed == 0)
        {
            console.Line("No errors.", new(Color.Green));
            return;
        }

        console.Line(
            $"{Number(result.Failed)} errors: {string.Join(", ", result.Errors.OrderByDescending(error => error.Value).Select(error => $"{error.Key} {Number(error.Value)}"))}. The first: {result.FirstFailure}",
            new(Color.Red));
    }

    private string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("clients", plan.Clients);
            json.WriteString("through", plan.Through);
            json.WriteString("consistency", plan.IsStrong ? "strong" : "local");
            json.WriteNumber("seconds", Math.Round(result.Elapsed.TotalSeconds, 3));
            json.WriteStartArray("operations");
            foreach (var (name, latencies) in Lines)
            {
                json.WriteStartObject();
                json.WriteString("operation", name);
                json.WriteNumber("count", latencies.Count);
                json.WriteNumber("per_second", Math.Round(latencies.Count / result.Elapsed.TotalSeconds, 1));
                foreach (var (key, fraction) in _percentiles)
                {
                    json.WriteNumber(key, Math.Round(latencies.Percentile(fraction).TotalMilliseconds, 3));
                }

                json.WriteNumber("max_ms", Math.Round(latencies.Max.TotalMilliseconds, 3));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("errors");
            foreach (var (code, count) in result.Errors.OrderByDescending(error => error.Value))
            {
                json.WriteNumber(code, count);
            }

            json.WriteEndObject();
            json.WriteString("first_failure", result.FirstFailure);
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>0, then 1, 2 and 5 of each power of ten, from 10 µs to 100 s.</summary>
    private static IEnumerable<TimeSpan> Limits() =>
        Enumerable.Range(-2, 8).SelectMany(power => _digits.Select(digit => TimeSpan.FromMilliseconds(digit * Math.Pow(10, power)))).Prepend(TimeSpan.MinValue);

    private static string Ms(TimeSpan time) => time.TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture);

    private static string Number(double value, string format = "0") => value.ToString(format, CultureInfo.InvariantCulture);
}
