using System.Globalization;
using System.Text.Json;
using Spectre.Console;

namespace DistDb.Bench;

/// <summary>Prints measurements: a table for people, JSON for programs.</summary>
internal static class Report
{
    public static void PrintTable(IAnsiConsole console, IReadOnlyList<Measurement> measurements)
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumn("operation").AddColumn("through");
        foreach (var column in new[] { "clients", "per second", "p50 ms", "p99 ms", "failed", "writes/sync", "writes/entry" })
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        var previous = "";
        foreach (var one in measurements)
        {
            if (previous.Length > 0 && previous != one.Operation + one.Through)
            {
                table.AddEmptyRow();
            }

            previous = one.Operation + one.Through;
            table.AddRow(
                one.Operation, one.Through, Number(one.Clients, "N0"), Number(one.Result.PerSecond, "N0"),
                Number(one.Result.All.Percentile(0.50).TotalMilliseconds, "0.00"), Number(one.Result.All.Percentile(0.99).TotalMilliseconds, "0.00"),
                Number(one.Result.Failed, "N0"), Number(one.WritesPerSync, "0.0"), Number(one.WritesPerEntry, "0.0"));
        }

        console.Write(table);
        foreach (var one in measurements.Where(one => one.Result.FirstFailure is not null))
        {
            console.WriteLine($"{one.Operation} through {one.Through} with {one.Clients} clients failed first with: {one.Result.FirstFailure}");
        }
    }

    public static string ToJson(IReadOnlyList<Measurement> measurements)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new() { Indented = true }))
        {
            json.WriteStartArray();
            foreach (var one in measurements)
            {
                json.WriteStartObject();
                json.WriteString("operation", one.Operation);
                json.WriteString("through", one.Through);
                json.WriteNumber("clients", one.Clients);
                json.WriteNumber("per_second", Math.Round(one.Result.PerSecond, 1));
                json.WriteNumber("p50_ms", Math.Round(one.Result.All.Percentile(0.50).TotalMilliseconds, 3));
                json.WriteNumber("p99_ms", Math.Round(one.Result.All.Percentile(0.99).TotalMilliseconds, 3));
                json.WriteNumber("failed", one.Result.Failed);
                if (one.Result.FirstFailure is not null)
                {
                    json.WriteString("first_failure", one.Result.FirstFailure);
                }

                WriteRatio(json, "writes_per_sync", one.WritesPerSync);
                WriteRatio(json, "writes_per_entry", one.WritesPerEntry);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void WriteRatio(Utf8JsonWriter json, string name, double? ratio)
    {
        if (ratio is { } value)
        {
            json.WriteNumber(name, Math.Round(value, 2));
        }
    }

    /// <summary>A number as all of the benchmark's tables have it; nothing for null.</summary>
    internal static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
