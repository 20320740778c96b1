using System.Diagnostics;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>The one place where failures become HTTP: RFC 9457 problem details with a stable <c>code</c>.</summary>
internal static class Problem
{
    /// <summary>The stable name, the status and the title of each failure.</summary>
    public static (string Code, int Status, string Title) Of(FailureCode code) => code switch
    {
        FailureCode.BadRequest => ("bad_request", StatusCodes.Status400BadRequest, "The request makes no sense"),
        FailureCode.SqlError => ("sql_error", StatusCodes.Status400BadRequest, "SQLite refused the statement"),
        FailureCode.Constraint => ("constraint", StatusCodes.Status409Conflict, "A constraint was violated"),
        FailureCode.Forbidden => ("forbidden", StatusCodes.Status403Forbidden, "Not allowed"),
        FailureCode.NotMaster => ("not_master", StatusCodes.Status403Forbidden, "Schema changes are the master's"),
        FailureCode.PrivilegedFlag => ("privileged_flag", StatusCodes.Status403Forbidden, "A client may not say this"),
        FailureCode.NoSuchDatabase => ("no_such_database", StatusCodes.Status404NotFound, "There is no such database"),
        FailureCode.TooLarge => ("too_large", StatusCodes.Status413PayloadTooLarge, "Too large"),
        FailureCode.Timeout => ("timeout", StatusCodes.Status408RequestTimeout, "The time limit was reached"),
        FailureCode.Overloaded => ("overloaded", StatusCodes.Status503ServiceUnavailable, "Too much is waiting"),
        FailureCode.NoQuorum => ("no_quorum", StatusCodes.Status503ServiceUnavailable, "No majority of nodes"),
        FailureCode.OutcomeUnknown => ("outcome_unknown", StatusCodes.Status504GatewayTimeout, "Not known whether it was done"),
        FailureCode.IdReused => ("id_reused", StatusCodes.Status409Conflict, "The id belongs to another write"),
        FailureCode.Conflict => ("conflict", StatusCodes.Status409Conflict, "Not possible as things are"),
        FailureCode.NoSuchNode => ("no_such_node", StatusCodes.Status404NotFound, "There is no such node"),
        FailureCode.Repairing => ("repairing", StatusCodes.Status503ServiceUnavailable, "This node is replacing its copy"),
        FailureCode.Unauthorized => ("unauthorized", StatusCodes.Status401Unauthorized, "A token is needed"),
        FailureCode.NoSuchToken => ("no_such_token", StatusCodes.Status404NotFound, "There is no such token"),
        FailureCode.NotReady => ("not_ready", StatusCodes.Status503ServiceUnavailable, "This node does not serve yet"),
        FailureCode.TransactionLost => ("transaction_lost", StatusCodes.Status410Gone, "The transaction is lost"),
        FailureCode.TransactionTimeout => ("transaction_timeout", StatusCodes.Status410Gone, "The transaction took too long"),
        FailureCode.Busy => ("busy", StatusCodes.Status409Conflict, "Others have written meanwhile"),
        FailureCode.NoSuchTransaction => ("no_such_transaction", StatusCodes.Status404NotFound, "There is no such transaction"),
        FailureCode.ChangesGone => ("changes_gone", StatusCodes.Status410Gone, "These changes are not kept any more"),
        _ => throw new UnreachableException(code.ToString()),
    };

    /// <summary>Answers a request with a failure.</summary>
    public static Task AnswerAsync(HttpContext context, Failure failure) => ToResult(failure).ExecuteAsync(context);

    /// <param name="failure">What happened.</param>
    /// <param name="extensions">Further members for programs, such as the master's address.</param>
    public static IResult ToResult(Failure failure, params IEnumerable<KeyValuePair<string, object?>> extensions)
    {
        var (code, status, title) = Of(failure.Code);
        var members = new Dictionary<string, object?>(extensions) { ["code"] = code };
        if (failure.SqliteCode is { } sqliteCode)
        {
            members["sqlite_code"] = sqliteCode;
        }

        if (failure.StatementIndex is { } index)
        {
            members["statement"] = index;
        }

        var problem = Results.Problem(failure.Detail, statusCode: status, title: title, type: TypeOf(code), extensions: members);
        return failure.Code switch
        {
            // It may come back in a second.
            FailureCode.Overloaded => new WithHeader(problem, "Retry-After", "1"),
            FailureCode.Unauthorized => new WithHeader(problem, "WWW-Authenticate", "Bearer realm=\"distdb\""),
            _ => problem,
        };
    }

    /// <summary>The failure to answer where the web server could not read a request's body.</summary>
    /// <param name="exception">What it says.</param>
    /// <param name="limit">Whose limit a body that is too large exceeds.</param>
    public static Failure BodyUnreadable(BadHttpRequestException exception, string limit) => exception.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => new(
            FailureCode.TooLarge, $"The request's body exceeds the limit of {limit}. Nothing was done; send less at once."),
        StatusCodes.Status408RequestTimeout => new(
            FailureCode.Timeout, "The request's body came too slowly. Nothing was done; send it again."),
        _ => new(FailureCode.BadRequest, $"The request's body is not what HTTP asks for: {exception.Message} Nothing was done."),
    };

    /// <summary>Gives a code to the problems that the web server finds by itself, before a request reaches us.</summary>
    public static void AddCode(ProblemDetailsOptions options) => options.CustomizeProblemDetails = context =>
    {
        var problem = context.ProblemDetails;
        problem.Extensions.Remove("traceId");
        if (problem.Extensions.ContainsKey("code"))
        {
            return;
        }

        var (code, detail) = problem.Status switch
        {
            StatusCodes.Status404NotFound => ("not_found", "There is nothing at this address. See POST /query, GET /status, GET /cluster; GET /openapi/v1.json describes all."),
            StatusCodes.Status405MethodNotAllowed => ("method_not_allowed", "This address takes another method. See POST /query, GET /status, GET /cluster; GET /openapi/v1.json describes all."),
            >= 500 => ("internal", "A defect in distdb; the node's log has more. If this was a write, it may or may not be done."),
            _ => ("bad_request", "The web server refused the request."),
        };
        problem.Type = TypeOf(code);
        problem.Detail = detail;
        problem.Extensions["code"] = code;
    };

    /// <summary>The problem's type: stable, and not an address on anybody's network.</summary>
    public static string TypeOf(string code) => "urn:distdb:problem:" + code;

    private sealed class WithHeader(IResult inner, string name, string value) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers[name] = value;
            return inner.ExecuteAsync(httpContext);
        }
    }
}
