using Spectre.Console;

namespace DistDb.Tools.Backup;

/// <summary>Shows how far a file is on its way: a bar on standard error where that is a terminal, and otherwise nothing.</summary>
internal static class TransferProgress
{
    /// <summary>Runs what moves a file.</summary>
    /// <param name="error">Where to show it.</param>
    /// <param name="title">What is done.</param>
    /// <param name="run">Is given whom to tell how many bytes of how many are done; of none if that is not known.</param>
    public static Task<T> ShowAsync<T>(TextWriter error, string title, Func<Action<long, long?>, Task<T>> run)
    {
        if (Console.IsErrorRedirected || error != Console.Error)
        {
            return run((_, _) => { });
        }

        return ToolConsole.Create(error).Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(context =>
            {
                var task = context.AddTask(Markup.Escape(title)).IsIndeterminate();
                return run((done, total) =>
                {
                    task.IsIndeterminate = total is null || done == total;
                    task.MaxValue = total ?? Math.Max(1, done);
                    task.Value = done;
                });
            });
    }
}
