using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>A request that is wrong in itself, found before anything was done with it.</summary>
internal sealed class RequestRejectedException(Failure failure) : Exception(failure.Detail)
{
    public RequestRejectedException(FailureCode code, string detail)
        : this(new(code, detail))
    {
    }

    public Failure Failure { get; } = failure;
}
