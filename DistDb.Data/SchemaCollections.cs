using System.Data;
using System.Data.Common;
using System.Globalization;

namespace DistDb.Data;

/// <summary>What is defined in the connection's database, as tables.</summary>
internal static class SchemaCollections
{
    private const string Objects = "type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_distdb\\_%' ESCAPE '\\'";

    /// <param name="connection">An open one.</param>
    /// <param name="collection">Its name, in either case.</param>
    /// <param name="restrictions">Values that must match; null for any.</param>
    /// <exception cref="ArgumentException">There is no such collection, or it has fewer restrictions.</exception>
    public static DataTable Get(DistDbConnection connection, string collection, string?[] restrictions) => collection switch
    {
        _ when Is(collection, DbMetaDataCollectionNames.MetaDataCollections) => MetaDataCollections(Checked(restrictions, 0)),
        _ when Is(collection, "Tables") => Tables(connection, Checked(restrictions, 4)),
        _ when Is(collection, "Columns") => Columns(connection, Checked(restrictions, 4)),
        _ => throw new ArgumentException($"There is no collection \"{collection}\"; these are: MetaDataCollections, Tables, Columns.", nameof(collection)),
    };

    private static DataTable MetaDataCollections(string?[] _)
    {
        var table = Create(
            DbMetaDataCollectionNames.MetaDataCollections,
            (DbMetaDataColumnNames.CollectionName, typeof(string)),
            (DbMetaDataColumnNames.NumberOfRestrictions, typeof(int)),
            (DbMetaDataColumnNames.NumberOfIdentifierParts, typeof(int)));
        table.Rows.Add(DbMetaDataCollectionNames.MetaDataCollections, 0, 0);
        table.Rows.Add("Tables", 4, 1);
        table.Rows.Add("Columns", 4, 2);
        return table;
    }

    private static DataTable Tables(DistDbConnection connection, string?[] restrictions)
    {
        var table = Create("Tables", ("TABLE_CATALOG", typeof(string)), ("TABLE_SCHEMA", typeof(string)), ("TABLE_NAME", typeof(string)), ("TABLE_TYPE", typeof(string)));
        Fill(connection, restrictions, table, $"SELECT name, CASE type WHEN 'view' THEN 'VIEW' ELSE 'BASE TABLE' END AS kind FROM sqlite_schema WHERE {Objects} AND ($a IS NULL OR name = $a) AND ($b IS NULL OR kind = $b) ORDER BY name");
        return table;
    }

    private static DataTable Columns(DistDbConnection connection, string?[] restrictions)
    {
        var table = Create(
            "Columns",
            ("TABLE_CATALOG", typeof(string)),
            ("TABLE_SCHEMA", typeof(string)),
            ("TABLE_NAME", typeof(string)),
            ("COLUMN_NAME", typeof(string)),
            ("ORDINAL_POSITION", typeof(int)),
            ("COLUMN_DEFAULT", typeof(string)),
            ("IS_NULLABLE", typeof(bool)),
            ("DATA_TYPE", typeof(string)),
            ("PRIMARY_KEY", typeof(bool)));
        Fill(
            connection,
            restrictions,
            table,
            $"SELECT s.name, c.name, c.cid, c.dflt_value, NOT c.\"notnull\", c.type, c.pk > 0 FROM (SELECT name FROM sqlite_schema WHERE {Objects} AND ($a IS NULL OR name = $a)) AS s, pragma_table_info(s.name) AS c WHERE ($b IS NULL OR c.name = $b) ORDER BY s.name, c.cid");
        return table;
    }

    private static void Fill(DistDbConnection connection, string?[] restrictions, DataTable table, string sql)
    {
        if ((restrictions[0] is { } catalog && catalog != connection.Database) || restrictions[1] is not (null or "main"))
        {
            return;
        }

        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$a", restrictions[2]);
        command.Parameters.AddWithValue("$b", restrictions[3]);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var row = table.NewRow();
            (row[0], row[1]) = (connection.Database, "main");
            for (var i = 0; i < reader.FieldCount; i++)
            {
                row[i + 2] = reader.IsDBNull(i) ? DBNull.Value : Convert.ChangeType(reader.GetValue(i), table.Columns[i + 2].DataType, CultureInfo.InvariantCulture);
            }

            table.Rows.Add(row);
        }
    }

    private static bool Is(string collection, string name) => collection.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static string?[] Checked(string?[] restrictions, int max) => restrictions.Length <= max
        ? [.. restrictions, .. new string?[max - restrictions.Length]]
        : throw new ArgumentException($"{restrictions.Length} restrictions were given where there are {max}.", nameof(restrictions));

    private static DataTable Create(string name, params (string Name, Type Type)[] columns)
    {
        var table = new DataTable(name) { Locale = CultureInfo.InvariantCulture };
        foreach (var column in columns)
        {
            table.Columns.Add(column.Name, column.Type);
        }

        return table;
    }
}
