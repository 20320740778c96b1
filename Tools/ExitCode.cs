namespace DistDb.Tools;

/// <summary>What the tools' exit codes mean; scripts rely on them.</summary>
public static class ExitCode
{
    /// <summary>Done, and the answer is good.</summary>
    public const int Success = 0;

    /// <summary>The answer is bad news: replicas differ, a node is down, a write failed.</summary>
    public const int BadNews = 1;

    /// <summary>The command line is wrong; nothing was tried.</summary>
    public const int WrongUsage = 2;

    /// <summary>No node of the cluster answered.</summary>
    public const int Unreachable = 3;
}
