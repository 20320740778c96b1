using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using DistDb.Node;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using DistDb.Tests.Support;
using Microsoft.AspNetCore.Routing;

namespace DistDb.Tests.Api;

/// <summary>The OpenAPI document says what the code does. Whoever adds a route, a field, a command or a code has to describe it.</summary>
public sealed partial class OpenApiTests
{
    /// <summary>What the web server's own problems are called: see <see cref="Problem.AddCode"/>.</summary>
    private static readonly string[] _webServersCodes = ["not_found", "method_not_allowed", "internal"];

    private readonly JsonElement _document = Read();

    [Fact]
    public async Task Every_route_is_described_and_no_other()
    {
        var folder = Directory.CreateTempSubdirectory("distdb-routes-");
        await using var app = NodeHost.Build(TestSettings.In(folder.FullName));
        var routes = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Cast<RouteEndpoint>()
            .SelectMany(e => e.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
                .Select(method => $"{method} {Constraints().Replace("/" + e.RoutePattern.RawText!.TrimStart('/'), "}")}"));
        Operations().Select(o => o.Name).Should().BeEquivalentTo(routes);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Every_operation_says_whether_it_takes_a_token()
    {
        var folder = Directory.CreateTempSubdirectory("distdb-routes-");
        await using var app = NodeHost.Build(TestSettings.In(folder.FullName));
        var open = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Cast<RouteEndpoint>()
            .Where(e => e.Metadata.GetRequiredMetadata<AccessRule>().Needed is null)
            .SelectMany(e => e.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Select(method => $"{method} {e.RoutePattern.RawText}"));
        Operations().Where(o => HasProperty(o.Operation, "security")).Should().OnlyContain(o => o.Operation.GetProperty("security").GetArrayLength() == 0)
            .And.Subject.Select(o => o.Name).Should().BeEquivalentTo(open);
        Operations().Where(o => !HasProperty(o.Operation, "security")).Select(o => o.Operation.GetProperty("responses"))
            .Should().OnlyContain(r => HasProperty(r, "401") && HasProperty(r, "403") && HasProperty(r, "503"));
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Every_operation_has_a_name_of_its_own_and_says_what_it_does()
    {
        Operations().Select(o => Text(o.Operation, "operationId")).Should().OnlyHaveUniqueItems();
        Operations().Should().OnlyContain(o => Text(o.Operation, "summary").Length > 0);
    }

    [Fact]
    public void Every_command_is_described_with_all_its_fields_and_no_other()
    {
        var described = Schema("Request").GetProperty("oneOf").EnumerateArray().Select(r => Schema(Text(r, "$ref").Split('/')[^1]))
            .GroupBy(schema => Text(schema.GetProperty("properties").GetProperty("command"), "const"))
            .ToDictionary(g => g.Key, g => g.SelectMany(PropertiesOf).Concat(PropertiesOf(Schema("RequestOptions"))).ToHashSet());
        described.Keys.Should().BeEquivalentTo(CommandForm.All.Select(f => f.Name));
        foreach (var form in CommandForm.All)
        {
            described[form.Name].Should().BeEquivalentTo(form.Fields.Concat(CommandForm.Common), form.Name);
        }
    }

    [Fact]
    public void The_examples_of_requests_are_requests()
    {
        var examples = Operations().Single(o => o.Name == "POST /query").Operation
            .GetProperty("requestBody").GetProperty("content").GetProperty("application/json").GetProperty("examples").EnumerateObject().ToList();
        examples.Should().HaveCountGreaterThan(10);
        foreach (var example in examples)
        {
            var body = Encoding.UTF8.GetBytes(example.Value.GetProperty("value").GetRawText());
            FluentActions.Invoking(() => QueryRequestParser.Parse(body)).Should().NotThrow(example.Name);
        }
    }

    [Fact]
    public void Every_code_is_described_and_no_other()
    {
        var codes = Enum.GetValues<FailureCode>().Select(c => Problem.Of(c).Code).Concat(_webServersCodes);
        Schema("ProblemCode").GetProperty("enum").EnumerateArray().Select(c => c.GetString()).Should().BeEquivalentTo(codes);
    }

    [Theory]
    [InlineData(typeof(NodeStatus))]
    [InlineData(typeof(ClusterStatus))]
    [InlineData(typeof(HealthStatus))]
    [InlineData(typeof(LogLevelRequest))]
    [InlineData(typeof(LogLevelAnswer))]
    [InlineData(typeof(PromoteRequest))]
    [InlineData(typeof(PromoteAnswer))]
    [InlineData(typeof(MemberRequest))]
    [InlineData(typeof(MembersAnswer))]
    [InlineData(typeof(VerifyRequest))]
    [InlineData(typeof(VerificationStatus))]
    [InlineData(typeof(DatabasesAnswer))]
    [InlineData(typeof(TokenRequest))]
    [InlineData(typeof(NewTokenAnswer))]
    [InlineData(typeof(TokensAnswer))]
    [InlineData(typeof(AccessAnswer))]
    [InlineData(typeof(RevokedTokenAnswer))]
    [InlineData(typeof(RestoreAnswer))]
    [InlineData(typeof(BeginTransactionRequest))]
    [InlineData(typeof(BeginTransactionAnswer))]
    public void Every_field_of_an_answer_is_described_and_no_other(Type type) => CompareRecord(type, []);

    [Fact]
    public void The_records_compared_are_all_that_go_over_the_wire()
    {
        // Whoever adds one to the JSON context adds it above.
        var compared = typeof(OpenApiTests).GetMethod(nameof(Every_field_of_an_answer_is_described_and_no_other))!
            .GetCustomAttributes(typeof(InlineDataAttribute), false).Cast<InlineDataAttribute>().Select(d => (Type)d.GetData(null!).Single()[0]);
        var known = typeof(ApiJsonContext).GetCustomAttributesData()
            .Where(a => a.AttributeType.Name == "JsonSerializableAttribute").Select(a => (Type)a.ConstructorArguments[0].Value!)
            .Where(t => t.Namespace == typeof(ApiJsonContext).Namespace);
        compared.Should().BeEquivalentTo(known);
    }

    private static bool HasProperty(JsonElement element, string name) => element.TryGetProperty(name, out _);

    private static JsonElement Read()
    {
        using var stream = OpenApiEndpoint.Open();
        return JsonDocument.Parse(stream).RootElement;
    }

    private void CompareRecord(Type type, HashSet<Type> seen)
    {
        if (ApiJsonContext.Default.GetTypeInfo(type) is not { Kind: JsonTypeInfoKind.Object } info || !seen.Add(type))
        {
            return;
        }

        var schema = Schema(type.Name);
        PropertiesOf(schema).Should().BeEquivalentTo(info.Properties.Select(p => p.Name), type.Name);
        foreach (var property in info.Properties)
        {
            var member = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            var described = schema.GetProperty("properties").GetProperty(property.Name).GetRawText();
            var item = member.IsGenericType && member.GetGenericArguments() is [var only] ? only : member;
            if (item.Namespace == type.Namespace)
            {
                described.Should().Contain($"#/components/schemas/{item.Name}\"", $"{type.Name}.{property.Name} is one");
                CompareRecord(item, seen);
            }

            described.Contains("\"null\"", StringComparison.Ordinal).Should().Be(property.IsGetNullable, $"{type.Name}.{property.Name} may be null or not");
        }
    }

    private IEnumerable<(string Name, JsonElement Operation)> Operations() =>
        from path in _document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select ($"{operation.Name.ToUpperInvariant()} {path.Name}", operation.Value);

    private JsonElement Schema(string name) => _document.GetProperty("components").GetProperty("schemas").GetProperty(name);

    private static IEnumerable<string> PropertiesOf(JsonElement schema) => schema.GetProperty("properties").EnumerateObject().Select(p => p.Name);

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString()!;

    [GeneratedRegex(@":\w+\}")]
    private static partial Regex Constraints();
}
