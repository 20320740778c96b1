namespace DistDb.Node.Telemetry;

/// <summary>How a node writes its log to its output.</summary>
public enum LogFormat
{
    /// <summary>A line for people.</summary>
    Text,

    /// <summary>A JSON object in a line, for whatever collects logs.</summary>
    Json,

    /// <summary>A line for systemd's journal, which adds the time and reads the level in front.</summary>
    Systemd,
}
