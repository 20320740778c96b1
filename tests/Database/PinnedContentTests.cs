using DistDb.Node.Database;
using DistDb.Tests.Support;

namespace DistDb.Tests.Database;

public sealed class PinnedContentTests : IDisposable
{
    private readonly TestDatabase _database = new();

    public PinnedContentTests() => _database.Do(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b)",
        "CREATE TABLE n(name TEXT PRIMARY KEY, v) WITHOUT ROWID",
        "CREATE TABLE p(x, y, PRIMARY KEY (x, y))",
        "CREATE TABLE r(rowid, _rowid_, oid)",
        "CREATE TABLE g(a INTEGER, twice GENERATED ALWAYS AS (a * 2) VIRTUAL, thrice GENERATED ALWAYS AS (a * 3) STORED)",
        "CREATE VIRTUAL TABLE f USING fts5(body)",
        "INSERT INTO t(a, b) VALUES (1, 'x'), (2.5, x'00ff'), (NULL, 'z')",
        "INSERT INTO n VALUES ('ann', 1), ('it''s', 2)",
        "INSERT INTO p VALUES (1, 'one'), (2, NULL)",
        "INSERT INTO r VALUES (1, 2, 3), (1, 2, 3)",
        "INSERT INTO g(a) VALUES (7)",
        "INSERT INTO f VALUES ('some words')",
        "ANALYZE");

    public void Dispose() => _database.Dispose();

    [Fact]
    public void Every_table_is_in_it_and_virtual_ones_by_what_is_behind_them()
    {
        var digest = Digest();
        digest.Damage.Should().BeNull();
        digest.Tables.Select(t => t.Name).Should().Contain(
            ["sqlite_schema", "t", "n", "p", "r", "g", "f_data", "f_content", "sqlite_stat1", "_distdb_state", "_distdb_requests", "_distdb_request_totals"]);
        digest.Tables.Select(t => t.Name).Should().NotContain("f");
        digest.Tables.Single(t => t.Name == "t").RowCount.Should().Be(3);
    }

    [Theory]
    [InlineData("UPDATE t SET a = 1.0 WHERE id = 1", "t", "id = 1")] // another storage class of the same number
    [InlineData("UPDATE t SET a = '1' WHERE id = 1", "t", "id = 1")]
    [InlineData("UPDATE t SET b = 'y' WHERE id = 1", "t", "id = 1")]
    [InlineData("UPDATE t SET id = 9 WHERE id = 1", "t", "id = 1", "id = 9")]
    [InlineData("DELETE FROM n WHERE v = 2", "n", "name = 'it''s'")]
    [InlineData("INSERT INTO p VALUES (3, x'ab')", "p", "x = 3, y = x'AB'")]
    [InlineData("UPDATE r SET oid = 4", "r", "rowid = 1, _rowid_ = 2, oid = 3", "rowid = 1, _rowid_ = 2, oid = 4")]
    [InlineData("UPDATE g SET a = 8", "g", "rowid = 1")]
    [InlineData("INSERT INTO f VALUES ('more')", "f_content", "id = 2")]
    [InlineData("DELETE FROM sqlite_stat1 WHERE tbl = 'p'", "sqlite_stat1", null)]
    [InlineData("CREATE INDEX i ON t(a)", "sqlite_schema", "type = 'index', name = 'i'")]
    [InlineData("DROP TABLE g", "sqlite_schema", "type = 'table', name = 'g'")]
    [InlineData("UPDATE _distdb_state SET master_node = 2", "_distdb_state", "id = 1")]
    [InlineData("INSERT INTO _distdb_requests VALUES ('k', x'00', 1, 1, x'00')", "_distdb_requests", "key = 'k'")]
    public async Task Each_change_is_found_in_its_table_and_row(string change, string table, string? label, string? otherLabel = null)
    {
        var (before, rowsBefore) = (Digest(), Keys(table));
        _database.Writer.Dispose();
        await SqliteProgram.RunAsync(_database.Path, change);
        var (after, rowsAfter) = (Digest(), Keys(table));
        var differing = before.Tables.Except(after.Tables).Concat(after.Tables.Except(before.Tables)).Select(t => t.Name).Distinct();
        differing.Should().Contain(table);
        var labels = rowsBefore.Except(rowsAfter).Concat(rowsAfter.Except(rowsBefore)).Select(r => r.Label).Distinct();
        if (label is not null)
        {
            labels.Should().BeEquivalentTo(otherLabel is null ? [label] : new[] { label, otherLabel });
        }
    }

    [Fact]
    public void Only_the_parts_of_differing_rows_differ()
    {
        _database.Do("WITH RECURSIVE c(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c WHERE n < 5000) INSERT INTO t SELECT n, n, 'row ' || n FROM c");
        var before = Digest();
        _database.Do("UPDATE t SET a = 0 WHERE id = 4321");
        using var pinned = Pin();
        var after = pinned.Digest(default);
        var (a, b) = (Table(before), Table(after));
        int[] buckets = [.. a.FindDifferingBuckets(b)];
        buckets.Should().ContainSingle();
        var keys = pinned.ListKeys("t", buckets.ToHashSet(), 1000, default);
        keys.End.Should().Be(ListEnd.Complete);
        keys.Keys.Select(k => k.Label).Should().Contain("id = 4321").And.HaveCountLessThan(100);
        pinned.ListKeys("t", buckets.ToHashSet(), 2, default).Should().BeEquivalentTo(new { End = ListEnd.Limit });

        static TableDigest Table(DatabaseDigest digest) => digest.Tables.Single(t => t.Name == "t");
    }

    [Fact]
    public void It_shows_the_entry_it_was_opened_at_whatever_is_written_later()
    {
        using var pinned = Pin();
        var before = pinned.Digest(default);
        _database.Do("DELETE FROM t", "CREATE TABLE later(a)");
        pinned.Digest(default).HasSameContentAs(before).Should().BeTrue();
        Digest().HasSameContentAs(before).Should().BeFalse();
    }

    [Fact]
    public void A_digest_is_small_where_the_tables_are()
    {
        // A cluster may have thousands of databases, whose digests are held all at once.
        using var empty = new TestDatabase();
        empty.Do("CREATE TABLE one (a)", "INSERT INTO one VALUES (1)");
        using var pinned = PinnedContent.Open("empty", empty.Path, empty.Writer.AppliedIndex);
        ContentCodec.Encode([pinned.Digest(default)]).Length.Should().BeLessThan(2048);
    }

    [Fact]
    public void A_copy_of_the_file_has_the_same_digest_and_survives_the_codec()
    {
        var copy = _database.Path + ".copy";
        Pin().CopyTo(copy);
        using var pinned = PinnedContent.Open("main", copy, _database.Writer.AppliedIndex);
        var digest = pinned.Digest(default);
        digest.HasSameContentAs(Digest()).Should().BeTrue();
        ContentCodec.DecodeDigests(ContentCodec.Encode([digest])).Single().Should().BeEquivalentTo(digest);
        var keys = pinned.ListKeys("n", Enumerable.Range(0, TableDigest.BucketCount).ToHashSet(), 1000, default);
        ContentCodec.DecodeKeys(ContentCodec.Encode(keys)).Should().BeEquivalentTo(keys);
    }

    [Fact]
    public void A_file_that_is_not_where_the_writer_is_is_another_file()
    {
        this.Invoking(_ => PinnedContent.Open("main", _database.Path, _database.Writer.AppliedIndex + 1).Dispose())
            .Should().Throw<ReplicaDivergedException>().WithMessage("*another file*");
    }

    [Fact]
    public void A_page_that_was_overwritten_is_damage_and_the_rows_before_it_are_still_listed()
    {
        _database.Do("WITH RECURSIVE c(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c WHERE n < 5000) INSERT INTO t SELECT n, n, 'row ' || n FROM c");
        var index = _database.Writer.AppliedIndex;
        _database.Writer.Checkpoint().Should().Be(index);
        _database.Writer.Dispose();
        FilePages.Overwrite(_database.Path, "row 4321");
        using var pinned = PinnedContent.Open("main", _database.Path, index);
        var digest = pinned.Digest(default);
        digest.Damage.Should().NotBeNull();
        digest.Tables.Where(t => t.IsDamaged).Select(t => t.Name).Should().Equal("t");
        var keys = pinned.ListKeys("t", Enumerable.Range(0, TableDigest.BucketCount).ToHashSet(), 10_000, default);
        keys.End.Should().Be(ListEnd.Damage);
        keys.Keys.Should().HaveCountGreaterThan(1000).And.HaveCountLessThan(4321);
        ContentCodec.DecodeDigests(ContentCodec.Encode([digest])).Single().Should().BeEquivalentTo(digest);
    }

    [Fact]
    public void Cancelling_ends_it()
    {
        _database.Do("WITH RECURSIVE c(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM c WHERE n < 50000) INSERT INTO t SELECT n, n, 'row ' || n FROM c");
        using var pinned = Pin();
        this.Invoking(_ => pinned.Digest(new(canceled: true))).Should().Throw<OperationCanceledException>();
    }

    [Fact]
    public async Task No_other_program_can_write_while_the_writer_is_open()
    {
        await this.Awaiting(_ => SqliteProgram.RunAsync(_database.Path, "UPDATE t SET a = 0")).Should().ThrowAsync<Exception>().WithMessage("*database is locked*");
        (await SqliteProgram.RunAsync(_database.Path, "SELECT count(*) FROM t")).Trim().Should().Be("3");
        _database.Do("INSERT INTO t(a) VALUES (4)");
        _database.Fail("INSERT INTO nosuch VALUES (1)");
        _database.Writer.Checkpoint().Should().Be(_database.Writer.AppliedIndex);
        await this.Awaiting(_ => SqliteProgram.RunAsync(_database.Path, "DROP TABLE t")).Should().ThrowAsync<Exception>().WithMessage("*database is locked*");
    }

    private PinnedContent Pin() => PinnedContent.Open("main", _database.Path, _database.Writer.AppliedIndex);

    private DatabaseDigest Digest()
    {
        using var pinned = Pin();
        return pinned.Digest(default);
    }

    private IReadOnlyList<RowKey> Keys(string table)
    {
        using var pinned = Pin();
        return pinned.ListKeys(table, Enumerable.Range(0, TableDigest.BucketCount).ToHashSet(), 1000, default).Keys;
    }
}
