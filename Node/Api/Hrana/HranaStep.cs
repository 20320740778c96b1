using DistDb.Node.Commands;

namespace DistDb.Node.Api.Hrana;

/// <summary>A statement as a client sent it.</summary>
/// <param name="Statement">The statement.</param>
/// <param name="WantRows">Whether its rows are wanted.</param>
/// <param name="Fault">What is wrong with its arguments, or null.</param>
internal sealed record HranaStatement(Statement Statement, bool WantRows, HranaFailure? Fault = null);

/// <summary>A step of a batch.</summary>
/// <param name="Condition">When it is executed; null for always.</param>
/// <param name="Statement">The statement.</param>
internal sealed record HranaStep(HranaCondition? Condition, HranaStatement Statement);

/// <summary>What became of a step; neither where it was skipped.</summary>
internal readonly record struct HranaOutcome(StatementResult? Result, HranaFailure? Failure)
{
    public static implicit operator HranaOutcome(HranaFailure failure) => new(null, failure);
}

/// <summary>When a step of a batch is executed.</summary>
internal abstract record HranaCondition
{
    public sealed record Ok(int Step) : HranaCondition;

    public sealed record Error(int Step) : HranaCondition;

    public sealed record Not(HranaCondition Condition) : HranaCondition;

    public sealed record All(IReadOnlyList<HranaCondition> Conditions) : HranaCondition;

    public sealed record Any(IReadOnlyList<HranaCondition> Conditions) : HranaCondition;

    public sealed record IsAutocommit : HranaCondition;

    /// <param name="outcomes">Of the steps before.</param>
    /// <param name="isAutocommit">Whether no transaction is open.</param>
    public bool Holds(IReadOnlyList<HranaOutcome> outcomes, bool isAutocommit) => this switch
    {
        Ok { Step: var step } => outcomes[step].Result is not null,
        Error { Step: var step } => outcomes[step].Failure is not null,
        Not { Condition: var condition } => !condition.Holds(outcomes, isAutocommit),
        All { Conditions: var conditions } => conditions.All(c => c.Holds(outcomes, isAutocommit)),
        Any { Conditions: var conditions } => conditions.Any(c => c.Holds(outcomes, isAutocommit)),
        IsAutocommit => isAutocommit,
        _ => throw new System.Diagnostics.UnreachableException(GetType().Name),
    };
}
