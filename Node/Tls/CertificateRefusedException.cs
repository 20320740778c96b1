using System.Security.Authentication;

namespace DistDb.Node.Tls;

/// <summary>The other end's certificate is not good. The message is half a sentence that says why, and which.</summary>
public sealed class CertificateRefusedException(string reason) : AuthenticationException(reason);
