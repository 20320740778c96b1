using System.Text.Json;
using DistDb.Tests.Api;

namespace DistDb.Tests.Cluster;

/// <summary>The first thing that anybody does with DistDb.</summary>
[Collection(nameof(ApiTests))]
public sealed class ReadmeTests(ApiCluster shared)
{
    [Fact]
    public async Task The_readmes_example_works_to_the_letter()
    {
        var cluster = shared.Cluster;
        var created = await cluster[0].PostAsync(
            """{"command":"exec","query":"CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, email TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)","is_master":false}""");
        created.Status.Should().Be(200, created.Text);
        created.ContentType.Should().Be("application/json");

        var inserted = await cluster[2].PostAsync(
            """{"command":"exec","query":"INSERT INTO users (username, email) VALUES (?, ?)","params":["test_user","test@example.com"]}""");
        inserted.Status.Should().Be(200, inserted.Text);
        inserted.RowsAffected.Should().Be(1);
        inserted.Json.GetProperty("last_insert_id").GetInt64().Should().Be(1);

        await cluster.ConvergeAsync();
        var rows = new List<string>();
        foreach (var node in cluster.Nodes)
        {
            var answer = await node.PostAsync("""{"command":"query","query":"SELECT * FROM users"}""");
            answer.Json.GetProperty("columns").GetRawText().Should().Be("""["id","username","email","created_at"]""");
            answer.Json.GetProperty("types").GetRawText().Should().Be("""["INTEGER","TEXT","TEXT","TIMESTAMP"]""");
            answer.Json.GetProperty("node").GetInt32().Should().Be(node.Id);
            rows.Add(answer.Rows);
        }

        rows.Should().AllBe(rows[0], "every replica computed the same created_at");
        var row = JsonElement.Parse(rows[0])[0];
        row[1].GetString().Should().Be("test_user");
        var age = DateTime.UtcNow - DateTime.Parse(row[3].GetString()!, null, System.Globalization.DateTimeStyles.AssumeUniversal | System.Globalization.DateTimeStyles.AdjustToUniversal);
        age.Should().BePositive().And.BeLessThan(TimeSpan.FromMinutes(5));
    }
}
