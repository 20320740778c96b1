using System.Globalization;
using System.Text.Json.Serialization;

namespace DistDb.Tools.Backup;

/// <summary>A backup that was made.</summary>
/// <param name="File">The file, with its full path.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Index">All of the log up to this entry is in it, and none after.</param>
internal sealed record BackupResult(string File, long Bytes, long Index)
{
    /// <summary>The same, for people.</summary>
    public string Describe() => string.Create(CultureInfo.InvariantCulture, $"{File}: {Bytes} bytes, all up to entry {Index}, checked.");
}

/// <summary>Rows that were brought into a table.</summary>
/// <param name="Rows">How many.</param>
internal sealed record ImportResult(long Rows);

/// <summary>The JSON of the tools for whole databases.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BackupResult))]
[JsonSerializable(typeof(ImportResult))]
internal sealed partial class BackupJsonContext : JsonSerializerContext;
