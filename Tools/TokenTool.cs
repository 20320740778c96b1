using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using DistDb.Node.Storage;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary><c>distdb token</c>: makes tokens for clients, lists and revokes them.</summary>
public static class TokenTool
{
    public static Command Create() => new("token", "Make, list and revoke the tokens by which clients are known")
    {
        CreateInit(),
        CreateCreate(),
        CreateList(),
        CreateRevoke(),
    };

    private static Command CreateInit()
    {
        var secretFile = new Option<string>("--cluster-secret-file")
        {
            Description = "The file with the nodes' secret: makes an admin token also in a cluster that has some, for when the last one is lost",
            HelpName = "file",
        };
        var connection = new ConnectionOptions();
        var command = new Command("init", "Make the first token, with the role admin; from then on the cluster asks everybody for one") { secretFile };
        connection.AddTo(command);
        command.SetTool((parsed, cancellation) => RunAsync(
            parsed,
            connection,
            // Not repeated: a token that was made and not shown is no use to anybody.
            cluster => cluster.Client.CreateFirstTokenAsync(cluster.Current, cancellation),
            ApiJsonContext.Default.NewTokenAnswer,
            ShowNew,
            cancellation,
            settings => parsed.GetValue(secretFile) is { } file ? settings with { Token = ReadSecretToken(file) } : settings));
        return command;
    }

    private static Command CreateCreate()
    {
        var name = NameArgument("What to call it");
        var role = new Option<string>("--role")
        {
            Description = "What it allows: read, write (and read), schema (and write), admin (everything)",
            Required = true,
            HelpName = "role",
        };
        role.AcceptOnlyFromAmong([.. TokenRoles.All.Select(TokenRoles.NameOf)]);
        var databases = new Option<string[]>("--database") { Description = "A database that it is good for; once for each. Default: all", HelpName = "name" };
        var expires = new Option<long?>("--expires")
        {
            Description = "When it is over, from now, such as 12h or 30d (s, m, h, d). Default: never",
            HelpName = "time",
            CustomParser = ParseSeconds,
        };
        var connection = new ConnectionOptions();
        var command = new Command("create", "Make a token and print it; nobody can show it again") { name, role, databases, expires };
        connection.AddTo(command);
        command.SetTool((parsed, cancellation) => RunAsync(
            parsed,
            connection,
            cluster => cluster.Client.CreateTokenAsync(
                cluster.Current,
                new(parsed.GetValue(name)!, parsed.GetValue(role)!, parsed.GetValue(databases) is { Length: > 0 } names ? names : null, parsed.GetValue(expires)),
                cancellation),
            ApiJsonContext.Default.NewTokenAnswer,
            ShowNew,
            cancellation));
        return command;
    }

    private static Command CreateList()
    {
        var connection = new ConnectionOptions();
        var command = new Command("list", "Show all tokens, without what they are");
        connection.AddTo(command, hasTable: true);
        command.SetTool((parsed, cancellation) => RunAsync(
            parsed,
            connection,
            cluster => cluster.AskAsync(node => cluster.Client.GetTokensAsync(node, cancellation), cancellation),
            ApiJsonContext.Default.TokensAnswer,
            (output, answer, isCsv) => ShowAll(answer).Write(output, isCsv),
            cancellation));
        return command;
    }

    private static Command CreateRevoke()
    {
        var name = NameArgument("The token's name");
        var connection = new ConnectionOptions();
        var command = new Command("revoke", "End a token; every node refuses it as soon as it has heard of it") { name };
        connection.AddTo(command);
        command.SetTool((parsed, cancellation) => RunAsync(
            parsed,
            connection,
            cluster => cluster.AskAsync(node => cluster.Client.RevokeTokenAsync(node, parsed.GetValue(name)!, cancellation), cancellation),
            ApiJsonContext.Default.RevokedTokenAnswer,
            (output, answer, _) => output.WriteLine($"The token \"{answer.Name}\" is revoked as of entry {answer.Index}."),
            cancellation));
        return command;
    }

    private static Argument<string> NameArgument(string description) => new("name") { Description = description };

    private static async Task<int> RunAsync<T>(
        ParseResult parsed,
        ConnectionOptions connection,
        Func<ClusterConnection, Task<T>> ask,
        JsonTypeInfo<T> type,
        Action<TextWriter, T, bool> show,
        CancellationToken cancellation,
        Func<ConnectionSettings, ConnectionSettings>? change = null)
    {
        var settings = connection.Read(parsed);
        settings = change?.Invoke(settings) ?? settings;
        using var cluster = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
        var answer = await ask(cluster).ConfigureAwait(false);
        var output = parsed.InvocationConfiguration.Output;
        if (settings.Json)
        {
            await output.WriteLineAsync(ToolJson.Write(answer, type)).ConfigureAwait(false);
        }
        else
        {
            show(output, answer, settings.Csv);
        }

        return ExitCode.Success;
    }

    /// <exception cref="ToolException">There is no secret in the file.</exception>
    private static string ReadSecretToken(string file)
    {
        try
        {
            return BearerToken.OfSecret(ClusterSecret.ReadFile(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            throw new ToolException($"--cluster-secret-file cannot be used: {e.Message}", ExitCode.WrongUsage);
        }
    }

    /// <summary>The token alone on its line of the output, so that it can be piped to where it belongs.</summary>
    private static void ShowNew(TextWriter output, NewTokenAnswer answer, bool isCsv)
    {
        Console.Error.WriteLine($"The token \"{answer.Name}\". Keep it: nobody can show it again.");
        output.WriteLine(answer.Token);
    }

    private static ToolTable ShowAll(TokensAnswer answer)
    {
        var table = new ToolTable("name", "role", "databases", "created", "expires");
        foreach (var token in answer.Tokens)
        {
            table.Add(
                token.Name,
                token.Role,
                token.Databases is { } databases ? string.Join(", ", databases) : "all",
                Show(token.Created),
                token.Expires is not { } expires ? "never" : token.Expired ? new ToolCell($"EXPIRED {Show(expires)}", Color.Red) : Show(expires));
        }

        return table;
    }

    private static string Show(DateTimeOffset time) => time.ToString("u", CultureInfo.InvariantCulture);

    private static long? ParseSeconds(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        long unit = text is [.., var last] ? last switch { 's' => 1, 'm' => 60, 'h' => 3600, 'd' => 86_400, _ => 0 } : 0;
        if (unit > 0 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0)
        {
            return count * unit;
        }

        result.AddError($"--expires must be a number of seconds, minutes, hours or days, such as 90s, 45m, 12h or 30d, not '{text}'.");
        return null;
    }
}
