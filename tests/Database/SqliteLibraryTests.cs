using DistDb.Node.Database;
using Microsoft.Data.Sqlite;

namespace DistDb.Tests.Database;

public sealed class SqliteLibraryTests
{
    [Fact]
    public void The_program_and_the_managed_wrapper_use_one_library()
    {
        SqliteLibrary.Initialize();
        SqliteLibrary.Initialize();
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        connection.ServerVersion.Should().Be(SqliteLibrary.Version);
    }

    [Fact]
    public void All_page_caches_together_are_bounded()
    {
        SqliteLibrary.Initialize();
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA soft_heap_limit";
        command.ExecuteScalar().Should().Be(256L * 1024 * 1024);
    }

    [Fact]
    public void The_fingerprint_names_the_source_and_does_not_change()
    {
        SqliteLibrary.Fingerprint.Should().MatchRegex("^20[0-9-]+ [0-9:]+ [0-9a-f]+.* options [0-9a-f]{16} [A-Za-z0-9]+$");
        SqliteLibrary.Fingerprint.Should().Be(SqliteLibrary.Fingerprint);
    }
}
