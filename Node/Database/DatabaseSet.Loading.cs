using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// Loading: a file's content takes a database's place. The new content is made beside the old one, with the cluster's own tables and the entry's
/// position in it, and then written over the old one in one transaction of SQLite's, so that readers see one or the other, and so does a
/// start after a crash. The entry holds nothing else.
/// </summary>
public sealed partial class DatabaseSet
{
    /// <summary>What follows the staging database's file name for the content that is being made of it.</summary>
    private const string DraftSuffix = ".load";

    /// <summary>Why the leader cannot load a file, or null.</summary>
    private Failure? RefusalToLoad(LoadDatabaseOperation load)
    {
        if (DatabaseName.TryParse(load.Name, out var name) && name.RefusalToReplace() is { } refusal)
        {
            return refusal;
        }

        if (!DatabaseName.IsStaging(load.Staging) || !Names.Contains(load.Staging) || StagedFile.Measure(PathOf(load.Staging)) != load.ByteCount)
        {
            return new(FailureCode.Conflict, $"The file for the database \"{load.Name}\" is not here as a whole: sending it was given up, or another node became the master meanwhile. Nothing was changed; send it again.");
        }

        if (!load.Replaces && Names.Contains(load.Name) && Get(load.Name).Writer.HasContent())
        {
            return new(FailureCode.Conflict, $"The database \"{load.Name}\" is not empty. Nothing was changed; say that it is to be replaced (\"replace\"), or give another name.");
        }

        return DiskProbe.RoomLacking(Folder, load.ByteCount) is { } lacking ? new(FailureCode.Overloaded, $"The leader's disk {lacking}") : null;
    }

    /// <summary>Has the database take over the content of the open entry's file.</summary>
    private void Load(ReplicaDatabase database, LoadDatabaseOperation load)
    {
        var draft = PathOf(load.Staging) + DraftSuffix;
        DatabaseFile.Delete(draft);
        StagedFile.Assemble(PathOf(load.Staging), draft);
        CompleteDraft(draft, database);
        database.Writer.ReplaceContent(draft);

        // The staging database ends with this entry, so that the disk must not lose what was made of it.
        DatabaseFile.FlushLog(database.Writer.Path);
        DatabaseFile.Delete(draft);
    }

    /// <summary>Gives the draft what the cluster keeps in the database, as of the open entry.</summary>
    private void CompleteDraft(string draft, ReplicaDatabase database)
    {
        DatabaseFile.CopyInternals(database.Writer.Path, draft);
        using var writer = DatabaseWriter.Open(draft, _options, keepsHistory: false, HasForeignKeys(database.Name));
        if (writer.AppliedIndex == _stamp.Index)
        {
            // The database was made just now, by this entry.
            return;
        }

        writer.Begin(_stamp);
        writer.ReplaceChanges();
        if (database == _main)
        {
            // What the entry did in the database's open transaction goes with that.
            _ = writer.ReplayOverruling(new(_operationCommand!, default), ordinal: 0, collectRows: false);
            CommitMain(writer);
        }
        else
        {
            writer.Commit();
        }
    }

    /// <summary>Deletes what a crash left.</summary>
    private void DeleteDrafts()
    {
        foreach (var draft in Directory.GetFiles(Folder, "*.db" + DraftSuffix))
        {
            DatabaseFile.Delete(draft);
        }
    }
}
