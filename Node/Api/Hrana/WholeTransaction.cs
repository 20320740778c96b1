using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Api.Hrana;

/// <summary>A writing transaction all of whose steps are at hand: BEGIN, statements of which each is executed if the one before succeeded, COMMIT, and perhaps a ROLLBACK unless that succeeded.</summary>
/// <param name="Statements">Those between BEGIN and COMMIT; at least one.</param>
/// <param name="HasRollback">Whether there is a ROLLBACK behind it.</param>
internal sealed record WholeTransaction(IReadOnlyList<HranaStatement> Statements, bool HasRollback)
{
    private static readonly string[] _readingWords = ["SELECT", "VALUES", "EXPLAIN", "PRAGMA", "WITH"];

    /// <summary>Finds one.</summary>
    /// <param name="steps">A batch.</param>
    /// <param name="first">The step at which it must begin.</param>
    public static WholeTransaction? Find(IReadOnlyList<HranaStep> steps, int first)
    {
        if (ControlOf(steps[first]) is not { Verb: TransactionVerb.Begin, Mode: not TransactionMode.ReadOnly and var mode })
        {
            return null;
        }

        for (var i = first + 1; i < steps.Count && steps[i].Condition is HranaCondition.Ok { Step: var before } && before == i - 1; i++)
        {
            switch (ControlOf(steps[i]))
            {
                case null when steps[i].Statement.Fault is null:
                    continue;
                case { Verb: TransactionVerb.Commit } when i > first + 1:
                    List<HranaStatement> statements = [.. steps.Skip(first + 1).Take(i - first - 1).Select(s => s.Statement)];
                    var hasRollback = i + 1 < steps.Count && ControlOf(steps[i + 1])?.Verb == TransactionVerb.Rollback
                        && steps[i + 1].Condition is HranaCondition.Not { Condition: HranaCondition.Ok { Step: var commit } } && commit == i;

                    // One that only reads disturbs nobody as it is.
                    return mode == TransactionMode.Immediate || !statements.All(s => LooksLikeRead(s.Statement.Sql)) ? new(statements, hasRollback) : null;
                default:
                    return null;
            }
        }

        return null;
    }

    /// <summary>Whether a statement begins as those that read; <c>WITH</c> may still write.</summary>
    public static bool LooksLikeRead(string sql) => new SqlTokens(sql) is var tokens && _readingWords.Any(tokens.IsWord);

    private static TransactionControl? ControlOf(HranaStep step) => TransactionControl.Parse(step.Statement.Statement.Sql);
}
