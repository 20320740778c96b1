using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Recovery;
using DistDb.Node.Storage;

namespace DistDb.Tests.Recovery;

/// <summary>A stopped node's log becomes the beginning of a new cluster.</summary>
public sealed class ClusterRecoveryTests : IDisposable
{
    private const string Address = "http://127.0.0.1:8081";

    private static readonly Guid _oldCluster = Guid.NewGuid();
    private static readonly Membership _old = new(
        [new(new(0), true, 10, "http://a"), new(new(1), true, 11, "http://b"), new(new(2), true, 12, "http://c"), new(new(4), false, 14, "http://e")],
        [new(new(3), 13)]);

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("distdb-recovery-");
    private readonly NodeFolder _folder;

    public ClusterRecoveryTests()
    {
        SqliteLibrary.Initialize();
        _folder = new(_data.FullName, new(1));
    }

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public void Looking_changes_nothing_and_tells_what_there_is()
    {
        WriteNode(knowsMembers: true, appliedIndex: 2);
        var summary = ClusterRecovery.Inspect(_folder);
        summary.Should().Be(new RecoverySummary
        {
            Node = new(1),
            EntryCount = 5,
            LastIndex = new(5),
            LastTerm = new(3),
            AppliedIndex = new(2),
            OldMembership = _old,
            OldClusterId = _oldCluster,
        });
        ClusterRecovery.Inspect(_folder).Should().Be(summary);
    }

    [Fact]
    public void The_log_goes_on_as_a_new_clusters_with_one_voter_who_is_the_master()
    {
        WriteNode(knowsMembers: true, appliedIndex: 2);
        var logId = LogId();

        var summary = ClusterRecovery.Recover(_folder, Address);

        summary.NewClusterId.Should().NotBeNull().And.NotBe(_oldCluster);
        summary.LastIndex.Should().Be(new LogIndex(5), "it tells what was there before");
        using var log = OpenLog();
        (log.ClusterId, log.LogId, log.IsHeldBack).Should().Be((summary.NewClusterId, logId, false));
        log.HardState.Should().Be(new HardState(new(9), new NodeId(1)));
        log.LastIndex.Should().Be(new LogIndex(8));
        log.TermAt(new(5)).Should().Be(new Term(3), "what was there stays");
        var added = log.Read(new(6), new(8), int.MaxValue);
        added.Select(e => e.Term.Value).Should().AllBeEquivalentTo(9L);
        var membership = MembershipCodec.Decode(added[0].Data.Span);
        added[0].Kind.Should().Be(EntryKind.Configuration);
        membership.Members.Should().Equal(new Member(new(1), true, logId, Address));
        membership.Removed.Should().Equal(new Dictionary<NodeId, ulong> { [new(0)] = 10, [new(2)] = 12, [new(3)] = 13, [new(4)] = 14 });
        LogCommandCodec.Decode(added[1].Data.Span).Should().Be(new BootstrapCommand(summary.NewClusterId!.Value));
        var batch = LogCommandCodec.Decode(added[2].Data.Span).Should().BeOfType<WriteBatch>().Subject;
        batch.TimeMs.Should().BeGreaterThanOrEqualTo(FarFutureMs, "time never goes back");
        batch.Writes.Should().ContainSingle().Which.Command.Operation.Should().Be(new PromoteOperation(1));
    }

    [Fact]
    public void It_may_be_done_again()
    {
        WriteNode(knowsMembers: true, appliedIndex: 2);
        var first = ClusterRecovery.Recover(_folder, Address);
        var second = ClusterRecovery.Recover(_folder, Address);
        second.OldClusterId.Should().Be(first.NewClusterId);
        second.OldMembership!.Voters.Should().Equal(new NodeId(1));
        using var log = OpenLog();
        log.LastIndex.Should().Be(new LogIndex(11));
        log.HardState.Term.Should().Be(new Term(10));
    }

    [Fact]
    public void Where_the_members_never_changed_the_settings_say_who_they_were()
    {
        WriteNode(knowsMembers: false, appliedIndex: 5);
        ClusterRecovery.Inspect(_folder).OldMembership.Should().BeNull();
        ClusterRecovery.Recover(_folder, Address, Membership.OfVoters([new(0), new(1), new(2)]));
        using var log = OpenLog();
        var membership = MembershipCodec.Decode(log.ReadConfigurations().Single().Data.Span);
        membership.Voters.Should().Equal(new NodeId(1));
        membership.Removed.Keys.Should().Equal(new NodeId(0), new NodeId(2));
    }

    [Fact]
    public void A_configuration_that_was_cut_off_the_log_is_known_all_the_same()
    {
        WriteNode(knowsMembers: true, appliedIndex: 5);
        using (var log = OpenLog())
        {
            log.Trim(new(5), 0, 0);
        }

        var summary = ClusterRecovery.Recover(_folder, Address);
        (summary.EntryCount, summary.LastTerm).Should().Be((0, new Term(3)));
        summary.OldMembership.Should().Be(_old);
    }

    [Fact]
    public void A_running_nodes_files_are_left_alone()
    {
        WriteNode(knowsMembers: true, appliedIndex: 2);
        using (NodeLock.Acquire(_folder.Path))
        {
            this.Invoking(_ => ClusterRecovery.Inspect(_folder)).Should().Throw<NodeLockedException>();
            this.Invoking(_ => ClusterRecovery.Recover(_folder, Address)).Should().Throw<NodeLockedException>();
        }
    }

    [Fact]
    public void A_folder_without_a_log_is_refused_and_none_is_made()
    {
        this.Invoking(_ => ClusterRecovery.Inspect(_folder)).Should().Throw<RaftStorageException>().WithMessage("*no Raft log*");
        File.Exists(_folder.RaftLogPath).Should().BeFalse();
    }

    [Fact]
    public void A_database_that_the_log_does_not_reach_is_refused()
    {
        WriteNode(knowsMembers: true, appliedIndex: 7);
        this.Invoking(_ => ClusterRecovery.Recover(_folder, Address)).Should().Throw<RaftStorageException>().WithMessage("*at entry 7*Nothing was changed*");
        using (var log = OpenLog())
        {
            log.LastIndex.Should().Be(new LogIndex(5));
            log.InstallBase(new(9), new(3), _old);
        }

        this.Invoking(_ => ClusterRecovery.Recover(_folder, Address)).Should().Throw<RaftStorageException>().WithMessage("*at entry 7*");
        File.Delete(_folder.DatabasePath("main"));
        this.Invoking(_ => ClusterRecovery.Recover(_folder, Address)).Should().Throw<RaftStorageException>().WithMessage("*no database*");
    }

    [Fact]
    public void A_later_bootstrap_gives_the_database_another_clusters_identity()
    {
        WriteNode(knowsMembers: true, appliedIndex: 1);
        var next = Guid.NewGuid();
        using var database = DatabaseWriter.Open(_folder.DatabasePath("main"), new());
        database.ClusterId.Should().Be(_oldCluster);
        database.Begin(new(2, 0, 0));
        database.SetClusterId(next);
        database.Commit();
        database.ClusterId.Should().Be(next);
    }

    private static long FarFutureMs => new DateTimeOffset(2090, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    private RaftStorage OpenLog() => RaftStorage.Open(_folder.RaftLogPath, _folder.Node, new());

    private ulong LogId()
    {
        using var log = OpenLog();
        return log.LogId;
    }

    /// <summary>Five entries, and a database that is at one of them.</summary>
    private void WriteNode(bool knowsMembers, long appliedIndex)
    {
        using (var log = OpenLog())
        {
            var write = new LoggedWrite(
                new() { Id = new(0, 1, 1), Database = "main", Statements = [new("SELECT 1", StatementParameters.None)] }, new(0, 0));
            log.Append(new(new(8), new NodeId(0)),
            [
                new(new(1), new(1), EntryKind.NoOp, default),
                new(new(2), new(1), EntryKind.Command, LogCommandCodec.Encode(new BootstrapCommand(_oldCluster))),
                knowsMembers
                    ? new(new(3), new(1), EntryKind.Configuration, MembershipCodec.Encode(_old))
                    : new(new(3), new(1), EntryKind.NoOp, default),
                new(new(4), new(3), EntryKind.Command, LogCommandCodec.Encode(new WriteBatch(FarFutureMs, 1, [write]))),
                new(new(5), new(3), EntryKind.NoOp, default),
            ]);
        }

        using var database = DatabaseWriter.Open(_folder.DatabasePath("main"), new());
        while (database.AppliedIndex < appliedIndex)
        {
            database.Begin(new(database.AppliedIndex + 1, 0, 0));
            database.SetClusterId(_oldCluster);
            database.Commit();
        }
    }
}
