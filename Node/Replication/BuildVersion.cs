using System.Reflection;

namespace DistDb.Node.Replication;

/// <summary>Which distdb this is.</summary>
public static class BuildVersion
{
    /// <summary>Without the commit that some builds append.</summary>
    public static string Current { get; } =
        typeof(BuildVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
