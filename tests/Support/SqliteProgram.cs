using System.Diagnostics;

namespace DistDb.Tests.Support;

/// <summary>The <c>sqlite3</c> program: another reader and writer of database files than ours, to compare with.</summary>
internal static class SqliteProgram
{
    /// <summary>Runs a script, or commands such as <c>.dump</c>, on a database file.</summary>
    /// <returns>What it printed.</returns>
    public static async Task<string> RunAsync(string databasePath, string script)
    {
        var start = new ProcessStartInfo("sqlite3", ["-bail", databasePath])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(script);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        process.ExitCode.Should().Be(0, await errors);
        return await output;
    }

    /// <summary>
    /// Schema and rows of all users' tables as SQL, in an order of its own: for files that got the same rows in another sequence.
    /// </summary>
    public static async Task<IReadOnlyList<string>> DumpSortedAsync(string databasePath)
    {
        // An SQL expression for each table that gives its rows as text.
        var queries = await RunAsync(databasePath, """
            SELECT printf('SELECT ''%s '' || %s FROM "%w";', m.name, group_concat(printf('quote("%w")', c.name), ' || '','' || '), m.name)
            FROM sqlite_master m JOIN pragma_table_info(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE '\_distdb\_%' ESCAPE '\' GROUP BY m.name;
            """);
        var schema = await RunAsync(
            databasePath, @"SELECT type || ' ' || name || ' ' || quote(sql) FROM sqlite_master WHERE tbl_name NOT LIKE '\_distdb\_%' ESCAPE '\';");
        var rows = await RunAsync(databasePath, queries);
        return [.. (schema + rows).Split('\n').Order(StringComparer.Ordinal)];
    }
}
