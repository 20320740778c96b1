using Spectre.Console;

namespace DistDb.Tools.Backup;

/// <summary>Shows how far a file, or other work, is on its way: a bar on standard error where that is a terminal, and otherwise nothing.</summary>
internal static class TransferProgress
{
    /// <summary>Runs what moves a file.</summary>
    /// <param name="error">Where to show it.</param>
    /// <param name="title">What is done.</param>
    /// <param name="run">Is given whom to tell how much of how much is done; of null if that is not known.</param>
    /// <param name="isBytes">Whether it is counted in bytes.</param>
    public static Task<T> ShowAsync<T>(TextWriter error, string title, Func<Action<long, long?>, Task<T>> run, bool isBytes = true)
    {
        if (Console.IsErrorRedirected || error != Console.Error)
        {
            return run((_, _) => { });
        }

        ProgressColumn[] measures = isBytes ? [new DownloadedColumn(), new TransferSpeedColumn()] : [new PercentageColumn()];
        return ToolConsole.Create(error).Progress()
            .AutoClear(true)
            .Columns([new TaskDescriptionColumn(), new ProgressBarColumn(), .. measures, new RemainingTimeColumn()])
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
