namespace DistDb.Node.Database;

/// <summary>The tables that DistDb keeps in each database beside the users'. Clients can neither read nor change them.</summary>
internal static class InternalSchema
{
    /// <summary>What all their names begin with, in any case of letters.</summary>
    public const string Prefix = "_distdb_";

    /// <summary>What a row of <c>_distdb_requests</c> counts for.</summary>
    public const string RequestBytes = "length(CAST(key AS BLOB)) + length(results)";

    /// <summary>Creates what is missing.</summary>
    public static readonly IReadOnlyList<string> Create =
    [
        // The position in the log, in the same transaction as the content. "pin" is written before each write: see DatabaseWriter.
        """
        CREATE TABLE IF NOT EXISTS _distdb_state(
            id INTEGER PRIMARY KEY CHECK (id = 1),
            applied_index INTEGER NOT NULL,
            time_ms INTEGER NOT NULL,
            cluster_id BLOB,
            master_node INTEGER NOT NULL,
            membership BLOB,
            pin INTEGER NOT NULL)
        """,
        "INSERT OR IGNORE INTO _distdb_state VALUES (1, 0, 0, NULL, 0, NULL, 0)",

        // Writes applied under an idempotency key: see RequestLedger.
        """
        CREATE TABLE IF NOT EXISTS _distdb_requests(
            key TEXT PRIMARY KEY,
            fingerprint BLOB NOT NULL,
            entry_index INTEGER NOT NULL,
            time_ms INTEGER NOT NULL,
            results BLOB NOT NULL) WITHOUT ROWID
        """,
        "CREATE INDEX IF NOT EXISTS _distdb_requests_by_time ON _distdb_requests(time_ms)",
        """
        CREATE TABLE IF NOT EXISTS _distdb_request_totals(
            id INTEGER PRIMARY KEY CHECK (id = 1),
            count INTEGER NOT NULL,
            bytes INTEGER NOT NULL)
        """,
        $"INSERT OR IGNORE INTO _distdb_request_totals SELECT 1, count(*), ifnull(sum({RequestBytes}), 0) FROM _distdb_requests",

        // The databases beside main, of use in main alone: see DatabaseRegistry.
        """
        CREATE TABLE IF NOT EXISTS _distdb_databases(
            name TEXT PRIMARY KEY,
            created INTEGER NOT NULL,
            touched INTEGER NOT NULL,
            dropped INTEGER,
            foreign_keys INTEGER NOT NULL) WITHOUT ROWID
        """,
        "INSERT OR IGNORE INTO _distdb_databases VALUES ('history_query', 0, 0, NULL, 1)",

        // Who is let in, of use in main alone: see TokenTable.
        """
        CREATE TABLE IF NOT EXISTS _distdb_tokens(
            name TEXT PRIMARY KEY,
            hash BLOB NOT NULL,
            role INTEGER NOT NULL,
            databases TEXT,
            created_ms INTEGER NOT NULL,
            expires_ms INTEGER) WITHOUT ROWID
        """,

        // Entries executed otherwise than their leaders recorded, because a majority observed something else (an ObservationDigest). Content
        // like any other: the same on all replicas, and in every copy.
        "CREATE TABLE IF NOT EXISTS _distdb_overruled(entry INTEGER PRIMARY KEY, observation INTEGER NOT NULL)",

        // What entries changed, for those who follow: see ChangeLog.
        """
        CREATE TABLE IF NOT EXISTS _distdb_changes(
            id INTEGER PRIMARY KEY,
            is_last INTEGER NOT NULL,
            time_ms INTEGER NOT NULL,
            sum INTEGER NOT NULL,
            changes BLOB NOT NULL)
        """,
        "CREATE TABLE IF NOT EXISTS _distdb_changes_state(id INTEGER PRIMARY KEY CHECK (id = 1), floor INTEGER)",
        "INSERT OR IGNORE INTO _distdb_changes_state VALUES (1, NULL)",
    ];

    /// <summary>What is wrong with the tables of ours in a file; null where they are as they were made, and SQLite finds nothing wrong in them.</summary>
    public static string? FindFault(Connection connection)
    {
        // As SQLite keeps their texts.
        var expected = connection.OwnSchema
            .Where(sql => sql.StartsWith("CREATE ", StringComparison.Ordinal))
            .Select(sql => sql.Replace(" IF NOT EXISTS", "", StringComparison.Ordinal))
            .ToDictionary(sql => sql.Split(' ', '(')[2]);
        try
        {
            HashSet<string> found = [];
            using (var list = connection.CreateInternal("SELECT name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
            {
                while (list.Step())
                {
                    var (name, table, sql) = (list.Text(0), list.Text(1), list.Text(2));
                    if (expected.TryGetValue(name, out var made) ? sql != made : expected.ContainsKey(table) || table.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
                    {
                        return $"\"{name}\" is not as distdb made it";
                    }

                    found.Add(name);
                }
            }

            if (expected.Keys.FirstOrDefault(name => !found.Contains(name)) is { } missing)
            {
                return $"\"{missing}\" is missing";
            }

            foreach (var (table, _) in expected.Where(e => e.Value.StartsWith("CREATE TABLE ", StringComparison.Ordinal)))
            {
                using var check = connection.CreateInternal($"PRAGMA integrity_check({table})");
                if (check.Step() && check.Text(0) is var said and not "ok")
                {
                    return $"\"{table}\" is damaged: {said}";
                }
            }

            return null;
        }
        catch (StorageFailedException e)
        {
            return $"they cannot be read: {e.Reason}";
        }
    }

    /// <summary>
    /// Gives one row where a schema statement made a name of ours, or a reference to one: ALTER TABLE ... RENAME TO tells the authorizer
    /// nothing of the new name, nor does a foreign key of its parent.
    /// </summary>
    public static readonly string FindIntruder =
        $"""
        SELECT 1 WHERE
            (SELECT count(*) FROM sqlite_master WHERE substr(name, 1, 8) = '{Prefix}' COLLATE NOCASE) <> {Create.Count(sql => sql.StartsWith("CREATE ", StringComparison.Ordinal))}
            OR EXISTS (
                SELECT 1 FROM sqlite_master AS t, pragma_foreign_key_list(t.name) AS f
                WHERE t.type = 'table' AND substr(f."table", 1, 8) = '{Prefix}' COLLATE NOCASE)
        """;
}
