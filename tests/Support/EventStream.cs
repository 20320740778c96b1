using System.Net;
using System.Text.Json;

namespace DistDb.Tests.Support;

/// <summary>Server-sent events, as a browser reads them: it keeps the id of the last one, and whoever connects again sends it.</summary>
internal sealed class EventStream : IDisposable
{
    private static readonly HttpClient _http = new(new SocketFailures(new SocketsHttpHandler { UseProxy = false })) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };

    private readonly HttpResponseMessage _response;
    private readonly StreamReader _reader;

    private EventStream(HttpResponseMessage response, Stream body, string? lastId)
    {
        _response = response;
        _reader = new(body);
        LastId = lastId;
    }

    /// <summary>The id of the last event.</summary>
    public string? LastId { get; private set; }

    /// <summary>Comments that came so far.</summary>
    public int CommentCount { get; private set; }

    /// <exception cref="HttpRequestException">It cannot be reached, or answers anything but a stream.</exception>
    public static async Task<EventStream> OpenAsync(Uri node, string path, string? lastId = null, string? token = null, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(node, path));
        if (lastId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        }

        if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token);
        }

        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            response.Dispose();
            throw new HttpRequestException(text, null, response.StatusCode);
        }

        return new(response, await response.Content.ReadAsStreamAsync(cancellationToken), lastId);
    }

    /// <summary>The next event with data; null at the end.</summary>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task<(string Name, JsonElement Data)?> NextAsync(CancellationToken cancellationToken = default)
    {
        var (name, data, id) = ("message", "", LastId);
        while (await _reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                LastId = id;
                if (data.Length > 0)
                {
                    return (name, JsonElement.Parse(data));
                }

                name = "message";
            }
            else if (line[0] == ':')
            {
                CommentCount++;
            }
            else if (line.Split(": ", 2) is [var field, var value])
            {
                (name, data, id) = field switch
                {
                    "event" => (value, data, id),
                    "data" => (name, data + value, id),
                    "id" => (name, data, value),
                    "retry" => (name, data, id),
                    _ => throw new InvalidDataException(line),
                };
            }
        }

        return null;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _response.Dispose();
    }
}
