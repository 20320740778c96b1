using System.Globalization;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;

namespace DistDb.Tests.Fuzz;

/// <summary>Bodies for <c>/query</c> as JSON texts: every command and field, with values of the right and of wrong types.</summary>
internal static class FuzzJson
{
    private static readonly string[] _fields =
    [
        "query", "params", "transaction", "id", "consistency", "min_index", "max_rows", "timeout_ms", "database", "is_master", "is_replicated", "table", "data", "condition", "columns", "order_by", "limit", "offset", "all", "if_exists", "if_not_exists", "unknown", "Query", "",
    ];

    private static readonly Gen<string> _texts = Gen.OneOf(FuzzSql.Names, FuzzSql.Statements).Select(Quote);

    private static readonly Gen<string> _numbers = Gen.OneOf(
        Gen.Choose(-3, 100).Select(n => n.ToString(CultureInfo.InvariantCulture)),
        Gen.Elements(
            "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1e400", "-1e400", "1e-400", "0.1", "-0", "-0.0", "1.0", "1E5", "123456789012345678901234567890", "2147483648", new string('9', 400)));

    /// <summary>What is no JSON, or no value.</summary>
    private static readonly Gen<string> _broken = Gen.Elements(
        """{"base64":"?"}""", """{"base64":1}""", """{"base64":"AA==","x":1}""", "\"\\ud800\"", "\"\\x\"", "\"\t\"", "tru", "", "'a'", "00", "+1", "1.", ".5", "NaN", "Infinity", "0x10");

    private static readonly Gen<string> _scalars = Gen.Frequency(
        (80, _texts),
        (60, _numbers),
        (40, Gen.Elements("null", "true", "false")),
        (20, Gen.Elements("""{"base64":"AAEC"}""", """{"base64":""}""", "\"\\u0000\"", "\"\\ud83e\\udd86\"")),
        (1, _broken));

    private static readonly Gen<string> _deep =
        from depth in Gen.Choose(1, 100)
        from isArray in Gen.Elements(true, false)
        from isClosed in Gen.Frequency((4, Gen.Constant(true)), (1, Gen.Constant(false)))
        select string.Concat(Enumerable.Repeat(isArray ? "[" : "{\"a\":", depth)) + "1" + (isClosed ? new string(isArray ? ']' : '}', depth) : "");

    private static readonly Gen<string> _any = Values(3);

    /// <summary>Whole bodies.</summary>
    public static Gen<string> Bodies { get; } = Gen.Frequency((20, Plausible()), (3, Arbitrary()), (1, _any), (1, _deep));

    private static Gen<string> Values(int depth) => depth == 0 ? _scalars : Gen.Frequency(
        (4, _scalars),
        (1, Values(depth - 1).ArrayOf().Select(Array)),
        (1, Object(Gen.OneOf(FuzzSql.Names, Gen.Elements("gt", "eq", "in", "like", "between", "type", "default", "references", "query", "params", "base64")), Values(depth - 1))));

    /// <summary>Requests that mean something, some of them with one field that does not belong there or is wrong.</summary>
    private static Gen<string> Plausible() =>
        from fields in Gen.Frequency((10, Sql()), (3, Transaction()), (6, Structured()), (1, Databases()))
        from extra in Gen.Frequency((9, Gen.Constant("")), (1, Field()))
        from isLast in Gen.Elements(true, false)
        select extra.Length == 0 ? $"{{{fields}}}" : isLast ? $"{{{fields},{extra}}}" : $"{{{extra},{fields}}}";

    private static Gen<string> Sql() =>
        from command in Gen.Elements("exec", "query", "EXEC", "Query")
        from sql in FuzzSql.Statements
        from parameters in Gen.Frequency((8, Gen.Constant("")), (2, _scalars.ArrayOf().Select(values => ",\"params\":" + Array(values))), (1, Object(FuzzSql.Names, _scalars).Select(o => ",\"params\":" + o)))
        from database in Database()
        select $"\"command\":\"{command}\",\"query\":{Quote(sql)}{parameters}{database}";

    private static Gen<string> Transaction() =>
        from statements in FuzzSql.Statements.Select(sql => $"{{\"query\":{Quote(sql)}}}").NonEmptyListOf()
        from database in Database()
        from id in Gen.OneOf(Gen.Constant(""), Gen.Choose(0, 3000).Select(key => $",\"id\":\"{key}\""))
        select $"\"command\":\"exec\",\"transaction\":[{string.Join(',', statements.Take(6))}]{database}{id}";

    private static Gen<string> Structured() =>
        from command in Gen.Frequency((1, Gen.Elements("create_table", "drop_table", "delete")), (3, Gen.Elements("insert", "update", "search")))
        from table in Gen.Frequency((3, Gen.Constant("fuzz")), (1, FuzzSql.Names))
        from data in Gen.Frequency((4, Object(Gen.Elements("a", "b", "c"), _scalars)), (1, Object(FuzzSql.Names, _scalars)), (1, Object(FuzzSql.Names, _scalars).ArrayOf().Select(Array)))
        from names in Gen.Frequency((4, Gen.Constant(Gen.Elements("id", "a", "b", "c"))), (1, Gen.Constant(FuzzSql.Names)))
        from condition in Object(names, Gen.OneOf(_scalars, Object(Gen.Elements("gt", "gte", "lt", "lte", "eq", "ne", "in", "like", "between", "nope"), Values(1))))
        from columns in Gen.OneOf(Object(FuzzSql.Names, Gen.Elements("\"int\"", "\"int primary key\"", "\"string not null\"", "{\"type\":\"int\",\"primary_key\":true}", "\"text default 'x'\"", "\"; DROP\"", "1")), FuzzSql.Names.Select(Quote).ArrayOf().Select(Array))
        select $"\"command\":\"{command}\",\"table\":{Quote(table)}" + command switch
        {
            "create_table" => ",\"columns\":" + columns,
            "insert" => ",\"data\":" + data,
            "update" => $",\"data\":{data},\"condition\":{condition}",
            "delete" => ",\"condition\":" + condition,
            "search" => $",\"condition\":{condition},\"columns\":{columns},\"order_by\":{columns},\"limit\":5",
            _ => "",
        };

    private static Gen<string> Databases() =>
        from command in Gen.Elements("create_db", "drop_db", "CREATE_DB")
        from name in FuzzSql.Names.Where(n => n.Length is 0 or > 64 or < 5)
        select $"\"command\":\"{command}\",\"database\":{Quote(name)}";

    private static Gen<string> Database() => Gen.Frequency((16, Gen.Constant("")), (1, Gen.Elements("one", "two", "ONE")), (1, FuzzSql.Names))
        .Select(name => name.Length == 0 ? "" : $",\"database\":{Quote(name)}");

    private static Gen<string> Arbitrary() =>
        from command in Gen.OneOf(Gen.Elements("exec", "query", "create_db", "drop_db", "create_table", "drop_table", "insert", "update", "delete", "search").Select(Quote), _scalars)
        from fields in Field().ArrayOf()
        select $"{{\"command\":{command}{string.Concat(fields.Take(12).Select(f => "," + f))}}}";

    private static Gen<string> Field() =>
        from name in Gen.Elements(_fields)
        from value in name switch
        {
            // A minute's wait for an index that never comes is no test of anything.
            "min_index" => Gen.Elements("0", "1", "-1", "null", "\"1\"", "1.5", "[]"),
            "query" => Gen.OneOf(FuzzSql.Statements.Select(Quote), _any),
            "timeout_ms" => Gen.Elements("1", "50", "0", "-1", "1e9", "null", "\"5\"", "99999999999"),
            "consistency" => Gen.Elements("\"strong\"", "\"local\"", "\"STRONG\"", "1", "null"),
            _ => _any,
        }
        select $"{Quote(name)}:{value}";

    private static Gen<string> Object(Gen<string> names, Gen<string> values) =>
        from fields in names.SelectMany(_ => values, (name, value) => (name, value)).NonEmptyListOf()
        from isDoubled in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
        select $"{{{string.Join(',', (isDoubled ? fields : fields.DistinctBy(f => f.name)).Take(8).Select(f => $"{Quote(f.name)}:{f.value}"))}}}";

    private static string Array(IEnumerable<string> values) => $"[{string.Join(',', values.Take(12))}]";

    private static string Quote(string text) => JsonSerializer.Serialize(text);
}
