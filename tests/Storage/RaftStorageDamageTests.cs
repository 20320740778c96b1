using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;

namespace DistDb.Tests.Storage;

/// <summary>
/// A disk that gives back something else than was written to it. Whatever it is, a log is refused or reads as it was written: no wrong entry, no
/// wrong term or vote, no other exception.
/// </summary>
public sealed class RaftStorageDamageTests : IDisposable
{
    private const int PageBytes = 4096;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-damage-");
    private readonly byte[] _whole;
    private readonly string _expected;

    public RaftStorageDamageTests()
    {
        SqliteLibrary.Initialize();
        using (var storage = Open())
        {
            Fill(storage);
        }

        File.Exists(FilePath + "-wal").Should().BeFalse("all is in the file");
        _whole = File.ReadAllBytes(FilePath);
        using var again = Open();
        _expected = Describe(again);
    }

    public enum Damage
    {
        Garbage,
        Zeros,
        OtherPage,
    }

    private string FilePath => Path.Combine(_folder.FullName, "raft.db");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(Damage.Garbage)]
    [InlineData(Damage.Zeros)]
    [InlineData(Damage.OtherPage)]
    public void A_page_that_was_overwritten_is_never_read_as_something_else(Damage damage)
    {
        var random = new Random(11);
        var refusals = 0;
        for (var page = 0; page < _whole.Length / PageBytes; page++)
        {
            var bytes = (byte[])_whole.Clone();
            var place = bytes.AsSpan(page * PageBytes, PageBytes);
            switch (damage)
            {
                case Damage.Garbage:
                    random.NextBytes(place);
                    break;
                case Damage.Zeros:
                    place.Clear();
                    break;
                default:
                    bytes.AsSpan((page + 3) * PageBytes % bytes.Length, PageBytes).CopyTo(place);
                    break;
            }

            refusals += IsRefused(bytes, $"page {page}") ? 1 : 0;
        }

        refusals.Should().BeGreaterThan(_whole.Length / PageBytes * 3 / 4, "hardly any page holds nothing");
    }

    [Fact]
    public void A_flipped_bit_is_never_read_as_something_else()
    {
        var random = new Random(12);
        var bytes = (byte[])_whole.Clone();
        var refusals = 0;
        for (var round = 0; round < 1500; round++)
        {
            // Every page in turn, and often its first bytes, on which everything else in it depends.
            var page = round % (_whole.Length / PageBytes);
            var place = (page * PageBytes) + random.Next(random.Next(2) == 0 ? 200 : PageBytes);
            var bit = (byte)(1 << random.Next(8));
            bytes[place] ^= bit;
            refusals += IsRefused(bytes, $"byte {place}, bit {bit}") ? 1 : 0;
            bytes[place] ^= bit;
        }

        refusals.Should().BeGreaterThan(500);
    }

    [Fact]
    public void Every_bit_of_the_first_page_counts_or_does_not_matter()
    {
        var bytes = (byte[])_whole.Clone();
        foreach (var place in Enumerable.Range(0, 120).Concat(Enumerable.Range(PageBytes - 700, 700)))
        {
            var bit = (byte)(1 << (place % 8));
            bytes[place] ^= bit;
            IsRefused(bytes, $"byte {place}, bit {bit}");
            bytes[place] ^= bit;
        }
    }

    [Fact]
    public void A_file_that_was_cut_short_is_refused()
    {
        for (var pages = 1; pages < _whole.Length / PageBytes; pages++)
        {
            IsRefused(_whole[..(pages * PageBytes)], $"{pages} pages").Should().BeTrue($"only {pages} pages are left");
        }
    }

    private static void Fill(RaftStorage storage)
    {
        var random = new Random(10);
        storage.SetClusterId(new Guid("5b0f3d52-8a7e-4c7e-9d3c-0a4f6d7f8e11"));
        storage.Release();
        var index = 0;
        while (index < 300)
        {
            var entries = new List<Entry>();
            for (var i = 0; i < 10; i++)
            {
                // Some within a page, some over several.
                var data = new byte[index % 25 == 0 ? 9000 : random.Next(300)];
                random.NextBytes(data);
                entries.Add(new(new(++index), new(1 + (index / 100)), EntryKind.Command, data));
            }

            storage.Append(new(new(1 + (index / 100)), new NodeId(1)), entries);
        }

        storage.Append(null, [new(new(++index), new(4), EntryKind.Configuration, MembershipCodec.Encode(Membership.OfVoters([new(0), new(1)])))]);
        while (storage.Trim(new(40), 250, long.MaxValue))
        {
        }
    }

    private bool IsRefused(byte[] bytes, string what)
    {
        // As a process finds it that had no time to tidy up.
        File.Delete(FilePath + "-wal");
        File.Delete(FilePath + "-shm");
        File.WriteAllBytes(FilePath, bytes);
        try
        {
            using var storage = Open();
            Describe(storage).Should().Be(_expected, what);
            return false;
        }
        catch (RaftStorageException e)
        {
            e.Message.Should().Contain(FilePath).And.Contain("Nothing was changed");
            File.ReadAllBytes(FilePath).Should().Equal(bytes, $"{what} is as it was found");
            return true;
        }
    }

    private static string Describe(RaftStorage storage)
    {
        var lines = new List<string>
        {
            $"{storage.LogId} {storage.ClusterId} {storage.IsHeldBack} {storage.HardState}",
            $"{storage.BaseIndex} {storage.TermAt(storage.BaseIndex)} {storage.BaseMembership} {storage.LastIndex}",
            string.Join(' ', storage.ReadConfigurations().Select(e => e.Index)),
        };
        lines.AddRange(storage.Read(storage.BaseIndex.Next, storage.LastIndex, int.MaxValue)
            .Select(e => $"{e.Index}@{e.Term} {e.Kind} {Convert.ToBase64String(e.Data.Span)}"));
        return string.Join('\n', lines);
    }

    private RaftStorage Open() => RaftStorage.Open(FilePath, new(1), new() { CachedBytesMax = 0 });
}
