using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary><c>distdb shell</c> in a real terminal, with a real node.</summary>
public sealed class ShellTerminalTests
{
    private const ushort Width = 60;
    private const ushort Height = 30;

    [Fact]
    public async Task Somebody_types_mends_completes_cancels_and_leaves()
    {
        await using var cluster = await TestCluster.StartAsync(nodeCount: 0);
        var history = Path.Combine(cluster.Folder, "history");
        using (var shell = Start(cluster, history))
        {
            await shell.WaitForAsync("a prompt", AtPrompt);
            shell.Rows[0].Should().StartWith($"DistDb, at {AddressOf(cluster)}. ", "it is one node, whatever it is called");
            shell.Type("CREATE TABLE people (id INTEGER PRIMARY KEY, nickname TEXT);" + PseudoTerminal.Enter);
            await shell.WaitForAsync("that it is done", rows => rows.Contains("Done.") && AtPrompt(rows));

            // Enter ends a statement only where it is whole.
            shell.Type("SELECT 'several lines'" + PseudoTerminal.Enter);
            await shell.WaitForAsync("another line", rows => rows[^1] == "" && rows.Any(row => row == " ...>"));
            shell.Type("AS title;" + PseudoTerminal.Enter);
            await shell.WaitForAsync("the row", rows => rows.Contains("│ several lines │") && AtPrompt(rows));

            // The names are asked for beside what is typed.
            shell.Type("SELECT nick");
            await shell.PressUntilAsync(PseudoTerminal.Tab, "the column", rows => rows.Contains("main> SELECT nickname"));
            shell.Type("FROM peo" + PseudoTerminal.Tab);
            await shell.WaitForAsync("the table", rows => rows.Contains("main> SELECT nickname FROM people"));
            shell.Type("WHERE nothing" + PseudoTerminal.ControlC);
            await shell.WaitForAsync("that it is cleared", rows => rows.Contains("main> SELECT nickname FROM people WHERE nothing^C") && AtPrompt(rows));

            // As long as the node's own time limit, were it not cancelled.
            shell.Type("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;" + PseudoTerminal.Enter);
            await cluster.WaitUntilAsync("the statement runs", async () => (await cluster.Master.GetAsync("/metrics")).Text.Contains("\ndistdb_http_requests_active 1\n", StringComparison.Ordinal));
            shell.Type(PseudoTerminal.ControlC);
            await shell.WaitForAsync("that it is cancelled", rows => rows.Any(row => row.StartsWith("Error: Cancelled.", StringComparison.Ordinal)) && AtPrompt(rows));

            shell.Type("SELECT printf('%.200c', 'a') AS first, 7 AS n, printf('%.50c', 'b') AS second;" + PseudoTerminal.Enter);
            await shell.WaitForAsync("a wide row", rows => AfterStatement(rows).Contains("1 row.") && AtPrompt(rows));
            var table = AfterStatement(shell.Rows).Where(row => row.Length > 0 && "╭│├╰".Contains(row[0], StringComparison.Ordinal)).ToArray();
            table.Should().HaveCountGreaterThan(4).And.OnlyContain(row => row.Length == table[0].Length && "╮│┤╯".Contains(row[row.Length - 1], StringComparison.Ordinal));

            shell.Type(PseudoTerminal.ControlD);
            (await shell.WaitForExitAsync()).Should().Be(0);
        }

        using (var shell = Start(cluster, history))
        {
            await shell.WaitForAsync("a prompt", AtPrompt);
            shell.Type(PseudoTerminal.Up + PseudoTerminal.Up + PseudoTerminal.Up);
            await shell.WaitForAsync("what was typed in the last run", rows => rows.Contains("main> SELECT 'several lines'") && rows.Contains(" ...> AS title;"));
            shell.Type(PseudoTerminal.Enter);
            await shell.WaitForAsync("the row", rows => rows.Contains("│ several lines │") && AtPrompt(rows));
            shell.Type(".quit" + PseudoTerminal.Enter);
            (await shell.WaitForExitAsync()).Should().Be(0);
        }
    }

    private static PseudoTerminal Start(TestCluster cluster, string history) => PseudoTerminal.Start(
        Width, Height, new Dictionary<string, string> { ["DISTDB_SHELL_HISTORY"] = history }, "shell", "--url", AddressOf(cluster));

    // As people name it, where the node itself says 127.0.0.1.
    private static string AddressOf(TestCluster cluster) => $"http://localhost:{cluster.BasePort}";

    private static IEnumerable<string> AfterStatement(IReadOnlyList<string> rows) => rows.SkipWhile(row => !row.Contains("second;", StringComparison.Ordinal));

    private static bool AtPrompt(IReadOnlyList<string> rows) => rows.LastOrDefault(row => row.Length > 0) == "main>";
}
