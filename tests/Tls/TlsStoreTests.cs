using DistDb.Node.Tls;
using DistDb.Tests.Support;
using Microsoft.Extensions.Logging;

namespace DistDb.Tests.Tls;

/// <summary>Files that change while a node runs. Each look stands for a second.</summary>
public sealed class TlsStoreTests : IDisposable, ILogger<TlsStore>
{
    private readonly TestAuthority _authority = new();
    private readonly TlsStore _store;
    private readonly string _first;
    private readonly List<string> _log = [];

    public TlsStoreTests()
    {
        _first = _authority.Issue();
        _store = new(TlsMaterial.Load(_authority.Files, "127.0.0.1"), this);
    }

    private string Serial => _store.Current.Certificate!.SerialNumber;

    public void Dispose()
    {
        _store.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void What_does_not_change_is_left_alone()
    {
        var before = _store.Current;
        File.SetLastWriteTimeUtc(_authority.CertificatePath, DateTime.UtcNow.AddHours(1));
        Look(3);
        _store.Current.Should().BeSameAs(before);
        _log.Should().BeEmpty();
    }

    [Fact]
    public void A_new_pair_counts_when_it_has_stood_for_two_looks()
    {
        var second = _authority.Issue();
        Look(1);
        Serial.Should().Be(_first, "it may be half written");
        Look(1);
        Serial.Should().Be(second);
        Look(3);
        _log.Should().ContainSingle().Which.Should().Contain("new connections use certificate");
    }

    [Fact]
    public void Other_nodes_are_asked_by_what_is_trusted_now()
    {
        using var http = new NodeHttpClient(_store);
        var before = http.Current;
        Look(1);
        http.Current.Should().BeSameAs(before);
        _authority.Issue();
        Look(2);
        http.Current.Should().NotBeSameAs(before);
    }

    [Fact]
    public void A_pair_that_is_replaced_one_file_after_the_other_is_not_worth_a_word()
    {
        var (certificate, key) = _authority.Create([]);
        File.WriteAllText(_authority.CertificatePath, certificate);
        Look(1);
        File.WriteAllText(_authority.KeyPath, key);
        Look(2);
        Serial.Should().Be(TestAuthority.SerialOf(certificate));
        _log.Should().ContainSingle().Which.Should().Contain("new connections use");
    }

    [Fact]
    public void A_folder_that_is_swapped_by_a_link_is_noticed()
    {
        // As Kubernetes does it: the files are links into a folder that is itself a link.
        foreach (var version in (string[])["old", "new"])
        {
            Directory.CreateDirectory(Path.Combine(_authority.Folder, version));
        }

        File.Move(_authority.CertificatePath, Path.Combine(_authority.Folder, "old", "node.pem"));
        File.Move(_authority.KeyPath, Path.Combine(_authority.Folder, "old", "node.key"));
        var data = Path.Combine(_authority.Folder, "data");
        Directory.CreateSymbolicLink(data, "old");
        File.CreateSymbolicLink(_authority.CertificatePath, "data/node.pem");
        File.CreateSymbolicLink(_authority.KeyPath, "data/node.key");
        Look(3);
        Serial.Should().Be(_first);

        var (certificate, key) = _authority.Create([]);
        File.WriteAllText(Path.Combine(_authority.Folder, "new", "node.pem"), certificate);
        File.WriteAllText(Path.Combine(_authority.Folder, "new", "node.key"), key);
        Directory.Delete(data);
        Directory.CreateSymbolicLink(data, "new");
        Look(2);
        Serial.Should().Be(TestAuthority.SerialOf(certificate));
        _log.Should().ContainSingle();
    }

    [Fact]
    public void What_is_bad_is_told_once_and_the_old_stays()
    {
        File.WriteAllText(_authority.KeyPath, _authority.Create([]).Key);
        Look(5);
        Serial.Should().Be(_first);
        _log.Should().ContainSingle().Which.Should().Contain("are not used").And.Contain("not that of the certificate").And.Contain("stays in use");

        File.Delete(_authority.CertificatePath);
        Look(5);
        Serial.Should().Be(_first);
        _log.Should().HaveCount(2);
        _log[1].Should().Contain("Could not find").And.Contain("stays in use");

        var third = _authority.Issue();
        Look(2);
        Serial.Should().Be(third);
        _log.Should().HaveCount(3);
    }

    [Fact]
    public void The_CA_is_read_anew_too()
    {
        using var other = new TestAuthority("Other CA");
        File.WriteAllText(_authority.CaPath, other.Pem);
        Look(3);
        _log.Should().ContainSingle().Which.Should().Contain("not signed by a CA", "peers would not accept the certificate");

        var before = _store.Current.Trust;
        File.WriteAllText(_authority.CaPath, other.Pem + "\n" + _authority.Pem);
        Look(2);
        _store.Current.Trust.Should().NotBeSameAs(before);
    }

    [Fact]
    public void The_last_days_of_a_certificate_are_told_of_once_a_day()
    {
        var end = new DateTimeOffset(_store.Current.Certificate!.NotAfter);
        _store.WarnOfEnd(end.AddDays(-8));
        _log.Should().BeEmpty();
        _store.WarnOfEnd(end.AddDays(-6));
        _store.WarnOfEnd(end.AddDays(-5.5));
        _log.Should().ContainSingle().Which.Should().Contain(_authority.CertificatePath);
        _store.WarnOfEnd(end.AddDays(-4));
        _log.Should().HaveCount(2);
    }

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _log.Add(formatter(state, exception));

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    private void Look(int times)
    {
        for (var i = 0; i < times; i++)
        {
            _store.Look();
        }
    }
}
