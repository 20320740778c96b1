using System.Data.Common;

namespace DistDb.Data;

/// <summary>Makes the provider's objects for code that knows none of them by name.</summary>
public sealed class DistDbProviderFactory : DbProviderFactory
{
    /// <summary>The only one.</summary>
    public static readonly DistDbProviderFactory Instance = new();

    private DistDbProviderFactory()
    {
    }

    /// <inheritdoc/>
    public override bool CanCreateBatch => true;

    /// <inheritdoc/>
    public override DbConnection CreateConnection() => new DistDbConnection();

    /// <inheritdoc/>
    public override DbCommand CreateCommand() => new DistDbCommand();

    /// <inheritdoc/>
    public override DbParameter CreateParameter() => new DistDbParameter();

    /// <inheritdoc/>
    public override DbConnectionStringBuilder CreateConnectionStringBuilder() => new DistDbConnectionStringBuilder();

    /// <inheritdoc/>
    public override DbBatch CreateBatch() => new DistDbBatch();

    /// <inheritdoc/>
    public override DbBatchCommand CreateBatchCommand() => new DistDbBatchCommand();
}
