using System.Security.Authentication;

namespace DistDb.Node.Tls;

/// <summary>Why no connection came about, where http was spoken to TLS or the other way round, or a certificate was not good.</summary>
public static class TlsFailure
{
    /// <summary>What a port of TLS answers plain http with, beside its problem details (RFC 9110, 7.8).</summary>
    public const string UpgradeHeader = "TLS/1.2";

    /// <summary>Whether an answer says that TLS is spoken where plain http was tried.</summary>
    /// <param name="headers">Those of a refusal; null where there was no answer.</param>
    public static bool IsDemandOfTls(IReadOnlyDictionary<string, IEnumerable<string>>? headers) =>
        headers?.Any(h => h.Key.Equals("Upgrade", StringComparison.OrdinalIgnoreCase) && h.Value.Contains(UpgradeHeader)) == true;

    /// <summary>Half a sentence for people, without a full stop; null where it was not TLS.</summary>
    public static string? Describe(Exception exception) => exception switch
    {
        _ when FindRefusal(exception) is { } refusal => refusal.Message,
        _ when IsHandshakeFailure(exception) =>
            $"no TLS connection comes about ({exception.GetBaseException().Message.TrimEnd('.')}); if it has no certificate, its address begins with http://",
        _ => null,
    };

    /// <summary>Whether the other end is not good enough, or does not speak TLS at all.</summary>
    private static bool IsHandshakeFailure(Exception exception) =>
        Chain(exception).Any(e => e is AuthenticationException or HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError });

    private static CertificateRefusedException? FindRefusal(Exception exception) => Chain(exception).OfType<CertificateRefusedException>().FirstOrDefault();

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            yield return e;
        }
    }
}
