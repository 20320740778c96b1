using DistDb.Node.Commands;

namespace DistDb.Tests.Commands;

public sealed class DatabaseNameTests
{
    [Theory]
    [InlineData("main", "main")]
    [InlineData("MyDb", "mydb")]
    [InlineData("a", "a")]
    [InlineData("0", "0")]
    [InlineData("2026-11_x", "2026-11_x")]
    [InlineData("_hidden", "_hidden")]
    [InlineData("KIT", "kit")]
    public void A_name_is_kept_in_lower_case(string text, string value)
    {
        DatabaseName.TryParse(text, out var name).Should().BeTrue();
        name!.Value.Should().Be(value);
        name.ToString().Should().Be(value);
        DatabaseName.TryParse(text.ToUpperInvariant(), out var upper).Should().BeTrue();
        upper.Should().Be(name, "names do not depend on case");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("-x")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../main")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a.db")]
    [InlineData("a b")]
    [InlineData("a\0")]
    [InlineData("a\n")]
    [InlineData("é")]
    [InlineData("\u212Aelvin")]
    [InlineData("٣")]
    [InlineData("x\"; DROP DATABASE y; --")]
    public void What_could_be_no_file_name_everywhere_is_no_name(string text) => DatabaseName.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void The_length_has_a_limit()
    {
        DatabaseName.TryParse(new('x', 64), out _).Should().BeTrue();
        DatabaseName.TryParse(new('x', 65), out _).Should().BeFalse();
    }

    [Theory]
    [InlineData("other", null, null, null)]
    [InlineData("_mine", null, null, null)]
    [InlineData("main2", null, null, null)]
    [InlineData("Main", FailureCode.Conflict, null, FailureCode.Forbidden)]
    [InlineData("History_Query", FailureCode.Forbidden, FailureCode.Forbidden, FailureCode.Forbidden)]
    [InlineData("_DistDb", FailureCode.Forbidden, FailureCode.Forbidden, FailureCode.Forbidden)]
    [InlineData("_distdb_state", FailureCode.Forbidden, FailureCode.Forbidden, FailureCode.Forbidden)]
    public void Some_names_are_the_clusters_own(string text, FailureCode? create, FailureCode? createIfNotExists, FailureCode? drop)
    {
        DatabaseName.TryParse(text, out var name).Should().BeTrue();
        (name!.RefusalToCreate(ifNotExists: false)?.Code).Should().Be(create);
        (name.RefusalToCreate(ifNotExists: true)?.Code).Should().Be(createIfNotExists);
        (name.RefusalToDrop()?.Code).Should().Be(drop);
    }
}
