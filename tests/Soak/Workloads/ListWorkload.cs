using DistDb.Tests.Linearizability;
using DistDb.Tests.Linearizability.Models;
using DistDb.Tests.Soak.Clients;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>A list, one row for each element; an append finds its position by a query in the insert.</summary>
internal sealed class ListWorkload : Workload<ListState, ListCall>
{
    public override string Name => "list";

    public override IReadOnlyList<string> Schema =>
        ["CREATE TABLE lists (key INTEGER, position INTEGER, element INTEGER NOT NULL, mark INTEGER DEFAULT (random()), PRIMARY KEY (key, position)) WITHOUT ROWID"];

    public override Model<ListState, ListCall> Model { get; } = new ListModel();

    public override SqlRequest Remove(long key) => new(false, ("DELETE FROM lists WHERE key = ?", [key]));

    public override SqlRequest Read(long key) => new(true, ("SELECT element FROM lists WHERE key = ? ORDER BY position", [key]));

    public override ListCall ReadResult(Answer answer) =>
        new ListCall.Read([.. answer.Json.GetProperty("rows").EnumerateArray().Select(row => row[0].GetInt64())]);

    public override (SqlRequest Request, ListCall Call) DrawWrite(Random random, long key, long number) => (
        new(false, (
            "INSERT INTO lists(key, position, element) SELECT ?1, coalesce(max(position), 0) + 1, ?2 FROM lists WHERE key = ?1", [key, number])),
        new ListCall.Append(number));

    public override bool Shows(ListCall read, ListCall write) => ((ListCall.Read)read).Elements.Contains(((ListCall.Append)write).Element);

    public override bool IsEarlier(ListCall read, ListCall later)
    {
        var elements = ((ListCall.Read)read).Elements;
        return elements.SequenceEqual(((ListCall.Read)later).Elements.Take(elements.Count));
    }

    public override IEnumerable<(FindingKind Kind, string Text)> Judge(IReadOnlyList<Operation<ListCall>> history) => UniqueValues.Judge(
        history.Where(o => o.Call is ListCall.Append).Select(o => (((ListCall.Append)o.Call).Element, o.Fate)), ((ListCall.Read)history[^1].Call).Elements);
}
