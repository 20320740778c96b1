using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace DistDb.Tools.Backup;

/// <summary><c>distdb import</c>: a SQLite file, a file of SQL or a CSV file becomes data of the cluster, all of it or none.</summary>
public static class ImportTool
{
    public static Command Create()
    {
        var database = new Argument<string>("database") { Description = "The database" };
        var file = new Argument<string>("file") { Description = "A SQLite file or SQL as sqlite3's .dump writes it, either of which becomes the database; or CSV with the columns' names in its first line" };
        var table = new Option<string?>("--table") { Description = "Of CSV: the table that its rows go to; made if there is none", HelpName = "name" };
        var separator = new Option<char>("--separator") { Description = "Of CSV: what stands between fields", HelpName = "character", DefaultValueFactory = _ => ',' };
        var replace = new Option<bool>("--replace") { Description = "Of SQLite and SQL: let go what is in the database now" };
        var connection = new ConnectionOptions();
        var command = new Command("import", "Bring a SQLite file, SQL or CSV into the cluster: distdb import shop shop.db; distdb import main people.csv --table people")
        {
            database, file, table, separator, replace,
        };
        connection.AddTo(command);
        command.SetTool(async (parsed, cancellation) =>
        {
            var settings = connection.Read(parsed);
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path))
            {
                throw new ToolException($"There is no file {path}.", ExitCode.WrongUsage);
            }

            if (parsed.GetValue(table) is { } target)
            {
                using var cluster = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
                var import = new CsvImport(cluster, parsed.GetValue(database)!, target, path, parsed.GetValue(separator));
                var count = await ImportCsvAsync(import, path, parsed.InvocationConfiguration.Error, cancellation).ConfigureAwait(false);
                await parsed.InvocationConfiguration.Output.WriteLineAsync(settings.Json
                    ? JsonSerializer.Serialize(new ImportResult(count), BackupJsonContext.Default.ImportResult)
                    : string.Create(CultureInfo.InvariantCulture, $"{count} rows.")).ConfigureAwait(false);
                return ExitCode.Success;
            }

            if (path.EndsWith(".csv", StringComparison.OrdinalIgnoreCase))
            {
                throw new ToolException("Which table do the rows go to? Say it with --table.", ExitCode.WrongUsage);
            }

            using var folder = new TemporaryFolder();
            if (!Upload.IsDatabase(path))
            {
                var made = folder.NewPath();
                var size = new FileInfo(path).Length;
                await TransferProgress.ShowAsync(parsed.InvocationConfiguration.Error, $"Reading {Path.GetFileName(path)}", async progress =>
                {
                    using var script = new StreamReader(path);
                    await SqlImport.RunAsync(script, made, () => progress(script.BaseStream.Position, size), cancellation).ConfigureAwait(false);
                    return true;
                }).ConfigureAwait(false);
                path = made;
            }

            await new Upload(settings, parsed.InvocationConfiguration, parsed.GetValue(replace)).SendAsync(parsed.GetValue(database)!, path, cancellation).ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Imports a CSV file.</summary>
    /// <param name="import">The import.</param>
    /// <param name="path">The file.</param>
    /// <param name="error">Where to show how far it is.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>How many rows it had.</returns>
    /// <exception cref="ToolException">It is no CSV.</exception>
    internal static async Task<long> ImportCsvAsync(CsvImport import, string path, TextWriter error, CancellationToken cancellation)
    {
        try
        {
            var size = new FileInfo(path).Length;
            return await TransferProgress.ShowAsync(
                error, $"Importing {Path.GetFileName(path)}", progress => import.RunAsync(bytes => progress(bytes, size), cancellation)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidDataException or System.Text.DecoderFallbackException)
        {
            throw new ToolException($"{path} is no CSV in UTF-8: {e.Message.TrimEnd('.')}. Nothing was imported.", ExitCode.BadNews);
        }
    }
}
