using DistDb.Node.Commands;

namespace DistDb.Tests.Api.Structured;

/// <summary>Structured commands that make no sense: refused by name, before anything is done.</summary>
public sealed class StructuredRefusalTests
{
    [Theory]
    [InlineData("""{"command":"insert","data":{"a":1}}""", "\"table\" is missing")]
    [InlineData("""{"command":"insert","table":null,"data":{"a":1}}""", "\"table\"")]
    [InlineData("""{"command":"insert","table":5,"data":{"a":1}}""", "\"table\"")]
    [InlineData("""{"command":"insert","table":"","data":{"a":1}}""", "empty")]
    [InlineData("""{"command":"insert","table":"a\u0000b","data":{"a":1}}""", "NUL")]
    [InlineData("""{"command":"insert","table":"t","data":{"":1}}""", "empty")]
    [InlineData("""{"command":"insert","table":"t","data":{"a\u0000":1}}""", "NUL")]
    [InlineData("""{"command":"insert","table":"t"}""", "\"data\" is missing")]
    [InlineData("""{"command":"insert","table":"t","data":null}""", "\"data\" is missing")]
    [InlineData("""{"command":"insert","table":"t","data":[]}""", "empty")]
    [InlineData("""{"command":"insert","table":"t","data":5}""", "\"data\"")]
    [InlineData("""{"command":"insert","table":"t","data":[[1]]}""", "\"data[0]\"")]
    [InlineData("""{"command":"insert","table":"t","data":[{"a":1},5]}""", "\"data[1]\"")]
    [InlineData("""{"command":"insert","table":"t","data":{"a":[1]}}""", "\"data.a\"")]
    [InlineData("""{"command":"insert","table":"t","data":{"a":{"b":1}}}""", "\"data.a\"")]
    [InlineData("""{"command":"insert","table":"t","data":[{"a":9223372036854775808}]}""", "64 bits")]
    [InlineData("""{"command":"insert","table":"t","data":{"a":1,"a":2}}""", "twice")]
    [InlineData("""{"command":"insert","table":"t","data":{"a":1,"A":2}}""", "twice")]
    [InlineData("""{"command":"insert","table":"t","data":{"a":1},"condition":{"a":1}}""", "\"condition\" does not go with command \"insert\", but with update, delete, search")]
    [InlineData("""{"command":"insert","table":"t","data":{"a":1},"query":"x"}""", "\"query\" does not go with")]
    [InlineData("""{"command":"exec","query":"x","table":"t"}""", "\"table\" does not go with command \"exec\"")]
    [InlineData("""{"command":"insert","table":"t","data":{"a":1},"tabel":"t"}""", "Unknown field \"tabel\"")]
    [InlineData("""{"command":"insert","table":"t","data":{"a":1},"table":"u"}""", "twice")]
    [InlineData("""{"command":"update","table":"t","data":{"a":1}}""", "\"all\": true")]
    [InlineData("""{"command":"update","table":"t","data":{"a":1},"condition":{}}""", "\"all\": true")]
    [InlineData("""{"command":"update","table":"t","data":{"a":1},"condition":null}""", "\"all\": true")]
    [InlineData("""{"command":"update","table":"t","data":{"a":1},"all":false}""", "\"all\": true")]
    [InlineData("""{"command":"update","table":"t","data":{"a":1},"all":1}""", "\"all\"")]
    [InlineData("""{"command":"update","table":"t","data":{"a":1},"condition":{"a":1},"all":true}""", "one or the other")]
    [InlineData("""{"command":"update","table":"t","data":{},"all":true}""", "\"data\"")]
    [InlineData("""{"command":"update","table":"t","data":[{"a":1}],"all":true}""", "\"data\"")]
    [InlineData("""{"command":"update","table":"t","condition":{"a":1}}""", "\"data\"")]
    [InlineData("""{"command":"delete","table":"t"}""", "\"all\": true")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":1},"data":{}}""", "\"data\" does not go with")]
    [InlineData("""{"command":"delete","table":"t","condition":[]}""", "\"condition\"")]
    [InlineData("""{"command":"delete","table":"t","condition":"a = 1"}""", "\"condition\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":1,"A":1}}""", "twice")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{}}}""", "\"condition.a\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":[1,2]}}""", "\"condition.a\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"$gt":1}}}""", "\"condition.a.$gt\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"gt":1,"base64":"AA=="}}}""", "\"condition.a.base64\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"base64":"AA==","gt":1}}}""", "\"condition.a\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"gt":1,"gt":2}}}""", "twice")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"gt":null}}}""", "\"condition.a.gt\" is null")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"lte":[1]}}}""", "\"condition.a.lte\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"like":5}}}""", "\"condition.a.like\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"in":5}}}""", "\"condition.a.in\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"in":[[1]]}}}""", "\"condition.a.in[0]\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"between":[1]}}}""", "\"condition.a.between\"")]
    [InlineData("""{"command":"delete","table":"t","condition":{"a":{"between":[1,null]}}}""", "\"condition.a.between\"")]
    [InlineData("""{"command":"search","table":"t","columns":"a"}""", "\"columns\"")]
    [InlineData("""{"command":"search","table":"t","columns":[]}""", "empty")]
    [InlineData("""{"command":"search","table":"t","columns":[1]}""", "\"columns[0]\"")]
    [InlineData("""{"command":"search","table":"t","columns":["a","A"]}""", "twice")]
    [InlineData("""{"command":"search","table":"t","columns":[""]}""", "empty")]
    [InlineData("""{"command":"search","table":"t","order_by":[]}""", "empty")]
    [InlineData("""{"command":"search","table":"t","order_by":5}""", "\"order_by\"")]
    [InlineData("""{"command":"search","table":"t","order_by":""}""", "empty")]
    [InlineData("""{"command":"search","table":"t","order_by":"-"}""", "empty")]
    [InlineData("""{"command":"search","table":"t","order_by":{"a":"down"}}""", "\"order_by.a\"")]
    [InlineData("""{"command":"search","table":"t","order_by":{"a":1}}""", "\"order_by.a\"")]
    [InlineData("""{"command":"search","table":"t","order_by":{}}""", "\"order_by\"")]
    [InlineData("""{"command":"search","table":"t","order_by":[{"a":"asc","b":"asc"}]}""", "\"order_by[0]\"")]
    [InlineData("""{"command":"search","table":"t","limit":-1}""", "\"limit\"")]
    [InlineData("""{"command":"search","table":"t","limit":1.5}""", "\"limit\"")]
    [InlineData("""{"command":"search","table":"t","limit":"5"}""", "\"limit\"")]
    [InlineData("""{"command":"search","table":"t","offset":-1}""", "\"offset\"")]
    [InlineData("""{"command":"search","table":"t","all":true}""", "\"all\" does not go with")]
    [InlineData("""{"command":"create_table","table":"t"}""", "\"columns\" is missing")]
    [InlineData("""{"command":"create_table","table":"t","columns":{}}""", "empty")]
    [InlineData("""{"command":"create_table","table":"t","columns":[]}""", "\"columns\"")]
    [InlineData("""{"command":"create_table","table":"t","columns":{"a":"int"},"data":{"a":"int"}}""", "one or the other")]
    [InlineData("""{"command":"create_table","table":"t","columns":{"a":"int","A":"int"}}""", "twice")]
    [InlineData("""{"command":"create_table","table":"t","columns":{"":"int"}}""", "empty")]
    [InlineData("""{"command":"create_table","table":"t","columns":{"a":"int references \"\""}}""", "empty")]
    [InlineData("""{"command":"drop_table","table":"t","columns":["a"]}""", "\"columns\" does not go with")]
    [InlineData("""{"table":"t","data":{"a":1}}""", "\"command\" is missing")]
    [InlineData("""{"data":{"a":1},"command":"insert","table":"t","id":""}""", "\"id\"")]
    [InlineData("""{"command":"truncate","table":"t"}""", "Unknown command \"truncate\"")]
    public void A_command_that_makes_no_sense(string body, string named)
    {
        var refusal = StructuredDatabase.Refusal(body);
        refusal.Code.Should().Be(FailureCode.BadRequest);
        refusal.Detail.Should().Contain(named);
    }

    [Fact]
    public void What_every_command_takes_goes_with_structured_ones_too()
    {
        var request = StructuredDatabase.Parse(
            """{"data":{"a":1},"is_master":false,"is_replicated":false,"id":"k","database":"MAIN","consistency":"strong","min_index":7,"table":"t","command":"InSeRt"}""");
        request.Should().BeEquivalentTo(new { Id = "k", Database = DatabaseName.Main, IsStrong = true, MinIndex = 7L, IsQuery = false, IsTransaction = false });
        StructuredDatabase.Refusal("""{"command":"insert","table":"t","data":{"a":1},"is_master":true}""").Code.Should().Be(FailureCode.PrivilegedFlag);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../main")]
    [InlineData("main.db")]
    public void What_cannot_be_a_databases_name_is_not_there(string database)
    {
        var refusal = StructuredDatabase.Refusal($$"""{"command":"search","table":"t","database":"{{database}}"}""");
        refusal.Code.Should().Be(FailureCode.NoSuchDatabase);
        refusal.Detail.Should().Contain($"\"{database}\"");
    }
}
