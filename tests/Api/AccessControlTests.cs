using DistDb.Node.Api;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace DistDb.Tests.Api;

/// <summary>Who is let in, by what the node knows and the client shows.</summary>
public sealed class AccessControlTests
{
    private static readonly DateTimeOffset _now = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_000);

    private static readonly TokenSet _tokens = new(
    [
        .. TokenRoles.All.Select(r => Stored(TokenRoles.NameOf(r), r, expiresMs: null)),
        Stored("expired", TokenRole.Admin, _now.ToUnixTimeMilliseconds()),
        Stored("expiring", TokenRole.Admin, _now.ToUnixTimeMilliseconds() + 1),
    ]);

    [Fact]
    public void What_a_node_asks_for_follows_from_what_it_knows()
    {
        foreach (var awaitsFirst in (bool[])[false, true])
        {
            AccessControl.ModeOf(_tokens, isLoopback: true, awaitsFirst).Should().Be(AccessMode.ByToken);
            AccessControl.ModeOf(_tokens, isLoopback: false, awaitsFirst).Should().Be(AccessMode.ByToken);
            AccessControl.ModeOf(TokenSet.Empty, isLoopback: false, awaitsFirst).Should().Be(AccessMode.Closed, "a network is never open");
            AccessControl.ModeOf(null, isLoopback: false, awaitsFirst).Should().Be(AccessMode.Closed);
        }

        AccessControl.ModeOf(TokenSet.Empty, isLoopback: true, awaitsFirst: false).Should().Be(AccessMode.Open);
        AccessControl.ModeOf(null, isLoopback: true, awaitsFirst: false).Should().Be(AccessMode.Unknown, "there may be tokens");
        AccessControl.ModeOf(TokenSet.Empty, isLoopback: true, awaitsFirst: true).Should().Be(AccessMode.Closed, "whoever gave a token does not want it open");
        AccessControl.ModeOf(null, isLoopback: true, awaitsFirst: true).Should().Be(AccessMode.Closed);
    }

    [Fact]
    public void A_token_that_the_asked_node_could_not_judge_may_be_a_good_one()
    {
        var verdict = new Failure(FailureCode.Unauthorized, "by the leader");
        AccessControl.Explain(verdict, shown: null, now: null).Should().Be(verdict, "there was none");
        AccessControl.Explain(verdict, "dt_x", now: null).Code.Should().Be(FailureCode.NotReady);
        var wrong = new Failure(FailureCode.Unauthorized, "it is wrong");
        AccessControl.Explain(verdict, "dt_x", wrong).Should().Be(wrong, "the node knows by now");
        var other = new Failure(FailureCode.Constraint, "other");
        AccessControl.Explain(other, "dt_x", now: null).Should().Be(other);
    }

    [Fact]
    public void Each_role_opens_what_needs_it_or_less()
    {
        foreach (var needed in TokenRoles.All)
        {
            foreach (var role in TokenRoles.All)
            {
                var (access, refusal) = AccessControl.Judge(AccessMode.ByToken, _tokens, TokenOf(TokenRoles.NameOf(role)), needed, _now);
                if (role >= needed)
                {
                    access.Should().BeEquivalentTo(new ClientAccess(TokenRoles.NameOf(role), role, []));
                }
                else
                {
                    access.Should().BeNull();
                    refusal!.Code.Should().Be(FailureCode.Forbidden);
                    refusal.Detail.Should().Contain($"\"{TokenRoles.NameOf(needed)}\"");
                }
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("wrong")]
    [InlineData("expired")]
    public void Without_a_token_that_is_good_nothing_opens(string? name)
    {
        var (access, refusal) = AccessControl.Judge(AccessMode.ByToken, _tokens, name is null ? null : TokenOf(name), TokenRole.Read, _now);
        access.Should().BeNull();
        refusal!.Code.Should().Be(FailureCode.Unauthorized);
        AccessControl.Judge(AccessMode.ByToken, _tokens, TokenOf("expiring"), TokenRole.Admin, _now).Access.Should().NotBeNull("it has a millisecond left");
    }

    [Fact]
    public void A_node_that_knows_no_tokens_shows_at_most_how_it_is()
    {
        foreach (var needed in TokenRoles.All)
        {
            AccessControl.Judge(AccessMode.Open, TokenSet.Empty, null, needed, _now).Access.Should().Be(ClientAccess.Unlimited);
            AccessControl.Judge(AccessMode.Closed, TokenSet.Empty, TokenOf("admin"), needed, _now).Refusal!.Code.Should().Be(FailureCode.NotReady);
            var (access, refusal) = AccessControl.Judge(AccessMode.Unknown, TokenSet.Empty, TokenOf("admin"), needed, _now);
            (access is null).Should().Be(needed > TokenRole.Read);
            (refusal?.Code).Should().Be(needed > TokenRole.Read ? FailureCode.NotReady : null);
        }
    }

    [Fact]
    public async Task A_route_without_a_rule_is_closed_to_everybody()
    {
        await using var services = new ServiceCollection().AddLogging().AddProblemDetails().BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        using var body = new MemoryStream();
        context.Response.Body = body;
        context.SetEndpoint(new RouteEndpoint(_ => Task.CompletedTask, RoutePatternFactory.Parse("/new"), 0, EndpointMetadataCollection.Empty, "new"));
        var isReached = false;

        // Whatever the node knows: it is not even asked.
        await new AccessControl(null!, null!, new byte[32], isLoopback: true).InvokeAsync(context, _ =>
        {
            isReached = true;
            return Task.CompletedTask;
        });
        isReached.Should().BeFalse();
        context.Response.StatusCode.Should().Be(StatusCodes.Status403Forbidden);
    }

    [Theory]
    [InlineData("Bearer abc", "abc")]
    [InlineData("bearer abc", "abc")]
    [InlineData("BEARER   abc ", "abc")]
    [InlineData("Bearer", null)]
    [InlineData("Bearer ", null)]
    [InlineData("Basic abc", null)]
    [InlineData("abc", null)]
    [InlineData("", null)]
    public void The_header_is_read_strictly(string header, string? token)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Authorization = header;
        BearerToken.Of(context.Request).Should().Be(token);
        context.Request.Headers.Authorization = new[] { header, "Bearer abc" };
        BearerToken.Of(context.Request).Should().BeNull("of two nobody knows which counts");
        context.Request.Headers.Authorization = "Bearer " + new string('a', BearerToken.LengthMax + 16);
        BearerToken.Of(context.Request).Should().BeNull();
    }

    [Fact]
    public void Tokens_that_are_made_are_long_random_and_recognisable()
    {
        var tokens = Enumerable.Range(0, 100).Select(_ => BearerToken.Create()).ToList();
        tokens.Should().OnlyHaveUniqueItems().And.OnlyContain(t => System.Text.RegularExpressions.Regex.IsMatch(t, "^distdb_[A-Za-z0-9_-]{43}$"));
        tokens.Should().OnlyContain(t => BearerToken.FindFault(t) == null);
    }

    [Theory]
    [InlineData("fifteen-letters", false)]
    [InlineData("sixteen-letters!", true)]
    [InlineData(" sixteen-letters!\n", true)]
    [InlineData("sixteen letters!", false)]
    [InlineData("sixteen-letterß!", false)]
    public void Tokens_that_are_given_can_be_sent_and_not_guessed(string text, bool isGood)
    {
        var parse = FluentActions.Invoking(() => BearerToken.Parse(text, "somewhere"));
        if (isGood)
        {
            parse.Should().NotThrow();
        }
        else
        {
            parse.Should().Throw<InvalidDataException>().Which.Message.Should().Contain("somewhere").And.NotContain(text);
        }
    }

    private static string TokenOf(string name) => $"token-of-{name}-0123456789";

    private static StoredToken Stored(string name, TokenRole role, long? expiresMs) =>
        new(name, role, [], CreatedMs: 0, expiresMs, BearerToken.HashOf(TokenOf(name)));
}
