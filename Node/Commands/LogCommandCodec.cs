namespace DistDb.Node.Commands;

/// <summary>
/// The bytes of a log entry's command. They are kept on disk for as long as the log is, so a layout once released is never changed:
/// a new one gets a new kind byte.
/// <code>
/// entry      kind:byte body
///   kind 1   bootstrap    cluster id: 16 bytes
///   kind 2   write batch  time: signed, seed: 8 bytes, count, count x write
///   kind 3   the same with history
///            time: signed, seed: 8 bytes, rows max: signed, age max: signed, count, count x (node: signed, address: text), count, count x (write summary)
///   kind 4   the same with changes, and perhaps history
///            time: signed, seed: 8 bytes, changes bytes max: signed, has history: bool, then as kind 3 or 2
/// summary    operation: text, table: optional text; the operation is empty where there is none
/// write      command, rows affected: signed, last insert id: signed
/// command    origin: signed, incarnation: 8 bytes, sequence: signed, database: text,
///            flags: byte (1 transaction, 2 key, 4 operation, 8 client, 16 token, 32 interactive, 64 role, 128 without foreign keys),
///            [role: byte (TokenRole), admin where there is none], [key: text], [client: text], [token: text],
///            [interactive: id: 16 bytes, time: signed, seed: 8 bytes], operation | count, count x statement
/// operation  kind: byte, then 1 promote: node: signed; 2 verify: repairs: bool; 3 create database: name: text, if not exists: bool;
///            4 drop database: name: text, if exists: bool; 5 create token: name: text, role: byte, count, count x database: text,
///            lifetime in ms: signed (0 none), hash: 32 bytes, must be first: bool; 6 revoke token: name: text;
///            8 create database without foreign keys: as 3;
///            9 load database: name: text, staging: text, bytes: signed, replaces: bool, foreign keys: bool;
///            7 record reads: count, count x (time: signed, client: text, token: optional text, database: text, sql: text)
/// optional   given: bool, [text]
/// statement  sql: text, form: byte (0 positional, 1 named), count, count x ([name: text] value)
/// value      kind: byte (SqlValueKind), then signed | 8 bytes | text | bytes
/// </code>
/// </summary>
public static class LogCommandCodec
{
    private const byte KindBootstrap = 1;
    private const byte KindWriteBatch = 2;
    private const byte KindWriteBatchWithHistory = 3;
    private const byte KindWriteBatchWithChanges = 4;
    private const byte FlagTransaction = 1;
    private const byte FlagKey = 2;
    private const byte FlagOperation = 4;
    private const byte FlagClient = 8;
    private const byte FlagToken = 16;
    private const byte FlagInteractive = 32;
    private const byte FlagRole = 64;
    private const byte FlagWithoutForeignKeys = 128;
    private const byte OperationPromote = 1;
    private const byte OperationVerify = 2;
    private const byte OperationCreateDatabase = 3;
    private const byte OperationDropDatabase = 4;
    private const byte OperationCreateToken = 5;
    private const byte OperationRevokeToken = 6;
    private const byte OperationRecordReads = 7;
    private const byte OperationCreateDatabaseWithoutForeignKeys = 8;
    private const byte OperationLoadDatabase = 9;
    private const byte FormPositional = 0;
    private const byte FormNamed = 1;

    public static byte[] Encode(LogCommand command)
    {
        var writer = new WireWriter();
        switch (command)
        {
            case BootstrapCommand bootstrap:
                writer.WriteByte(KindBootstrap);
                writer.WriteRaw(bootstrap.ClusterId.ToByteArray());
                break;
            case WriteBatch batch:
                WriteBatch(writer, batch);
                break;
            default:
                throw new ArgumentException($"No layout for {command.GetType().Name}.", nameof(command));
        }

        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are damaged, or of a kind that a later version wrote.</exception>
    public static LogCommand Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        LogCommand command = reader.ReadByte() switch
        {
            KindBootstrap => new BootstrapCommand(new Guid(reader.ReadRaw(16))),
            KindWriteBatch => ReadBatch(ref reader, hasHistory: false, hasChanges: false),
            KindWriteBatchWithHistory => ReadBatch(ref reader, hasHistory: true, hasChanges: false),
            KindWriteBatchWithChanges => ReadBatch(ref reader, hasHistory: false, hasChanges: true),
            var kind => throw new InvalidDataException($"A log entry of kind {kind}; a newer version may have written it."),
        };
        return reader.AtEnd ? command : throw new InvalidDataException("A log entry has bytes behind its end.");
    }

    /// <summary>The time of an entry, without reading the rest of it; null for one that has none.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static long? TimeOf(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        return reader.ReadByte() is KindWriteBatch or KindWriteBatchWithHistory or KindWriteBatchWithChanges ? reader.ReadSigned() : null;
    }

    /// <summary>A command by itself, as it travels from its origin to the leader.</summary>
    public static void WriteCommand(WireWriter writer, WriteCommand command)
    {
        writer.WriteSigned(command.Id.Node);
        writer.WriteFixed64(command.Id.Incarnation);
        writer.WriteSigned(command.Id.Sequence);
        writer.WriteText(command.Database);
        writer.WriteByte((byte)(
            (command.IsTransaction ? FlagTransaction : 0)
            | (command.IdempotencyKey is null ? 0 : FlagKey)
            | (command.Client is null ? 0 : FlagClient)
            | (command.Token is null ? 0 : FlagToken)
            | (command.Operation is null ? 0 : FlagOperation)
            | (command.Interactive is null ? 0 : FlagInteractive)
            | (command.WithoutForeignKeys ? FlagWithoutForeignKeys : 0)
            | (command.Role == TokenRole.Admin ? 0 : FlagRole)));
        if (command.Role != TokenRole.Admin)
        {
            writer.WriteByte((byte)command.Role);
        }

        if (command.IdempotencyKey is { } key)
        {
            writer.WriteText(key);
        }

        if (command.Client is { } client)
        {
            writer.WriteText(client);
        }

        if (command.Token is { } token)
        {
            writer.WriteText(token);
        }

        if (command.Interactive is { } interactive)
        {
            writer.WriteRaw(interactive.Transaction.ToByteArray());
            writer.WriteSigned(interactive.TimeMs);
            writer.WriteFixed64(interactive.Seed);
        }

        if (command.Operation is { } operation)
        {
            WriteOperation(writer, operation);
            return;
        }

        writer.WriteUnsigned((ulong)command.Statements.Count);
        foreach (var statement in command.Statements)
        {
            WriteStatement(writer, statement);
        }
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static WriteCommand ReadCommand(ref WireReader reader)
    {
        var id = new WriteId(reader.ReadInt32(), reader.ReadFixed64(), reader.ReadSigned());
        var database = reader.ReadText();
        var flags = reader.ReadByte();
        var role = (flags & FlagRole) != 0 ? ReadRole(ref reader) : TokenRole.Admin;
        var key = (flags & FlagKey) != 0 ? reader.ReadText() : null;
        var client = (flags & FlagClient) != 0 ? reader.ReadText() : null;
        var token = (flags & FlagToken) != 0 ? reader.ReadText() : null;
        var interactive = (flags & FlagInteractive) != 0 ? new InteractiveTerms(new(reader.ReadRaw(16)), reader.ReadSigned(), reader.ReadFixed64()) : null;
        var operation = (flags & FlagOperation) != 0 ? ReadOperation(ref reader) : null;
        var statements = operation is null ? new Statement[reader.ReadCount()] : [];
        for (var i = 0; i < statements.Length; i++)
        {
            statements[i] = ReadStatement(ref reader);
        }

        return new()
        {
            Id = id,
            Database = database,
            IdempotencyKey = key,
            Client = client,
            Token = token,
            Statements = statements,
            IsTransaction = (flags & FlagTransaction) != 0,
            Operation = operation,
            Interactive = interactive,
            WithoutForeignKeys = (flags & FlagWithoutForeignKeys) != 0,
            Role = role,
        };
    }

    public static void WriteStatement(WireWriter writer, Statement statement)
    {
        writer.WriteText(statement.Sql);
        if (statement.Parameters.Named is { } named)
        {
            writer.WriteByte(FormNamed);
            writer.WriteUnsigned((ulong)named.Count);
            foreach (var (name, value) in named)
            {
                writer.WriteText(name);
                WriteValue(writer, value);
            }
        }
        else
        {
            var positional = statement.Parameters.Positional!;
            writer.WriteByte(FormPositional);
            writer.WriteUnsigned((ulong)positional.Count);
            foreach (var value in positional)
            {
                WriteValue(writer, value);
            }
        }
    }

    public static void WriteValue(WireWriter writer, SqlValue value)
    {
        writer.WriteByte((byte)value.Kind);
        switch (value.Kind)
        {
            case SqlValueKind.Null:
                break;
            case SqlValueKind.Integer:
                writer.WriteSigned(value.Integer);
                break;
            case SqlValueKind.Real:
                writer.WriteFixed64(BitConverter.DoubleToUInt64Bits(value.Real));
                break;
            case SqlValueKind.Text:
                writer.WriteText(value.Text);
                break;
            case SqlValueKind.Blob:
                writer.WriteBytes(value.Blob);
                break;
            default:
                throw new ArgumentException($"No layout for {value.Kind}.", nameof(value));
        }
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static SqlValue ReadValue(ref WireReader reader) => (SqlValueKind)reader.ReadByte() switch
    {
        SqlValueKind.Null => SqlValue.Null,
        SqlValueKind.Integer => SqlValue.From(reader.ReadSigned()),
        SqlValueKind.Real => SqlValue.From(BitConverter.UInt64BitsToDouble(reader.ReadFixed64())),
        SqlValueKind.Text => SqlValue.From(reader.ReadText()),
        SqlValueKind.Blob => SqlValue.From(reader.ReadBytes()),
        var kind => throw new InvalidDataException($"A value of kind {kind}."),
    };

    public static void WriteOperation(WireWriter writer, Operation operation)
    {
        switch (operation)
        {
            case PromoteOperation promote:
                writer.WriteByte(OperationPromote);
                writer.WriteSigned(promote.Node);
                break;
            case VerifyOperation verify:
                writer.WriteByte(OperationVerify);
                writer.WriteBool(verify.Repairs);
                break;
            case CreateDatabaseOperation create:
                writer.WriteByte(create.ForeignKeys ? OperationCreateDatabase : OperationCreateDatabaseWithoutForeignKeys);
                writer.WriteText(create.Name);
                writer.WriteBool(create.IfNotExists);
                break;
            case DropDatabaseOperation drop:
                writer.WriteByte(OperationDropDatabase);
                writer.WriteText(drop.Name);
                writer.WriteBool(drop.IfExists);
                break;
            case LoadDatabaseOperation load:
                writer.WriteByte(OperationLoadDatabase);
                writer.WriteText(load.Name);
                writer.WriteText(load.Staging);
                writer.WriteSigned(load.ByteCount);
                writer.WriteBool(load.Replaces);
                writer.WriteBool(load.ForeignKeys);
                break;
            case RecordReadsOperation record:
                writer.WriteByte(OperationRecordReads);
                writer.WriteUnsigned((ulong)record.Reads.Count);
                foreach (var read in record.Reads)
                {
                    writer.WriteSigned(read.TimeMs);
                    writer.WriteText(read.Client);
                    writer.WriteOptionalText(read.Token);
                    writer.WriteText(read.Database);
                    writer.WriteText(read.Sql);
                }
                break;
            case CreateTokenOperation create:
                WriteToken(writer, create);
                break;
            case RevokeTokenOperation revoke:
                writer.WriteByte(OperationRevokeToken);
                writer.WriteText(revoke.Name);
                break;
            default:
                throw new ArgumentException($"No layout for {operation.GetType().Name}.", nameof(operation));
        }
    }

    private static Operation ReadOperation(ref WireReader reader) => reader.ReadByte() switch
    {
        OperationPromote => new PromoteOperation(reader.ReadInt32()),
        OperationVerify => new VerifyOperation(reader.ReadBool()),
        OperationCreateDatabase => new CreateDatabaseOperation(reader.ReadText(), reader.ReadBool()),
        OperationCreateDatabaseWithoutForeignKeys => new CreateDatabaseOperation(reader.ReadText(), reader.ReadBool(), ForeignKeys: false),
        OperationDropDatabase => new DropDatabaseOperation(reader.ReadText(), reader.ReadBool()),
        OperationLoadDatabase => new LoadDatabaseOperation(reader.ReadText(), reader.ReadText(), reader.ReadSigned(), reader.ReadBool(), reader.ReadBool()),
        OperationCreateToken => ReadToken(ref reader),
        OperationRevokeToken => new RevokeTokenOperation(reader.ReadText()),
        OperationRecordReads => ReadRecordedReads(ref reader),
        var kind => throw new InvalidDataException($"An operation of kind {kind}; a newer version may have written it."),
    };

    private static RecordReadsOperation ReadRecordedReads(ref WireReader reader)
    {
        var reads = new RecordedRead[reader.ReadCount()];
        for (var i = 0; i < reads.Length; i++)
        {
            reads[i] = new(reader.ReadSigned(), reader.ReadText(), reader.ReadOptionalText(), reader.ReadText(), reader.ReadText());
        }

        return new(reads);
    }

    private static void WriteToken(WireWriter writer, CreateTokenOperation create)
    {
        writer.WriteByte(OperationCreateToken);
        writer.WriteText(create.Name);
        writer.WriteByte((byte)create.Role);
        writer.WriteUnsigned((ulong)create.Databases.Count);
        foreach (var database in create.Databases)
        {
            writer.WriteText(database);
        }

        writer.WriteSigned(create.LifetimeMs ?? 0);
        writer.WriteRaw(create.Hash.Span);
        writer.WriteBool(create.MustBeFirst);
    }

    private static CreateTokenOperation ReadToken(ref WireReader reader)
    {
        var name = reader.ReadText();
        var role = ReadRole(ref reader);
        var databases = new string[reader.ReadCount()];
        for (var i = 0; i < databases.Length; i++)
        {
            databases[i] = reader.ReadText();
        }

        var lifetimeMs = reader.ReadSigned();
        return new(
            name, role, databases, lifetimeMs == 0 ? null : lifetimeMs, reader.ReadRaw(CreateTokenOperation.HashBytes).ToArray(), reader.ReadBool());
    }

    /// <exception cref="InvalidDataException">It is none that is known here.</exception>
    public static TokenRole ReadRole(ref WireReader reader) => (TokenRole)reader.ReadByte() is var role && Enum.IsDefined(role)
        ? role
        : throw new InvalidDataException($"A role {(byte)role}; a newer version may have written it.");

    private static void WriteBatch(WireWriter writer, WriteBatch batch)
    {
        var hasChanges = batch.ChangesBytesMax > 0;
        writer.WriteByte(hasChanges ? KindWriteBatchWithChanges : batch.History is null ? KindWriteBatch : KindWriteBatchWithHistory);
        writer.WriteSigned(batch.TimeMs);
        writer.WriteFixed64(batch.Seed);
        if (hasChanges)
        {
            writer.WriteSigned(batch.ChangesBytesMax);
            writer.WriteBool(batch.History is not null);
        }

        if (batch.History is { } history)
        {
            writer.WriteSigned(history.RowsMax);
            writer.WriteSigned(history.AgeMaxMs);
            writer.WriteUnsigned((ulong)history.Addresses.Count);
            foreach (var (node, address) in history.Addresses)
            {
                writer.WriteSigned(node);
                writer.WriteText(address);
            }
        }

        writer.WriteUnsigned((ulong)batch.Writes.Count);
        foreach (var write in batch.Writes)
        {
            WriteCommand(writer, write.Command);
            writer.WriteSigned(write.Observation.RowsAffected);
            writer.WriteSigned(write.Observation.LastInsertId);
            if (batch.History is not null)
            {
                writer.WriteText(write.Summary?.Operation ?? "");
                writer.WriteOptionalText(write.Summary?.Table);
            }
        }
    }

    private static HistoryTerms ReadHistory(ref WireReader reader)
    {
        var rowsMax = reader.ReadSigned();
        var ageMaxMs = reader.ReadSigned();
        var count = reader.ReadCount();
        var addresses = new Dictionary<int, string>();
        for (var i = 0; i < count; i++)
        {
            addresses[reader.ReadInt32()] = reader.ReadText();
        }

        return new(rowsMax, ageMaxMs, addresses);
    }

    private static StatementSummary? ReadSummary(ref WireReader reader)
    {
        var operation = reader.ReadText();
        var table = reader.ReadOptionalText();
        return operation.Length == 0 ? null : new(operation, table);
    }

    private static WriteBatch ReadBatch(ref WireReader reader, bool hasHistory, bool hasChanges)
    {
        var timeMs = reader.ReadSigned();
        var seed = reader.ReadFixed64();
        var changesBytesMax = hasChanges ? reader.ReadSigned() : 0;
        hasHistory |= hasChanges && reader.ReadBool();
        var history = hasHistory ? ReadHistory(ref reader) : null;
        var writes = new LoggedWrite[reader.ReadCount()];
        for (var i = 0; i < writes.Length; i++)
        {
            var command = ReadCommand(ref reader);
            writes[i] = new(command, new(reader.ReadSigned(), reader.ReadSigned())) { Summary = hasHistory ? ReadSummary(ref reader) : null };
        }

        return new(timeMs, seed, writes) { History = history, ChangesBytesMax = changesBytesMax };
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static Statement ReadStatement(ref WireReader reader)
    {
        var sql = reader.ReadText();
        var form = reader.ReadByte();
        var count = reader.ReadCount();
        switch (form)
        {
            case FormPositional:
                var positional = new SqlValue[count];
                for (var i = 0; i < count; i++)
                {
                    positional[i] = ReadValue(ref reader);
                }

                return new(sql, count == 0 ? StatementParameters.None : StatementParameters.FromPositional(positional));
            case FormNamed:
                var named = new KeyValuePair<string, SqlValue>[count];
                for (var i = 0; i < count; i++)
                {
                    var name = reader.ReadText();
                    named[i] = new(name, ReadValue(ref reader));
                }

                try
                {
                    return new(sql, StatementParameters.FromBareNames(named));
                }
                catch (ArgumentException e)
                {
                    throw new InvalidDataException(e.Message, e);
                }

            default:
                throw new InvalidDataException($"Parameters of form {form}.");
        }
    }
}
