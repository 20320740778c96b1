using System.Globalization;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DistDb.Node.Telemetry;

/// <summary>
/// Sends spans by OTLP, as the variables of OpenTelemetry say (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, <c>OTEL_TRACES_SAMPLER</c> and so on). Only
/// where it is made are OpenTelemetry's libraries loaded.
/// </summary>
internal sealed class TraceExport : IDisposable
{
    private static readonly string[] _variables = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

    private readonly TracerProvider _provider;

    /// <param name="node">This node's id.</param>
    /// <param name="version">The version of distdb.</param>
    public TraceExport(int node, string version) => _provider = Sdk.CreateTracerProviderBuilder()
        .ConfigureResource(resource => resource
            .AddService("distdb", serviceVersion: version, serviceInstanceId: node.ToString(CultureInfo.InvariantCulture))

            // What the operator says, the name for one, counts more.
            .AddEnvironmentVariableDetector())
        .AddSource(NodeTracing.SourceName)
        .AddOtlpExporter()
        .Build();

    /// <summary>Where spans are to go; null where they are not wanted.</summary>
    public static string? Endpoint => _variables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(value => !string.IsNullOrEmpty(value));

    /// <summary>Sends what is left, within a moment.</summary>
    public void Dispose() => _provider.Dispose();
}
