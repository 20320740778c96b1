using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using DistDb.Node.Api;

namespace DistDb.Tools;

/// <summary><c>distdb changes</c>: what is committed to a database, change by change, for as long as one likes. It goes on at another node when one dies, with nothing missing and nothing twice.</summary>
public static class ChangesTool
{
    /// <summary>How long to look for a node once it was followed.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    /// <summary>A node that ends a stream by itself stops, or has no room.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(200);

    public static Command Create()
    {
        var database = new Option<string>("--database", "-d") { Description = "The database", HelpName = "name", DefaultValueFactory = _ => "main" };
        var table = new Option<string[]>("--table") { Description = "Only rows of this table; may be given several times", HelpName = "name", DefaultValueFactory = _ => [] };
        var from = new Option<string?>("--from") { Description = "Begin behind this entry of the log, such as the index that a read was answered with [default: now]", HelpName = "index" };
        var connection = new ConnectionOptions();
        var command = new Command(
            "changes",
            """
            Follow what is committed to a database: a line of JSON for each change, until Ctrl-C

            Exits with 1 when what comes next is not kept any more, or the database was dropped or replaced.

            Examples:
              distdb changes
              distdb changes --table orders --from 1234 | jq -c .values
            """) { database, table, from };
        connection.AddTo(command);
        command.SetTool(async (parsed, cancellation) =>
        {
            using var cluster = await ClusterConnection.OpenAsync(connection.Read(parsed), cancellation).ConfigureAwait(false);
            var path = "/changes?database=" + Uri.EscapeDataString(parsed.GetValue(database)!)
                + string.Concat(parsed.GetValue(table)!.Select(t => "&table=" + Uri.EscapeDataString(t)))
                + (parsed.GetValue(from) is { } begin ? "&from=" + Uri.EscapeDataString(begin) : "");
            return await new Follower(cluster, path, parsed.InvocationConfiguration).RunAsync(cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private sealed class Follower(ClusterConnection cluster, string path, InvocationConfiguration streams)
    {
        private string? _lastId;
        private bool _hasFollowed;
        private bool _isOver;

        public async Task<int> RunAsync(CancellationToken cancellation)
        {
            while (true)
            {
                await cluster.AskAsync(
                    node => cluster.Client.FollowAsync(node, path, _lastId, TakeAsync, cancellation), cancellation, _hasFollowed ? _patience : default).ConfigureAwait(false);
                if (_isOver)
                {
                    return ExitCode.BadNews;
                }

                await Task.Delay(_pause, cancellation).ConfigureAwait(false);
                await cluster.LearnAsync(cancellation).ConfigureAwait(false);
            }
        }

        /// <summary>Takes events until the node ends them.</summary>
        private async Task<bool> TakeAsync(Stream stream, Action lives)
        {
            _hasFollowed = true;
            using var reader = new StreamReader(stream);
            var (name, data, id) = ("", "", _lastId);
            while (!_isOver && await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                lives();
                if (line.Length == 0)
                {
                    if (data.Length > 0)
                    {
                        await TakeAsync(name, data).ConfigureAwait(false);
                    }

                    _lastId = id;
                    (name, data) = ("", "");
                }
                else if (line.Split(": ", 2) is [var field, var value])
                {
                    (name, data, id) = field switch
                    {
                        "event" => (value, data, id),
                        "data" => (name, data + value, id),
                        "id" => (name, data, value),
                        _ => (name, data, id),
                    };
                }
            }

            return true;
        }

        private async Task TakeAsync(string name, string data)
        {
            using var json = JsonDocument.Parse(data);
            var root = json.RootElement;
            switch (name)
            {
                case "start":
                    await streams.Error.WriteLineAsync($"distdb: following from entry {root.GetProperty("index")} on.").ConfigureAwait(false);
                    break;
                case "change":
                    await streams.Output.WriteAsync(LinesOf(root)).ConfigureAwait(false);
                    await streams.Output.FlushAsync().ConfigureAwait(false);
                    break;
                case "gone":
                    await streams.Error.WriteLineAsync($"distdb: {root.GetProperty("detail").GetString()}").ConfigureAwait(false);
                    _isOver = true;
                    break;
                case "dropped":
                    await streams.Error.WriteLineAsync($"distdb: the database \"{root.GetProperty("database").GetString()}\" was dropped.").ConfigureAwait(false);
                    _isOver = true;
                    break;
            }
        }

        private static string LinesOf(JsonElement entry)
        {
            var lines = new ArrayBufferWriter<byte>();
            foreach (var change in entry.GetProperty("changes").EnumerateArray())
            {
                using (var json = new Utf8JsonWriter(lines, ResultJson.Options(isPretty: false)))
                {
                    json.WriteStartObject();
                    foreach (var field in (ReadOnlySpan<string>)["index", "time"])
                    {
                        json.WritePropertyName(field);
                        entry.GetProperty(field).WriteTo(json);
                    }

                    foreach (var property in change.EnumerateObject())
                    {
                        property.WriteTo(json);
                    }

                    json.WriteEndObject();
                }

                lines.Write("\n"u8);
            }

            return Encoding.UTF8.GetString(lines.WrittenSpan);
        }
    }
}
