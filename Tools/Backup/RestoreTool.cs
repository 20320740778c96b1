using System.CommandLine;

namespace DistDb.Tools.Backup;

/// <summary><c>distdb restore</c>: makes a backup, or with an archive of the log what there was at a point after it, the content of a database on every node.</summary>
public static class RestoreTool
{
    public static Command Create()
    {
        var database = new Argument<string?>("database")
        {
            Description = "The database that it is to be; without one, all of an archive's",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var from = new Option<string>("--from") { Description = "A file of 'distdb backup', any SQLite file, or - for standard input", HelpName = "file", Required = true };
        var replace = new Option<bool>("--replace") { Description = "Let go what is in the database now" };
        var replays = new ReplayOptions();
        var connection = new ConnectionOptions();
        var command = new Command("restore", "Make a backup the content of a database on every node, in one step: distdb restore main --from main.db --replace. With --at, brought forward by the archived log first")
        {
            database, from, replace,
        };
        replays.AddTo(command);
        connection.AddTo(command);
        command.SetTool(async (parsed, cancellation) =>
        {
            var replay = replays.Read(parsed);
            using var folder = new TemporaryFolder();
            var path = parsed.GetValue(from)!;
            if (path == "-")
            {
                path = await folder.TakeAsync(Console.OpenStandardInput(), cancellation).ConfigureAwait(false);
            }
            else if (!File.Exists(path))
            {
                throw new ToolException($"There is no file {path}.", ExitCode.WrongUsage);
            }

            var upload = new Upload(connection.Read(parsed), parsed.InvocationConfiguration, parsed.GetValue(replace));
            var name = parsed.GetValue(database);
            if (Upload.IsDatabase(path))
            {
                var target = name ?? throw new ToolException("Which database is it to be? distdb restore <database> --from FILE", ExitCode.WrongUsage);
                await SendAsync(target, path).ConfigureAwait(false);
                return ExitCode.Success;
            }

            try
            {
                var archive = await ArchiveReader.OpenAsync(path, cancellation).ConfigureAwait(false);
                await using var _ = archive.ConfigureAwait(false);
                if (name is not null && !archive.Databases.Contains(name))
                {
                    throw new ToolException($"{path} has no database \"{name}\", but {string.Join(", ", archive.Databases)}.", ExitCode.WrongUsage);
                }

                while (await archive.NextAsync(cancellation).ConfigureAwait(false) is var (found, content))
                {
                    if (name is null || found == name)
                    {
                        var file = await folder.TakeAsync(found, archive, content, cancellation).ConfigureAwait(false);
                        await SendAsync(found, file).ConfigureAwait(false);
                        File.Delete(file);
                    }
                }
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
            {
                throw new ToolException($"{path} is neither a SQLite file nor an archive of 'distdb backup': {e.Message}", ExitCode.WrongUsage);
            }

            return ExitCode.Success;

            async Task SendAsync(string target, string backup)
            {
                if (replay is null)
                {
                    await upload.SendAsync(target, backup, cancellation).ConfigureAwait(false);
                    return;
                }

                var made = await replay.RunAsync(backup, folder.NewPath(), cancellation).ConfigureAwait(false);
                await upload.SendAsync(target, made, cancellation).ConfigureAwait(false);
                File.Delete(made);
            }
        });
        return command;
    }
}
