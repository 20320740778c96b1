using System.Buffers;
using System.Text;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using Microsoft.Net.Http.Headers;

namespace DistDb.Tests.Api;

/// <summary>The formats of rows, and who gets which.</summary>
public sealed class RowsWriterTests
{
    private static readonly RowSet _rows = new(
        ["id", "a \"b\", c"],
        ["INTEGER", "TEXT"],
        [
            [SqlValue.From(long.MaxValue), SqlValue.From("plain")],
            [SqlValue.Null, SqlValue.From("")],
            [SqlValue.From(-1.5), SqlValue.From("comma, \"quote\"\r\nline")],
            [SqlValue.From(double.PositiveInfinity), SqlValue.From([0, 255])],
            [SqlValue.From(3.0), SqlValue.From("ż😀 ")],
        ]);

    [Fact]
    public void Csv_tells_null_from_empty_and_keeps_numbers_exact() => Written(output => new CsvRowsWriter(output)).Should().Be(
        "id,\"a \"\"b\"\", c\"\r\n"
        + "9223372036854775807,plain\r\n"
        + ",\"\"\r\n"
        + "-1.5,\"comma, \"\"quote\"\"\r\nline\"\r\n"
        + "9e999,AP8=\r\n"
        + "3.0,ż😀 \r\n");

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Json_row_by_row_is_the_same_as_at_once(bool isPretty, bool asObjects)
    {
        var atOnce = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(atOnce, ResultJson.Options(isPretty)))
        {
            json.WriteStartObject();
            ResultJson.WriteRows(json, _rows, asObjects);
            ResultJson.WriteOrigin(json, 7, 1, 0.25);
            json.WriteEndObject();
        }

        Written(output => new JsonRowsWriter(output, isPretty, asObjects)).Should().Be(Encoding.UTF8.GetString(atOnce.WrittenSpan));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("application/json", false)]
    [InlineData("text/csv", true)]
    [InlineData("TEXT/CSV; charset=utf-8", true)]
    [InlineData("text/*", true)]
    [InlineData("text/csv, application/json", false)]
    [InlineData("text/csv, application/json;q=0.9", true)]
    [InlineData("text/csv;q=0.5, */*;q=0.1", true)]
    [InlineData("text/csv;q=0, */*", false)]
    [InlineData("text/csv, */*", false)]
    [InlineData("text/html, application/xml;q=0.9, */*;q=0.8", false)]
    [InlineData("application/xml", false)]
    public void Csv_goes_to_who_prefers_it(string accept, bool isCsv) =>
        AnswerFormat.IsCsv(MediaTypeHeaderValue.ParseList([accept])).Should().Be(isCsv);

    private static string Written(Func<IBufferWriter<byte>, IRowsWriter> create)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = create(output))
        {
            writer.Begin(_rows.Columns, _rows.Types);
            foreach (var row in _rows.Rows)
            {
                writer.Write(row);
                writer.Commit();
            }

            writer.End(7, 1, 0.25);
            writer.Commit();
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
