using System.Collections.Frozen;

namespace DistDb.Node.Database;

/// <summary>The PRAGMAs that a query may use: those which describe the schema or the file and change nothing.</summary>
internal static class ReadablePragmas
{
    /// <summary>Those with a true value take an argument that selects what they describe; for the others an argument would set something.</summary>
    private static readonly FrozenDictionary<string, bool> _takesArgument = new Dictionary<string, bool>
    {
        ["application_id"] = false,
        ["collation_list"] = false,
        ["compile_options"] = false,
        ["encoding"] = false,
        ["foreign_key_check"] = true,
        ["foreign_key_list"] = true,
        ["freelist_count"] = false,
        ["function_list"] = false,
        ["index_info"] = true,
        ["index_list"] = true,
        ["index_xinfo"] = true,
        ["integrity_check"] = true,
        ["module_list"] = false,
        ["page_count"] = false,
        ["pragma_list"] = false,
        ["quick_check"] = true,
        ["schema_version"] = false,
        ["table_info"] = true,
        ["table_list"] = true,
        ["table_xinfo"] = true,
        ["user_version"] = false,
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Their names, for a message.</summary>
    public static string List { get; } = string.Join(", ", _takesArgument.Keys.Order(StringComparer.Ordinal));

    public static bool Contains(string pragma, bool withArgument) =>
        _takesArgument.TryGetValue(pragma, out var takesArgument) && (takesArgument || !withArgument);
}
