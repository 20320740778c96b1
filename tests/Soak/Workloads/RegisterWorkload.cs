using DistDb.Tests.Linearizability;
using DistDb.Tests.Linearizability.Models;
using DistDb.Tests.Soak.Clients;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>One value in a row: written by an upsert, compared and set by an update, whose count of rows says whether it did.</summary>
internal sealed class RegisterWorkload : Workload<long, RegisterCall>
{
    // What may well be there to be compared with. No register holds the first one.
    private long _lastDrawn = -1;

    public override string Name => "register";

    public override IReadOnlyList<string> Schema =>
        ["CREATE TABLE registers (key INTEGER PRIMARY KEY, value INTEGER NOT NULL, changed_at TEXT DEFAULT CURRENT_TIMESTAMP)"];

    public override Model<long, RegisterCall> Model { get; } = new RegisterModel();

    public override SqlRequest Remove(long key) => new(false, ("DELETE FROM registers WHERE key = ?", [key]));

    public override SqlRequest Read(long key) => new(true, ("SELECT value FROM registers WHERE key = ?", [key]));

    public override RegisterCall ReadResult(Answer answer)
    {
        var rows = answer.Json.GetProperty("rows");
        return new RegisterCall.Read(rows.GetArrayLength() == 0 ? 0 : rows[0][0].GetInt64());
    }

    public override (SqlRequest Request, RegisterCall Call) DrawWrite(Random random, long key, long number)
    {
        var from = Interlocked.Exchange(ref _lastDrawn, number);
        if (random.Next(2) == 0)
        {
            return (
                new(false, (
                    "INSERT INTO registers(key, value) VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value, changed_at = CURRENT_TIMESTAMP",
                    [key, number])),
                new RegisterCall.Write(number));
        }

        return (
            new(false, ("UPDATE registers SET value = ?, changed_at = CURRENT_TIMESTAMP WHERE key = ? AND value = ?", [number, key, from])),
            new RegisterCall.Cas(from, number, null));
    }

    public override RegisterCall? WithResult(RegisterCall call, Answer answer) => (call, answer.IsOk) switch
    {
        (RegisterCall.Cas cas, true) => cas with { Succeeded = answer.RowsAffected == 1 },
        (_, true) => call,
        _ => null,
    };
}
