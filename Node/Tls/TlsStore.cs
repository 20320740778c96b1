namespace DistDb.Node.Tls;

/// <summary>
/// The <see cref="TlsMaterial"/> in use. Looks at the files every second and takes what they hold once it has stood there for two looks, since a certificate and
/// its key are seldom replaced at the same instant. Files that are not good change nothing. What is taken counts for new connections; those that stand are left alone.
/// </summary>
public sealed partial class TlsStore : BackgroundService
{
    private static readonly TimeSpan _lookEvery = TimeSpan.FromSeconds(1);

    /// <summary>Links outlive their certificate, so that its end would be noticed only when one breaks.</summary>
    private static readonly TimeSpan _warnBefore = TimeSpan.FromDays(7);

    private readonly ILogger<TlsStore> _logger;
    private volatile TlsMaterial _current;
    private (PemTexts? Texts, string? Fault) _seen;
    private string? _fault;
    private DateTimeOffset _warnedAt;

    /// <param name="initial">As it was loaded at the start.</param>
    /// <param name="logger">For what was taken, and what was not.</param>
    public TlsStore(TlsMaterial initial, ILogger<TlsStore> logger) => (_current, _logger) = (initial, logger);

    /// <summary>What new connections use. Any thread.</summary>
    public TlsMaterial Current => _current;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_current.Files == TlsFiles.None)
        {
            return;
        }

        using var timer = new PeriodicTimer(_lookEvery);
        try
        {
            do
            {
                Look();
                WarnOfEnd(DateTimeOffset.UtcNow);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    /// <summary>One look at the files.</summary>
    internal void Look()
    {
        var seen = Read();
        var hasSettled = seen == _seen;
        _seen = seen;
        if (seen.Texts == _current.Texts)
        {
            _fault = null;
        }
        else if (hasSettled)
        {
            Take(seen.Texts, seen.Fault);
        }
    }

    /// <summary>Warns once a day in a certificate's last days.</summary>
    internal void WarnOfEnd(DateTimeOffset now)
    {
        if (_current.Certificate is { } certificate && certificate.NotAfter - now < _warnBefore && now - _warnedAt >= TimeSpan.FromDays(1))
        {
            _warnedAt = now;
            LogEnd(_current.Files.Certificate!, certificate.NotAfter.ToUniversalTime());
        }
    }

    private (PemTexts? Texts, string? Fault) Read()
    {
        try
        {
            return (_current.Files.Read(), null);
        }
        catch (InvalidDataException e)
        {
            return (null, e.Message);
        }
    }

    private void Take(PemTexts? texts, string? fault)
    {
        try
        {
            _current = TlsMaterial.Load(_current.Files, texts ?? throw new InvalidDataException(fault), _current.Host);
            _fault = null;
            var description = string.Join(" and ", _current.Describe());
            LogTaken(description);
        }
        catch (InvalidDataException e) when (e.Message == _fault)
        {
            // Was said.
        }
        catch (InvalidDataException e)
        {
            _fault = e.Message;
            LogKept(e.Message);
        }
    }

    [LoggerMessage(EventId = 701, Level = LogLevel.Information, Message = "The files of TLS have changed; new connections use {Description}.")]
    private partial void LogTaken(string description);

    [LoggerMessage(EventId = 702, Level = LogLevel.Error, Message = "The files of TLS have changed, and are not used: {Fault} What was read before stays in use.")]
    private partial void LogKept(string fault);

    [LoggerMessage(EventId = 703, Level = LogLevel.Warning, Message = "The certificate in {Path} is valid until {End:u}, and no peer or client accepts it after that. Replace it and its key; they are read anew without a restart.")]
    private partial void LogEnd(string path, DateTime end);
}
