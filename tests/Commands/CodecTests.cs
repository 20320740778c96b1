using DistDb.Node.Commands;

namespace DistDb.Tests.Commands;

/// <summary>Log entries and results: what is written is read again, and damaged bytes are noticed or read as something else, but never do harm.</summary>
public sealed class CodecTests
{
    [Fact]
    public void Log_commands_survive_the_way_to_bytes_and_back()
    {
        var random = new RandomCommands(1);
        for (var i = 0; i < 500; i++)
        {
            var command = random.LogCommand();
            var bytes = LogCommandCodec.Encode(command);
            LogCommandCodec.Decode(bytes).Should().BeEquivalentTo(
                command, options => options.RespectingRuntimeTypes().WithStrictOrdering().ComparingByMembers<LogCommand>().ComparingByValue<SqlValue>()
                    .Using<ReadOnlyMemory<byte>>(hash => hash.Subject.ToArray().Should().Equal(hash.Expectation.ToArray())).WhenTypeIs<ReadOnlyMemory<byte>>());
            LogCommandCodec.Encode(LogCommandCodec.Decode(bytes)).Should().Equal(bytes);
        }
    }

    [Fact]
    public void Results_survive_the_way_to_bytes_and_back()
    {
        var random = new RandomCommands(2);
        for (var i = 0; i < 500; i++)
        {
            var results = random.Results();
            var writer = new WireWriter();
            StatementResultCodec.Write(writer, results);
            var reader = new WireReader(writer.Written.Span);
            var read = StatementResultCodec.Read(ref reader);
            reader.AtEnd.Should().BeTrue();
            read.Should().BeEquivalentTo(results, options => options.WithStrictOrdering().ComparingByValue<SqlValue>());
        }
    }

    [Fact]
    public void Damaged_log_commands_are_refused_as_such()
    {
        var random = new RandomCommands(3);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = random.Damage(LogCommandCodec.Encode(random.LogCommand()));
            OnlyInvalidData(() => LogCommandCodec.Decode(bytes), bytes);
        }
    }

    [Fact]
    public void Damaged_results_are_refused_as_such()
    {
        var random = new RandomCommands(4);
        for (var i = 0; i < 20_000; i++)
        {
            var writer = new WireWriter();
            StatementResultCodec.Write(writer, random.Results());
            var bytes = random.Damage(writer.ToArray());
            OnlyInvalidData(
                () =>
                {
                    var reader = new WireReader(bytes);
                    StatementResultCodec.Read(ref reader);
                },
                bytes);
        }
    }

    [Fact]
    public void A_parameter_named_twice_is_damage()
    {
        var writer = new WireWriter();
        LogCommandCodec.WriteStatement(writer, new("x", StatementParameters.FromNamed([new("a", SqlValue.Null), new("b", SqlValue.Null)])));
        var bytes = writer.ToArray();
        bytes[Array.LastIndexOf(bytes, (byte)'b')] = (byte)'a';
        var command = new WireWriter();
        LogCommandCodec.WriteCommand(command, new() { Id = default, Database = "", Statements = [] });
        byte[] all = [.. command.ToArray()[..^1], 1, .. bytes];
        FluentActions.Invoking(() =>
        {
            var reader = new WireReader(all);
            return LogCommandCodec.ReadCommand(ref reader);
        }).Should().Throw<InvalidDataException>();
    }

    [Fact]
    public void A_parameters_name_may_begin_with_a_colon_of_its_own()
    {
        var writer = new WireWriter();
        LogCommandCodec.WriteCommand(writer, new()
        {
            Id = default,
            Database = "main",
            Statements = [new("SELECT $::a", StatementParameters.FromNamed([new("$::a", SqlValue.From(1))]))],
        });
        var reader = new WireReader(writer.Written.Span);
        LogCommandCodec.ReadCommand(ref reader).Statements[0].Parameters.Named!.Keys.Should().Equal("::a");
    }

    [Fact]
    public void Integers_are_written_shortest_and_limits_hold()
    {
        foreach (var (value, length) in ((long, int)[])[(0, 1), (-64, 1), (63, 1), (64, 2), (-65, 2), (long.MaxValue, 10), (long.MinValue, 10)])
        {
            var writer = new WireWriter();
            writer.WriteSigned(value);
            writer.BytesWritten.Should().Be(length);
            new WireReader(writer.Written.Span).ReadSigned().Should().Be(value);
        }

        FluentActions.Invoking(() => new WireReader([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]).ReadUnsigned())
            .Should().Throw<InvalidDataException>();
        FluentActions.Invoking(() => new WireReader([5, 1, 2]).ReadCount()).Should().Throw<InvalidDataException>();
        FluentActions.Invoking(() => new WireReader([]).ReadByte()).Should().Throw<InvalidDataException>();
    }

    internal static void OnlyInvalidData(Action decode, byte[] bytes)
    {
        try
        {
            decode();
        }
        catch (InvalidDataException)
        {
            // As it should be.
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{Convert.ToHexString(bytes)} ended in {e.GetType().Name}.", e);
        }
    }
}
