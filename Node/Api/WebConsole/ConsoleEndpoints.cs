using System.Security.Cryptography;
using DistDb.Node.Replication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace DistDb.Node.Api.WebConsole;

/// <summary><c>GET /</c>: the web console for browsers, a few lines of text for everybody else. <c>GET /assets/{name}</c>: the console's files.</summary>
internal static class ConsoleEndpoints
{
    /// <summary>What the console's build writes where the page's nonce belongs.</summary>
    private const string NoncePlace = "__CSP_NONCE__";

    private const int NonceBytes = 16;

    /// <summary>Encodings in which the build has written the files, the best first.</summary>
    private static readonly (string Encoding, string Extension)[] _encodings = [("br", ".br"), ("gzip", ".gz")];

    private static readonly FileExtensionContentTypeProvider _types = new();

    public static void Map(IEndpointRouteBuilder routes)
    {
        // Whoever is to sign in must have the page first. It says nothing of the cluster but where its members are.
        routes.MapGet("/", Root).IsOpenToAll();
        routes.MapGet("/assets/{name}", Asset).IsOpenToAll();
    }

    private static ContentHttpResult Root(HttpContext context, ClusterNode node, ClusterOrigins origins)
    {
        context.Response.Headers.Vary = HeaderNames.Accept;
        if (!context.Request.GetTypedHeaders().Accept.Any(a => a.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase)))
        {
            return Hello(node);
        }

        return ConsoleFiles.Index is { } index ? Page(context, index, origins) : Hello(node);
    }

    private static ContentHttpResult Page(HttpContext context, string index, ClusterOrigins origins)
    {
        // A new nonce with each answer: what a page may run and how it may look is decided here, whatever gets into its text.
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(NonceBytes));
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = string.Join(
            "; ",
            "default-src 'none'",
            "script-src 'self'",
            $"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            // This header has no way to write an IPv6 address, and browsers complain of one.
            $"connect-src 'self' {string.Join(' ', origins.All.Where(o => !o.Contains('[', StringComparison.Ordinal)))}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'");
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return TypedResults.Content(index.Replace(NoncePlace, nonce, StringComparison.Ordinal), "text/html; charset=utf-8");
    }

    private static IResult Asset(string name, HttpContext context)
    {
        var file = "assets/" + name;
        if (!ConsoleFiles.Has(file) || !_types.TryGetContentType(name, out var type))
        {
            return Results.StatusCode(StatusCodes.Status404NotFound);
        }

        var headers = context.Response.Headers;
        var accepted = context.Request.GetTypedHeaders().AcceptEncoding;
        foreach (var (encoding, extension) in _encodings)
        {
            if (ConsoleFiles.Has(file + extension) && accepted.Any(a => a.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase) && a.Quality is null or > 0))
            {
                headers.ContentEncoding = encoding;
                file += extension;
                break;
            }
        }

        // The name holds a hash of the content, so that the name says it all.
        headers.CacheControl = "public, max-age=31536000, immutable";
        headers.Vary = HeaderNames.AcceptEncoding;
        return Results.Stream(ConsoleFiles.Open(file), type, entityTag: new($"\"{Path.GetFileName(file)}\""));
    }

    /// <summary>For whoever asks with curl, or where the console was left out.</summary>
    private static ContentHttpResult Hello(ClusterNode node) => TypedResults.Text(
        $$"""
        This is DistDb, node {{node.Id}}.

        POST /query             {"command":"query","query":"SELECT 1"}
        GET  /databases         all databases, with their tables
        GET  /status            this node
        GET  /cluster           all nodes
        GET  /events            all nodes, again and again
        GET  /openapi/v1.json   everything, for programs

        {{(ConsoleFiles.Index is null
            ? "There is no web console in this build, for there was no npm to build it with: install Node.js 20.19 or newer and build again."
            : "The web console is here as well, for browsers.")}}
        Master (schema changes): node {{node.Master}} at {{node.AddressOf(node.Master)}}

        """);
}
