using System.Text;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Tests.Database;

namespace DistDb.Tests.Api.Structured;

/// <summary>Does what requests ask for at a database without a cluster around it.</summary>
internal sealed class StructuredDatabase : IDisposable
{
    public TestDatabase Database { get; } = new();

    public static QueryRequest Parse(string body) => QueryRequestParser.Parse(Encoding.UTF8.GetBytes(body));

    /// <summary>Why a request is refused before anything is done.</summary>
    public static Failure Refusal(string body) =>
        FluentActions.Invoking(() => Parse(body)).Should().Throw<RequestRejectedException>(body).Which.Failure;

    /// <summary>Writes, which must succeed.</summary>
    /// <returns>How many rows were affected.</returns>
    public long Write(string body)
    {
        var outcome = TryWrite(body).Should().BeOfType<WriteOutcome.Succeeded>(body).Subject;
        return outcome.Results.Sum(r => r.RowsAffected);
    }

    /// <summary>Writes, which must fail in the database.</summary>
    public Failure Fail(string body) => TryWrite(body).Should().BeOfType<WriteOutcome.Failed>(body).Subject.Failure;

    /// <summary>The rows that a search finds, as JSON objects.</summary>
    public string Search(string body) => ToJson(Read(body).Should().BeOfType<ReadOutcome.RowsRead>(body).Subject.Rows);

    public Failure FailedSearch(string body) => Read(body).Should().BeOfType<ReadOutcome.Failed>(body).Subject.Failure;

    /// <summary>A table's definition as SQLite keeps it.</summary>
    public string SchemaOf(string table) => Database.Value("SELECT sql FROM sqlite_schema WHERE name = ?", SqlValue.From(table)).Text;

    public void Dispose() => Database.Dispose();

    private ReadOutcome Read(string body)
    {
        var request = Parse(body);
        request.IsQuery.Should().BeTrue();
        return Database.Query(request.Statements.Single());
    }

    private WriteOutcome TryWrite(string body)
    {
        var request = Parse(body);
        request.IsQuery.Should().BeFalse();
        request.IsTransaction.Should().Be(request.Statements.Count > 1);
        return Database.Execute(request.IsTransaction ? Database.Transaction([.. request.Statements]) : Database.Command(request.Statements.Single()));
    }

    private static string ToJson(RowSet rows)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, ResultJson.Options(isPretty: false)))
        {
            json.WriteStartObject();
            ResultJson.WriteRows(json, rows, asObjects: true);
            json.WriteEndObject();
        }

        return JsonElement.Parse(bytes.ToArray()).GetProperty("rows").GetRawText();
    }
}
