using System.Reflection;

namespace DistDb.Node.Replication;

/// <summary>Which distdb this is.</summary>
public static class BuildVersion
{
    private static readonly string[] _parts =
        typeof(BuildVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+', 2);

    /// <summary>The version alone, as in <c>0.2.0</c>.</summary>
    public static string Current { get; } = _parts[0];

    /// <summary>The commit that it was built from, in full; null where the build knew of none.</summary>
    public static string? Commit { get; } = _parts is [_, var commit] ? commit : null;
}
