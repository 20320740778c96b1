using System.Diagnostics;

namespace DistDb.Tests.Linearizability.Models;

/// <summary>One value that is read, written, and compared and set. It holds 0 at first.</summary>
internal sealed class RegisterModel : Model<long, RegisterCall>
{
    public override long Initial => 0;

    public override bool TryApply(long state, RegisterCall call, out long next)
    {
        switch (call)
        {
            case RegisterCall.Read read:
                next = state;
                return read.Value == state;
            case RegisterCall.Write write:
                next = write.Value;
                return true;
            case RegisterCall.Cas cas:
                next = state == cas.From ? cas.To : state;
                return cas.Succeeded is not { } succeeded || succeeded == (state == cas.From);
            default:
                throw new UnreachableException(call.ToString());
        }
    }

    public override bool IsRead(RegisterCall call) => call is RegisterCall.Read or RegisterCall.Cas { Succeeded: false };
}
