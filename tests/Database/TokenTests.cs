using System.Security.Cryptography;
using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Tests.Database;

/// <summary>Tokens as content of a database, and the roles that they give, as SQLite's classification of statements has it.</summary>
public sealed class TokenTests : IDisposable
{
    private readonly TestDatabase _db = new();

    public void Dispose() => _db.Dispose();

    /// <summary>Statements in disguise, with the role that each takes whatever it looks like.</summary>
    public static TheoryData<string, TokenRole> Statements => new()
    {
        { "INSERT INTO t (a) VALUES (7)", TokenRole.Write },
        { "INSERT INTO t (a) VALUES (7) RETURNING a", TokenRole.Write },
        { "WITH x AS (SELECT 7) INSERT INTO t (a) SELECT * FROM x", TokenRole.Write },
        { "WITH x AS (SELECT 1) DELETE FROM t WHERE a IN x RETURNING *", TokenRole.Write },
        { "/* SELECT */ UPDATE t SET b = 1", TokenRole.Write },
        { "-- SELECT 1\n DELETE FROM t", TokenRole.Write },
        { ";; ;REPLACE INTO t (a) VALUES (7)", TokenRole.Write },
        { "INSERT INTO v VALUES (1)", TokenRole.Write },
        { "INSERT INTO f (f) VALUES ('optimize')", TokenRole.Write },
        { "CREATE TABLE u (a)", TokenRole.Schema },
        { "/* INSERT */ CREATE TABLE u AS SELECT * FROM t", TokenRole.Schema },
        { "CREATE TABLE IF NOT EXISTS t (a)", TokenRole.Schema },
        { "CREATE TRIGGER r2 AFTER INSERT ON t BEGIN DELETE FROM t; END", TokenRole.Schema },
        { "CREATE VIEW w AS SELECT 1", TokenRole.Schema },
        { "CREATE VIRTUAL TABLE g USING fts5(a)", TokenRole.Schema },
        { "ALTER TABLE t RENAME COLUMN b TO c", TokenRole.Schema },
        { "DROP TABLE t", TokenRole.Schema },
        { "DROP TABLE IF EXISTS nobody", TokenRole.Schema },
        { "ANALYZE", TokenRole.Schema },
        { "REINDEX", TokenRole.Schema },
    };

    [Theory]
    [MemberData(nameof(Statements))]
    public void A_statement_takes_the_role_that_it_needs_whatever_it_looks_like(string sql, TokenRole needed)
    {
        _db.Do(
            "CREATE TABLE t (a, b)",
            "INSERT INTO t VALUES (1, 2)",
            "CREATE VIEW v AS SELECT a FROM t",
            "CREATE TRIGGER r INSTEAD OF INSERT ON v BEGIN INSERT INTO t (a) VALUES (new.a); END",
            "CREATE VIRTUAL TABLE f USING fts5(a)");
        foreach (var role in TokenRoles.All)
        {
            foreach (var command in (WriteCommand[])[_db.Command(TestDatabase.Sql(sql)), _db.Transaction(TestDatabase.Sql("SELECT 1"), TestDatabase.Sql(sql))])
            {
                _db.Writer.Begin(_db.NextStamp());
                var outcome = _db.Writer.Execute(command, 0, new(MaySchema: true, role), Timeout.InfiniteTimeSpan);
                _db.Writer.Rollback();
                if (role >= needed)
                {
                    outcome.Should().BeOfType<WriteOutcome.Succeeded>();
                }
                else
                {
                    var failure = outcome.Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;
                    failure.Code.Should().Be(FailureCode.Forbidden);
                    failure.Detail.Should().Contain($"\"{TokenRoles.NameOf(needed)}\"").And.Contain($"\"{TokenRoles.NameOf(role)}\"");
                }
            }
        }
    }

    [Fact]
    public void Operations_take_an_admin()
    {
        Operation[] operations =
        [
            new PromoteOperation(1), new VerifyOperation(false), new CreateDatabaseOperation("x", false), new DropDatabaseOperation("x", true),
            Create("other", TokenRole.Admin), new RevokeTokenOperation("admin"),
        ];
        foreach (var operation in operations)
        {
            Fail(operation, TokenRole.Schema).Code.Should().Be(FailureCode.Forbidden);
        }

        _db.Writer.Tokens.All.Should().BeEmpty();
    }

    [Fact]
    public void A_token_is_found_by_its_hash_until_it_is_revoked()
    {
        Do(Create("admin", TokenRole.Admin));
        Do(Create("app", TokenRole.Write, ["a", "b"], lifetimeMs: 5000));
        var app = _db.Writer.Tokens.Find(Hash("app"))!;
        (app.Name, app.Role, string.Join(' ', app.Databases)).Should().Be(("app", TokenRole.Write, "a b"));
        app.ExpiresMs.Should().Be(app.CreatedMs + 5000);
        app.HasExpired(DateTimeOffset.FromUnixTimeMilliseconds(app.CreatedMs + 4999)).Should().BeFalse();
        app.HasExpired(DateTimeOffset.FromUnixTimeMilliseconds(app.CreatedMs + 5000)).Should().BeTrue();
        (app.Covers("a"), app.Covers("main")).Should().Be((true, false));
        var admin = _db.Writer.Tokens.Find(Hash("admin"))!;
        (admin.ExpiresMs, admin.Covers("anything"), admin.HasExpired(DateTimeOffset.MaxValue)).Should().Be((null, true, false));
        _db.Writer.Tokens.Find(Hash("wrong")).Should().BeNull();
        byte[] almost = [.. Hash("app")];
        almost[^1] ^= 1;
        _db.Writer.Tokens.Find(almost).Should().BeNull("the whole hash counts");

        Do(new RevokeTokenOperation("app"));
        _db.Writer.Tokens.Find(Hash("app")).Should().BeNull();
        _db.Restart();
        _db.Writer.Tokens.All.Select(t => t.Name).Should().Equal("admin");
        _db.Writer.Tokens.Find(Hash("admin")).Should().NotBeNull("it is content of the file");
    }

    [Fact]
    public void What_is_rolled_back_never_was()
    {
        Do(Create("admin", TokenRole.Admin));
        _db.Writer.Begin(_db.NextStamp());
        Execute(Create("app", TokenRole.Read)).Should().BeOfType<WriteOutcome.Succeeded>();
        _db.Writer.Tokens.Find(Hash("app")).Should().BeNull("it is not committed");
        _db.Writer.Rollback();
        _db.Do("CREATE TABLE t (a)");
        _db.Writer.Tokens.All.Should().ContainSingle();
    }

    [Theory]
    [InlineData(TokenRole.Read, null)]
    [InlineData(TokenRole.Schema, null)]
    [InlineData(TokenRole.Admin, 1000L)]
    public void The_first_token_must_be_able_to_make_others(TokenRole role, long? lifetimeMs)
    {
        Fail(Create("first", role, [], lifetimeMs)).Code.Should().Be(FailureCode.Conflict);
        _db.Writer.Tokens.All.Should().BeEmpty();
    }

    [Fact]
    public void The_last_admin_cannot_be_revoked()
    {
        Do(Create("one", TokenRole.Admin));
        Do(Create("passing", TokenRole.Admin, [], lifetimeMs: 1000));
        Do(Create("reader", TokenRole.Read));
        Fail(new RevokeTokenOperation("one")).Code.Should().Be(FailureCode.Conflict);
        Do(Create("two", TokenRole.Admin));
        Do(new RevokeTokenOperation("one"));
        Do(new RevokeTokenOperation("passing"));
        Do(new RevokeTokenOperation("reader"));
        Fail(new RevokeTokenOperation("two")).Code.Should().Be(FailureCode.Conflict);
    }

    [Fact]
    public void Names_are_taken_once_and_the_first_is_first()
    {
        Do(Create("admin", TokenRole.Admin, mustBeFirst: true));
        Fail(Create("admin", TokenRole.Read)).Detail.Should().Contain("\"admin\"");
        Fail(Create("second", TokenRole.Admin, mustBeFirst: true)).Code.Should().Be(FailureCode.Conflict);
        Fail(new RevokeTokenOperation("nobody")).Code.Should().Be(FailureCode.NoSuchToken);
        _db.Writer.Tokens.All.Should().ContainSingle();
    }

    private static byte[] Hash(string token) => SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token));

    private static CreateTokenOperation Create(
        string name, TokenRole role, IReadOnlyList<string>? databases = null, long? lifetimeMs = null, bool mustBeFirst = false) =>
        new(name, role, databases ?? [], lifetimeMs, Hash(name), mustBeFirst);

    private WriteOutcome Execute(Operation operation, TokenRole role = TokenRole.Admin) =>
        _db.Writer.Execute(new() { Operation = operation }, 0, new(MaySchema: true, role), Timeout.InfiniteTimeSpan);

    private void Do(Operation operation)
    {
        _db.Writer.Begin(_db.NextStamp());
        Execute(operation).Should().BeOfType<WriteOutcome.Succeeded>();
        _db.Writer.Commit();
    }

    private Failure Fail(Operation operation, TokenRole role = TokenRole.Admin)
    {
        _db.Writer.Begin(_db.NextStamp());
        var outcome = Execute(operation, role);
        _db.Writer.Rollback();
        return outcome.Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;
    }
}
