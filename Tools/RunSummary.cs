using System.Text.Json.Serialization;

namespace DistDb.Tools;

/// <summary>What <c>send-dummy --json</c> prints.</summary>
/// <param name="Run">What this run's usernames and ids contain.</param>
/// <param name="Inserted">Rows inserted.</param>
/// <param name="Failed">Inserts given up.</param>
/// <param name="Interrupted">Inserts not finished when the tool was interrupted.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="InsertsPerSecond">Rows inserted for each second.</param>
internal sealed record RunSummary(string Run, int Inserted, int Failed, int Interrupted, double Seconds, double InsertsPerSecond);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunSummary))]
internal sealed partial class RunJson : JsonSerializerContext;
