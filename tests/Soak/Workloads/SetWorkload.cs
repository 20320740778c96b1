using DistDb.Tests.Linearizability;
using DistDb.Tests.Linearizability.Models;
using DistDb.Tests.Soak.Clients;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>A set of unique items, one row for each. Nothing in the table prevents that an item comes twice: it must not.</summary>
internal sealed class SetWorkload : Workload<SetState, SetCall>
{
    public override string Name => "set";

    public override IReadOnlyList<string> Schema =>
    [
        "CREATE TABLE items (id INTEGER PRIMARY KEY, key INTEGER NOT NULL, item INTEGER NOT NULL, noise BLOB DEFAULT (randomblob(8)), created_at TEXT DEFAULT CURRENT_TIMESTAMP)",
        "CREATE INDEX items_by_key ON items(key)",
    ];

    public override Model<SetState, SetCall> Model { get; } = new SetModel();

    public override SqlRequest Remove(long key) => new(false, ("DELETE FROM items WHERE key = ?", [key]));

    public override SqlRequest Read(long key) => new(true, ("SELECT item FROM items WHERE key = ?", [key]));

    public override SetCall ReadResult(Answer answer) =>
        new SetCall.Read([.. answer.Json.GetProperty("rows").EnumerateArray().Select(row => row[0].GetInt64())]);

    public override (SqlRequest Request, SetCall Call) DrawWrite(Random random, long key, long number) => (
        new(false, ("INSERT INTO items(key, item) VALUES (?, ?)", [key, number])),
        new SetCall.Insert(number));

    public override bool Shows(SetCall read, SetCall write) => ((SetCall.Read)read).Items.Contains(((SetCall.Insert)write).Item);

    public override bool IsEarlier(SetCall read, SetCall later) => !((SetCall.Read)read).Items.Except(((SetCall.Read)later).Items).Any();

    public override IEnumerable<(FindingKind Kind, string Text)> Judge(IReadOnlyList<Operation<SetCall>> history) => UniqueValues.Judge(
        history.Where(o => o.Call is SetCall.Insert).Select(o => (((SetCall.Insert)o.Call).Item, o.Fate)), ((SetCall.Read)history[^1].Call).Items);
}
