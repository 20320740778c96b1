using DistDb.Node.Commands;

namespace DistDb.Tests.Commands;

/// <summary>Commands and results of every shape, from a seed.</summary>
internal sealed class RandomCommands(int seed)
{
    private readonly Random _random = new(seed);

    public int Next(int below) => _random.Next(below);

    public LogCommand LogCommand() => Next(8) == 0
        ? new BootstrapCommand(new Guid(Bytes(16)))
        : new WriteBatch(Long(), (ulong)Long(), [.. Many(4, () => new LoggedWrite(Command(), new(Long(), Long())))]);

    public WriteCommand Command()
    {
        var operation = Next(3) == 0 ? Operation() : null;
        return new()
        {
            Id = new(Next(100), (ulong)Long(), Long()),
            Database = Text(),
            IdempotencyKey = Next(2) == 0 ? null : Text(),
            IsTransaction = Next(2) == 0,
            Statements = operation is null ? [.. Many(3, Statement)] : [],
            Operation = operation,
            Interactive = Next(4) == 0 ? new(new(Bytes(16)), Long(), (ulong)Long()) : null,
            WithoutForeignKeys = Next(4) == 0,
            Role = Role(),
        };
    }

    public TokenRole Role() => (TokenRole)(1 + Next(4));

    public Operation Operation() => Next(6) switch
    {
        0 => new PromoteOperation(Next(100)),
        1 => new VerifyOperation(Next(2) == 0),
        2 => new CreateDatabaseOperation(Text(), Next(2) == 0, Next(2) == 0),
        3 => new DropDatabaseOperation(Text(), Next(2) == 0),
        4 => new CreateTokenOperation(
            Text(), Role(), [.. Many(3, Text)], Next(2) == 0 ? null : 1 + Next(1000), Bytes(CreateTokenOperation.HashBytes), Next(2) == 0),
        _ => new RevokeTokenOperation(Text()),
    };

    public Statement Statement() => new(
        Text(),
        Next(2) == 0
            ? StatementParameters.FromPositional([.. Many(4, Value)])
            : StatementParameters.FromNamed(Many(4, Text).Distinct().Select(name => KeyValuePair.Create("p" + name, Value()))));

    public IReadOnlyList<StatementResult> Results() => [.. Many(3, () => new StatementResult(Long(), Long(), Next(2) == 0 ? null : Rows()))];

    public SqlValue Value() => Next(6) switch
    {
        0 => SqlValue.Null,
        1 => SqlValue.From(Long()),
        2 => SqlValue.From(BitConverter.Int64BitsToDouble(Long())),
        3 => SqlValue.From(Bytes(Next(50))),
        4 => SqlValue.From(double.NegativeInfinity),
        _ => SqlValue.From(Text()),
    };

    /// <summary>Small, large and the outermost ones.</summary>
    public long Long() => Next(5) switch
    {
        0 => long.MinValue,
        1 => long.MaxValue,
        2 => _random.NextInt64(long.MinValue, long.MaxValue),
        _ => Next(300) - 150,
    };

    public string Text() => string.Concat(Enumerable.Range(0, Next(12)).Select(_ => Next(6) switch
    {
        0 => "é",
        1 => "\0",
        2 => "日本",
        3 => "🦆",
        _ => ((char)('a' + Next(26))).ToString(),
    }));

    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Some bytes of it changed, cut off, put in or repeated.</summary>
    public byte[] Damage(byte[] bytes)
    {
        List<byte> damaged = [.. bytes];
        for (var i = 1 + Next(3); i > 0 && damaged.Count > 0; i--)
        {
            var at = Next(damaged.Count);
            switch (Next(5))
            {
                case 0:
                    damaged.RemoveRange(at, damaged.Count - at);
                    break;
                case 1:
                    damaged.Insert(at, (byte)Next(256));
                    break;
                case 2:
                    damaged[at] ^= (byte)(1 << Next(8));
                    break;
                case 3:
                    damaged.InsertRange(at, damaged.GetRange(at, Next(damaged.Count - at)));
                    break;
                default:
                    damaged[at] = (byte)(Next(2) == 0 ? 255 : Next(256));
                    break;
            }
        }

        return [.. damaged];
    }

    private List<T> Many<T>(int below, Func<T> one) => [.. Enumerable.Range(0, Next(below)).Select(_ => one())];

    private RowSet Rows()
    {
        var columns = Next(4);
        return new(
            [.. Enumerable.Range(0, columns).Select(_ => Text())],
            [.. Enumerable.Range(0, columns).Select(_ => Text())],
            columns == 0 ? [] : [.. Many(4, () => Enumerable.Range(0, columns).Select(_ => Value()).ToArray())]);
    }
}
