using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>A request that is not done: most often because it is wrong in itself, found before anything was done with it.</summary>
internal sealed class RequestRejectedException(Failure failure) : Exception(failure.Detail)
{
    public RequestRejectedException(FailureCode code, string detail)
        : this(new Failure(code, detail))
    {
    }

    public Failure Failure { get; } = failure;
}
