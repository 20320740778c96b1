namespace DistDb.Node.Api;

/// <summary>Bounds how many backups and restores a node has under way at once: each takes its disk's room and time.</summary>
internal sealed class TransferGate()
    : Gate(2, "Two backups or restores are under way at this node already. Nothing was done; send it again when one has ended, or a backup to another node.");
