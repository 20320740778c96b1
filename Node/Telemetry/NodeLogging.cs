using System.Text.Encodings.Web;

namespace DistDb.Node.Telemetry;

/// <summary>Where a node's log goes, and how it looks.</summary>
internal static class NodeLogging
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";

    public static void Configure(ILoggingBuilder logging, LogFormat format, LogLevels levels)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace);

        // Asked with every line, so that a change counts at once.
        logging.AddFilter(levels.Allow);
        switch (format)
        {
            case LogFormat.Json:
                logging.AddJsonConsole(console =>
                {
                    console.UseUtcTimestamp = true;
                    console.TimestampFormat = TimeFormat;
                    console.JsonWriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
                });
                break;
            case LogFormat.Systemd:
                // The journal has the time.
                logging.AddSystemdConsole();
                break;
            default:
                logging.AddSimpleConsole(console =>
                {
                    console.SingleLine = true;
                    console.UseUtcTimestamp = true;
                    console.TimestampFormat = TimeFormat + " ";
                });
                break;
        }
    }
}
