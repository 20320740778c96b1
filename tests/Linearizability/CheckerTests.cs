using System.Diagnostics;
using DistDb.Tests.Linearizability.Models;

namespace DistDb.Tests.Linearizability;

/// <summary>The checker on histories whose verdict is known.</summary>
public sealed class CheckerTests
{
    [Fact]
    public void A_read_sees_the_last_write() => Expect(
        Verdict.Linearizable, new RegisterModel(), Write(1, 0, 1), Read(1, 2, 3), Write(2, 4, 5), Read(2, 6, 7));

    [Fact]
    public void A_stale_read_is_found() => Expect(
        Verdict.Violated, new RegisterModel(), Write(1, 0, 1), Write(2, 2, 3), Read(1, 4, 5));

    [Fact]
    public void A_read_beside_a_write_may_see_either_value()
    {
        Expect(Verdict.Linearizable, new RegisterModel(), Write(1, 0, 1), Write(2, 2, 9), Read(1, 3, 4), Read(2, 5, 6));
        Expect(Verdict.Linearizable, new RegisterModel(), Write(1, 0, 1), Write(2, 2, 9), Read(2, 3, 4), Read(2, 5, 6));
    }

    [Fact]
    public void Reads_do_not_go_back_in_time() => Expect(
        Verdict.Violated, new RegisterModel(), Write(1, 0, 1), Write(2, 2, 9), Read(2, 3, 4), Read(1, 5, 6));

    [Fact]
    public void A_lost_write_is_found() => Expect(Verdict.Violated, new RegisterModel(), Write(1, 0, 1), Read(0, 2, 3));

    [Fact]
    public void A_write_that_was_refused_and_shows_is_found() => Expect(
        Verdict.Violated, new RegisterModel(), Write(1, 0, 1, Fate.NotDone), Read(1, 2, 3));

    [Fact]
    public void A_write_of_unknown_fate_may_show_up_long_after_its_client_gave_up()
    {
        Expect(Verdict.Linearizable, new RegisterModel(), Write(1, 0, 1, Fate.Unknown), Read(0, 2, 3), Write(2, 4, 5), Read(1, 6, 7));
        Expect(Verdict.Linearizable, new RegisterModel(), Write(1, 0, 1, Fate.Unknown), Read(0, 2, 3), Write(2, 4, 5), Read(2, 6, 7));
    }

    [Fact]
    public void A_write_of_unknown_fate_shows_up_once_and_not_before_it_was_sent()
    {
        Expect(Verdict.Violated, new RegisterModel(), Write(1, 0, 1, Fate.Unknown), Read(1, 2, 3), Write(2, 4, 5), Read(1, 6, 7));
        Expect(Verdict.Violated, new RegisterModel(), Read(1, 0, 1), Write(1, 2, 3, Fate.Unknown));
    }

    [Fact]
    public void Of_two_that_compare_and_set_the_same_value_one_fails()
    {
        Expect(Verdict.Violated, new RegisterModel(), Cas(0, 1, true, 0, 5), Cas(0, 2, true, 0, 5));
        Expect(Verdict.Linearizable, new RegisterModel(), Cas(0, 1, true, 0, 5), Cas(0, 2, false, 0, 5), Read(1, 6, 7));
        Expect(Verdict.Violated, new RegisterModel(), Cas(0, 1, false, 0, 5));
    }

    [Fact]
    public void An_append_that_was_done_twice_or_lost_is_found()
    {
        Expect(Verdict.Linearizable, new ListModel(), Append(1, 0, 5), Append(2, 0, 5), ReadList(6, 7, 2, 1));
        Expect(Verdict.Violated, new ListModel(), Append(1, 0, 1), ReadList(2, 3, 1, 1));
        Expect(Verdict.Violated, new ListModel(), Append(1, 0, 1), Append(2, 2, 3), ReadList(4, 5, 2));
    }

    [Fact]
    public void Lists_that_grow_in_two_orders_are_found()
    {
        Expect(Verdict.Violated, new ListModel(), Append(1, 0, 9), Append(2, 0, 9), ReadList(2, 3, 1), ReadList(10, 11, 2, 1));
        Expect(Verdict.Violated, new ListModel(), Append(1, 0, 1), Append(2, 2, 3), ReadList(4, 5, 2, 1));
    }

    [Fact]
    public void An_append_of_unknown_fate_may_come_late_but_stays()
    {
        Expect(Verdict.Linearizable, new ListModel(), Append(1, 0, 1, Fate.Unknown), Append(2, 2, 3), ReadList(4, 5, 2), ReadList(6, 7, 2, 1));
        Expect(Verdict.Violated, new ListModel(), Append(1, 0, 1, Fate.Unknown), Append(2, 2, 3), ReadList(4, 5, 1, 2), ReadList(6, 7, 2));
    }

    [Fact]
    public void Money_is_neither_made_nor_lost_nor_owed()
    {
        var bank = new BankModel(2, 10);
        Expect(Verdict.Linearizable, bank, Transfer(0, 1, 10, true, 0, 1), Transfer(0, 1, 1, false, 2, 3), ReadBank(4, 5, 0, 20));
        Expect(Verdict.Violated, bank, Transfer(0, 1, 10, true, 0, 1), ReadBank(2, 3, 0, 10));
        Expect(Verdict.Violated, bank, Transfer(0, 1, 11, true, 0, 1));
        Expect(Verdict.Violated, bank, Transfer(0, 1, 10, false, 0, 1));
        Expect(Verdict.Linearizable, bank, Transfer(0, 1, 3, null, 0, 1, Fate.Unknown), ReadBank(2, 3, 10, 10), ReadBank(4, 5, 7, 13));
        Expect(Verdict.Violated, bank, Transfer(0, 1, 3, null, 0, 1, Fate.Unknown), ReadBank(2, 3, 7, 13), ReadBank(4, 5, 10, 10));
    }

    [Fact]
    public void An_item_is_in_a_set_once_and_for_good()
    {
        Expect(Verdict.Linearizable, new SetModel(), Insert(1, 0, 9), Insert(2, 0, 1), ReadSet(2, 3, 2), ReadSet(10, 11, 1, 2));
        Expect(Verdict.Violated, new SetModel(), Insert(1, 0, 1), ReadSet(2, 3, 1, 1));
        Expect(Verdict.Violated, new SetModel(), Insert(1, 0, 1), ReadSet(2, 3));
        Expect(Verdict.Violated, new SetModel(), Insert(1, 0, 9), ReadSet(2, 3, 1), ReadSet(4, 5));
        Expect(Verdict.Violated, new SetModel(), ReadSet(2, 3, 7));
        Expect(Verdict.Linearizable, new SetModel(), Insert(1, 0, 1, Fate.Unknown), ReadSet(2, 3), ReadSet(4, 5, 1));
        Expect(Verdict.Violated, new SetModel(), Insert(1, 0, 1, Fate.NotDone), ReadSet(2, 3, 1));
    }

    [Fact]
    public void A_search_that_is_too_long_is_undecided()
    {
        var writes = Enumerable.Range(1, 20).Select(i => Write(i, 0, 100)).ToArray();
        LinearizabilityChecker.Check(new RegisterModel(), writes, budget: 1000).Verdict.Should().Be(Verdict.Undecided);
        var many = Enumerable.Range(1, 65).Select(i => Write(i, 0, 100)).ToArray();
        LinearizabilityChecker.Check(new RegisterModel(), many).Verdict.Should().Be(Verdict.Undecided);
    }

    [Fact]
    public void A_report_shows_what_matters_and_no_more()
    {
        var result = LinearizabilityChecker.Check(
            new RegisterModel(), [Write(1, 0, 1), Read(1, 2, 3), Read(1, 4, 5), Write(2, 6, 7), Read(1, 8, 9), Write(3, 10, 11)]);
        result.Verdict.Should().Be(Verdict.Violated);
        result.Report.Should().Contain("Read { Value = 1 } by reader at 8").And.Contain("Write { Value = 2 }");
        result.Report.Should().NotContain("reader at 2").And.NotContain("Write { Value = 3 }");
    }

    [Fact]
    public void Long_histories_are_checked_quickly()
    {
        // Eight clients append and read at once, each read of what is there then.
        const int Count = 3000;
        var random = new Random(1);
        var operations = new List<Operation<ListCall>>();
        var list = new List<long>();
        for (var i = 0; i < Count; i++)
        {
            var (invoked, returned) = (i * 10 - random.Next(40), (i * 10) + random.Next(40));
            if (random.Next(4) == 0)
            {
                operations.Add(new($"client {i % 8}", new ListCall.Read([.. list]), Fate.Done, invoked, returned));
            }
            else
            {
                list.Add(i);
                operations.Add(new($"client {i % 8}", new ListCall.Append(i), random.Next(50) == 0 ? Fate.Unknown : Fate.Done, invoked, returned));
            }
        }

        var watch = Stopwatch.StartNew();
        Expect(Verdict.Linearizable, new ListModel(), [.. operations]);
        watch.Elapsed.Should().BeLessThan(TimeSpan.FromSeconds(20));
    }

    private static void Expect<TState, TCall>(Verdict verdict, Model<TState, TCall> model, params Operation<TCall>[] history)
        where TState : notnull
    {
        var result = LinearizabilityChecker.Check(model, history);
        result.Verdict.Should().Be(verdict, result.Report);
    }

    private static Operation<RegisterCall> Write(long value, long invoked, long returned, Fate fate = Fate.Done) =>
        new("writer", new RegisterCall.Write(value), fate, invoked, returned);

    private static Operation<RegisterCall> Read(long value, long invoked, long returned) =>
        new($"reader at {invoked}", new RegisterCall.Read(value), Fate.Done, invoked, returned);

    private static Operation<RegisterCall> Cas(long from, long to, bool succeeded, long invoked, long returned) =>
        new("writer", new RegisterCall.Cas(from, to, succeeded), Fate.Done, invoked, returned);

    private static Operation<ListCall> Append(long element, long invoked, long returned, Fate fate = Fate.Done) =>
        new("writer", new ListCall.Append(element), fate, invoked, returned);

    private static Operation<ListCall> ReadList(long invoked, long returned, params long[] elements) =>
        new("reader", new ListCall.Read(elements), Fate.Done, invoked, returned);

    private static Operation<SetCall> Insert(long item, long invoked, long returned, Fate fate = Fate.Done) =>
        new("writer", new SetCall.Insert(item), fate, invoked, returned);

    private static Operation<SetCall> ReadSet(long invoked, long returned, params long[] items) =>
        new("reader", new SetCall.Read(items), Fate.Done, invoked, returned);

    private static Operation<BankCall> Transfer(int from, int to, long amount, bool? accepted, long invoked, long returned, Fate fate = Fate.Done) =>
        new("writer", new BankCall.Transfer(from, to, amount, accepted), fate, invoked, returned);

    private static Operation<BankCall> ReadBank(long invoked, long returned, params long[] balances) =>
        new("reader", new BankCall.Read(balances), Fate.Done, invoked, returned);
}
