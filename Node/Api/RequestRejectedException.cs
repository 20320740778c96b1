using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>A request that is wrong in itself, found before anything was done with it.</summary>
internal sealed class RequestRejectedException(FailureCode code, string detail) : Exception(detail)
{
    public Failure Failure { get; } = new(code, detail);
}
