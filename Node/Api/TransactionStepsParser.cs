using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>What a client wants of its transaction next.</summary>
/// <param name="Statements">To be executed in order, up to the first that fails; may be none.</param>
/// <param name="EndsWithCommit">Whether it is committed then.</param>
/// <param name="EndsWithRollback">Whether it is rolled back then.</param>
internal sealed record TransactionSteps(IReadOnlyList<Statement> Statements, bool EndsWithCommit, bool EndsWithRollback);

/// <summary>Reads the body of <c>POST /transactions/{id}</c>, as strictly as <see cref="QueryRequestParser"/>.</summary>
internal static class TransactionStepsParser
{
    /// <exception cref="RequestRejectedException">The request is wrong.</exception>
    public static TransactionSteps Parse(ReadOnlySpan<byte> body) => StrictJson.ReadBody(body, Read);

    private static TransactionSteps Read(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, StrictJson.Options);
        reader.Read();
        StrictJson.Expect(ref reader, JsonTokenType.StartObject, "The body", "an object such as {\"statements\":[{\"query\":\"SELECT 1\"}],\"commit\":true}");
        IReadOnlyList<Statement>? statements = null;
        bool? commit = null, rollback = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "statements" when statements is null:
                    statements = QueryRequestParser.ReadStatements(ref reader, name);
                    break;
                case "commit" when commit is null:
                    commit = StrictJson.ReadFlag(ref reader, name);
                    break;
                case "rollback" when rollback is null:
                    rollback = StrictJson.ReadFlag(ref reader, name);
                    break;
                case "statements" or "commit" or "rollback":
                    throw StrictJson.Bad($"The field \"{name}\" is given twice.");
                default:
                    throw StrictJson.Bad($"Unknown field \"{name}\". Known fields: statements, commit, rollback.");
            }
        }

        StrictJson.RequireEnd(ref reader);
        return (statements, commit, rollback) switch
        {
            (_, true, true) => throw StrictJson.Bad("\"commit\" and \"rollback\" cannot both be true."),
            (null, not true, not true) => throw StrictJson.Bad("Give \"statements\", \"commit\": true or \"rollback\": true."),
            _ => new(statements ?? [], commit is true, rollback is true),
        };
    }
}
