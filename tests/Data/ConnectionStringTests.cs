using DistDb.Data;

namespace DistDb.Tests.Data;

public sealed class ConnectionStringTests
{
    [Fact]
    public void All_keywords_are_read_in_any_case()
    {
        var read = new DistDbConnectionStringBuilder("servers=http://a:8080, http://b:8081/;DATABASE=shop;Token=t;Consistency=strong;ca=x.pem;Default Timeout=7");
        (read.Servers, read.Database, read.Token, read.Consistency, read.Ca, read.CommandTimeout).Should().Be(("http://a:8080, http://b:8081/", "shop", "t", DistDbConsistency.Strong, "x.pem", 7));
        new DistDbConnectionStringBuilder(read.ConnectionString).ConnectionString.Should().Be(read.ConnectionString);
        var bare = new DistDbConnectionStringBuilder();
        (bare.Servers, bare.Database, bare.Token, bare.Consistency, bare.CommandTimeout).Should().Be(("http://localhost:8080", "main", null, DistDbConsistency.Local, 30));
    }

    [Theory]
    [InlineData("Sever=http://a", "*\"Sever\" is unknown*Servers*")]
    [InlineData("Servers=a:8080", "*\"a:8080\"*http://127.0.0.1:8080*")]
    [InlineData("Servers=http://a:8080,https://b:8080", "*http and https*")]
    [InlineData("Servers=http://a:8080/path", "*http://a:8080/path*")]
    [InlineData("Servers=,", "*names no server*")]
    [InlineData("Consistency=eventual", "*local or strong*")]
    [InlineData("Command Timeout=-1", "*whole number of seconds*")]
    public void What_is_wrong_is_refused_by_name(string text, string message)
    {
        var act = () => new DistDbConnection(text);
        act.Should().Throw<ArgumentException>().WithMessage(message);
    }

    [Fact]
    public async Task A_file_of_CAs_that_is_not_there_is_told()
    {
        await using var connection = new DistDbConnection("Servers=https://127.0.0.1:1;Ca=/nowhere/ca.pem");
        var act = () => connection.OpenAsync();
        await act.Should().ThrowAsync<ArgumentException>().WithMessage("*/nowhere/ca.pem*cannot be read*");
    }
}
