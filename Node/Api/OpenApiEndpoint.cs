namespace DistDb.Node.Api;

/// <summary>
/// <c>GET /openapi/v1.json</c>: all routes, requests and answers, for programs. The document is written by hand (<c>openapi.json</c>), because requests
/// are parsed by hand as well; tests hold it to the routes, the commands' fields, the answers' records and the codes of problems.
/// </summary>
internal static class OpenApiEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/openapi/v1.json", () => Results.Stream(Open(), "application/json")).IsOpenToAll();

    /// <summary>The document; dispose it.</summary>
    internal static Stream Open() => typeof(OpenApiEndpoint).Assembly.GetManifestResourceStream("openapi.json")
        ?? throw new InvalidOperationException("The build has left openapi.json out.");
}
