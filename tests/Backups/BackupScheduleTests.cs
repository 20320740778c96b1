using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using DistDb.Node.Backups;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Tests.Support;
using Microsoft.Extensions.Logging;

namespace DistDb.Tests.Backups;

/// <summary>Backups that a node makes by itself.</summary>
public sealed class BackupScheduleTests : IDisposable
{
    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo _place = Directory.CreateTempSubdirectory("distdb-backup-schedule-");
    private readonly ManualTime _time = new();
    private readonly Notes _notes = new();
    private bool _isReady = true;
    private Failure? _failure;
    private long _index = 7;

    private string Folder => Path.Combine(_place.FullName, "backups", "here");

    private string WorkFolder => Path.Combine(_place.FullName, "work");

    private string[] Names => Directory.Exists(Folder) ? [.. Directory.GetFiles(Folder, "*.tar").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)] : [];

    public void Dispose() => _place.Delete(recursive: true);

    [Fact]
    public async Task The_first_is_made_at_once_and_holds_every_database_with_its_sum()
    {
        using var schedule = await StartAsync();

        await UntilWaitingAsync(_notes, 1);

        Names.Should().Equal("distdb-20261128T155914Z-7.tar");
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Folder).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Read(Names[0]).Should().Equal(
            ("SHA256SUMS", $"{Sum("content of a at 7")}  a.db\n{Sum("content of main at 7")}  main.db\n"),
            ("a.db", "content of a at 7"),
            ("main.db", "content of main at 7"));
        _notes.Last.Should().StartWith("Information: Backed up 2 databases to " + Folder);
        Directory.GetFileSystemEntries(WorkFolder).Should().BeEmpty();
    }

    [Fact]
    public async Task One_follows_at_each_interval_and_only_the_oldest_of_them_are_deleted()
    {
        Directory.CreateDirectory(Folder);
        string[] others = ["distdb-20200101T000000Z-1.tar.gz", "my-distdb-20200101T000000Z-1.tar", "distdb-2020-1.tar", "notes.txt"];
        others.ToList().ForEach(o => File.WriteAllText(Path.Combine(Folder, o), ""));
        File.WriteAllText(Path.Combine(Folder, "distdb-20200101T000000Z-1.tar"), "");
        File.WriteAllText(Path.Combine(Folder, "distdb-20200101T000000Z-1.tar.part"), "");
        using var schedule = await StartAsync(keptCount: 3);
        for (var made = 1; made <= 4; made++)
        {
            await UntilWaitingAsync(_notes, made);
            _index++;
            _time.Advance(_hour);
        }

        await UntilWaitingAsync(_notes, 5);
        Directory.GetFiles(Folder).Select(Path.GetFileName).Should().BeEquivalentTo(
            [.. others, ".distdb-backup.lock", "distdb-20261128T175914Z-9.tar", "distdb-20261128T185914Z-10.tar", "distdb-20261128T195914Z-11.tar"]);
    }

    [Theory]
    [InlineData("distdb-20261128T152914Z-5.tar", 30, "half of the interval has passed")]
    [InlineData("distdb-20261128T145914Z-5.tar", 0, "it is due")]
    [InlineData("distdb-20300101T000000Z-5.tar", 60, "the clock was wrong when it was made")]
    public async Task A_restart_does_not_shift_it(string there, int minutes, string because)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, there), "");
        using var schedule = await StartAsync();
        if (minutes > 0)
        {
            await UntilWaitingAsync(_notes, 0);
            _time.Advance((minutes * _minute) - TimeSpan.FromSeconds(1));
            await UntilWaitingAsync(_notes, 0);
            Names.Should().Equal([there], because);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        await UntilWaitingAsync(_notes, 1);
        Names.Should().HaveCount(2, because);
    }

    [Fact]
    public async Task What_fails_is_said_once_each_time_and_tried_again_in_a_while()
    {
        _failure = new(FailureCode.NotReady, "Not now.");
        using var schedule = await StartAsync();
        await UntilWaitingAsync(_notes, 1);
        _notes.Last.Should().StartWith($"Warning: The scheduled backup to {Folder} was not made: Not now. Earlier backups are kept. It is tried again in 00:05:00");
        Names.Should().BeEmpty();

        _failure = null;
        _time.Advance(4 * _minute);
        await UntilWaitingAsync(_notes, 1);
        Names.Should().BeEmpty("not every moment");
        _time.Advance(_minute);

        await UntilWaitingAsync(_notes, 2);
        Names.Should().Equal("distdb-20261128T160414Z-7.tar");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_said_at_once()
    {
        File.WriteAllText(Path.Combine(_place.FullName, "backups"), "a file");
        using var schedule = await StartAsync();
        await UntilWaitingAsync(_notes, 1);
        _notes.Last.Should().StartWith("Warning").And.Contain($"The folder {Folder} cannot be used");

        File.Delete(Path.Combine(_place.FullName, "backups"));
        _time.Advance(5 * _minute);
        await UntilWaitingAsync(_notes, 2);
        Names.Should().HaveCount(1);
    }

    [Fact]
    public async Task A_node_that_has_just_been_started_is_waited_for()
    {
        _isReady = false;
        using var schedule = await StartAsync();
        await UntilWaitingAsync(_notes, 0);
        Names.Should().BeEmpty();
        _isReady = true;
        _time.Advance(TimeSpan.FromSeconds(2));
        await UntilWaitingAsync(_notes, 1);
        Names.Should().HaveCount(1);
    }

    [Fact]
    public async Task Of_nodes_that_share_a_folder_one_makes_the_backup()
    {
        new BackupFolder(Folder).Create();
        var other = new BackupFolder(Folder).TryEnter();
        using var schedule = await StartAsync();
        await UntilWaitingAsync(_notes, 0);
        Names.Should().BeEmpty("another node is making one");

        File.WriteAllText(Path.Combine(Folder, "distdb-20261128T155914Z-7.tar"), "the other's");
        other!.Dispose();
        _time.Advance(5 * _minute);
        await UntilWaitingAsync(_notes, 0);
        _time.Advance(54 * _minute);
        await UntilWaitingAsync(_notes, 0);
        Names.Should().HaveCount(1, "the other's will do for an hour");
        _time.Advance(_minute);
        await UntilWaitingAsync(_notes, 1);
        Names.Should().HaveCount(2);
    }

    private static string Sum(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)));

    private List<(string Name, string Content)> Read(string name)
    {
        using var tar = new TarReader(File.OpenRead(Path.Combine(Folder, name)));
        List<(string, string)> files = [];
        while (tar.GetNextEntry() is { } entry)
        {
            using var text = new StreamReader(entry.DataStream!);
            files.Add((entry.Name, text.ReadToEnd()));
        }

        return files;
    }

    private async Task<BackupSchedule> StartAsync(int keptCount = 24)
    {
        var schedule = new BackupSchedule(new(Folder, _hour, keptCount), () => _isReady, CollectAsync, WorkFolder, _time, _notes);
        await schedule.StartAsync(CancellationToken.None);
        return schedule;
    }

    private async Task<(BackupArchive? Archive, Failure? Failure)> CollectAsync(string folder, CancellationToken cancellationToken)
    {
        if (_failure is not null)
        {
            return (null, _failure);
        }

        List<BackupDescription> backups = [];
        foreach (var name in (string[])["a", "main"])
        {
            await File.WriteAllTextAsync(DatabaseFile.PathIn(folder, name), $"content of {name} at {_index}", cancellationToken);
            backups.Add(new(name, _index, 0, null, true));
        }

        return (await BackupArchive.OfAsync(backups, folder, cancellationToken), null);
    }

    /// <summary>Waits until the schedule has said so much, and waits for the clock.</summary>
    private async Task UntilWaitingAsync(Notes notes, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (notes.Count != count || _time.WaitingCount == 0)
        {
            await Task.Delay(5, patience.Token);
        }
    }

    private sealed class Notes : ILogger<BackupSchedule>
    {
        private readonly List<string> _lines = [];

        public int Count
        {
            get
            {
                lock (_lines)
                {
                    return _lines.Count;
                }
            }
        }

        public string Last
        {
            get
            {
                lock (_lines)
                {
                    return _lines[^1];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
            {
                _lines.Add($"{logLevel}: {formatter(state, exception)}");
            }
        }
    }
}
