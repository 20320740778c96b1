using System.Globalization;

namespace DistDb.Node.Database.Changes;

/// <summary>How far somebody has followed a database's changes: all up to an entry, or up to a piece of one.</summary>
/// <param name="Index">The entry.</param>
/// <param name="Piece">The last piece of it, from 0; null where it is the entry as a whole.</param>
public readonly record struct ChangePosition(long Index, int? Piece = null)
{
    /// <summary>Bits of the number of a piece in the key by which pieces are stored.</summary>
    internal const int PieceBits = 20;

    /// <summary>The last piece that can be numbered.</summary>
    internal const int PieceMax = (1 << PieceBits) - 1;

    private const long IndexMax = long.MaxValue >> PieceBits;

    /// <summary>Where its piece stands, or any that the entry could have.</summary>
    internal long Key => (Index << PieceBits) | (uint)(Piece ?? PieceMax);

    /// <summary>The entry that must not have been dropped, nor any after it.</summary>
    internal long LastNotNeeded => Piece is null ? Index : Index - 1;

    /// <summary>What a <see cref="Key"/> stands for.</summary>
    internal static (long Index, int Number) Split(long key) => (key >> PieceBits, (int)(key & PieceMax));

    /// <summary>Reads what <see cref="ToString"/> gives.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ChangePosition position)
    {
        position = default;
        var point = text.IndexOf('.');
        if (!long.TryParse(point < 0 ? text : text[..point], NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > IndexMax)
        {
            return false;
        }

        if (point < 0)
        {
            position = new(index);
            return true;
        }

        var isPiece = int.TryParse(text[(point + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var piece) && piece <= PieceMax;
        position = new(index, piece);
        return isPiece && index > 0;
    }

    /// <summary>Such as <c>17</c>, or <c>17.2</c>.</summary>
    public override string ToString() =>
        Piece is { } piece ? string.Create(CultureInfo.InvariantCulture, $"{Index}.{piece}") : Index.ToString(CultureInfo.InvariantCulture);
}
