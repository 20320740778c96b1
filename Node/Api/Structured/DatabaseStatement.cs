using DistDb.Node.Commands;

namespace DistDb.Node.Api.Structured;

/// <summary><c>CREATE DATABASE [IF NOT EXISTS] x [WITH foreign_keys = on|off]</c> and <c>DROP DATABASE [IF EXISTS] x</c>, which SQLite does not know.</summary>
internal static class DatabaseStatement
{
    /// <summary>Reads such a statement.</summary>
    /// <returns>What it does, or null where the text begins in another way and is SQLite's to judge.</returns>
    /// <exception cref="RequestRejectedException">It begins like one and goes on otherwise, or names what nobody may create or drop.</exception>
    public static Operation? Parse(string sql)
    {
        var tokens = new SqlTokens(sql);
        SkipSemicolons(tokens);
        var isCreate = tokens.TakeWord("CREATE");
        if ((!isCreate && !tokens.TakeWord("DROP")) || !tokens.TakeWord("DATABASE"))
        {
            return null;
        }

        var form = isCreate ? "CREATE DATABASE [IF NOT EXISTS] name [WITH foreign_keys = off]" : "DROP DATABASE [IF EXISTS] name";
        var isLenient = tokens.TakeWord("IF");
        if (isLenient && ((isCreate && !tokens.TakeWord("NOT")) || !tokens.TakeWord("EXISTS")))
        {
            throw Bad($"\"IF\" goes on with \"{(isCreate ? "NOT EXISTS" : "EXISTS")}\" here: {form}. Nothing was done.");
        }

        if (tokens.Current.Kind is not (SqlTokenKind.Word or SqlTokenKind.Name or SqlTokenKind.Text))
        {
            throw Bad($"The database's name is missing or is not closed: {form}, with the name between quotes where it has a \"-\" or begins with a digit. Nothing was done.");
        }

        var name = tokens.Take().Text;
        var foreignKeys = !isCreate || !tokens.TakeWord("WITH") || TakeForeignKeys(tokens, form);
        SkipSemicolons(tokens);
        return tokens.AtEnd
            ? Operation(name, isCreate, isLenient, foreignKeys)
            : throw Bad($"There is more behind the statement than a semicolon: {form}, one in a request, with the name between quotes where it has a \"-\" or begins with a digit. Nothing was done.");
    }

    /// <summary>Creates the database of this name, or drops it.</summary>
    /// <param name="text">The name as the client gave it.</param>
    /// <param name="isCreate">Whether it is to be created.</param>
    /// <param name="isLenient">Whether it will do if it is there already, or if there is none.</param>
    /// <param name="foreignKeys">Whether foreign keys are enforced in the one that is created.</param>
    /// <exception cref="RequestRejectedException">It is no name, or one that nobody may create or drop.</exception>
    public static Operation Operation(string text, bool isCreate, bool isLenient, bool foreignKeys)
    {
        if (!DatabaseName.TryParse(text, out var name))
        {
            throw Bad($"\"{text}\" cannot be the name of a database: {DatabaseName.Rule}. Nothing was done.");
        }

        var refusal = isCreate ? name.RefusalToCreate(isLenient) : name.RefusalToDrop();
        return refusal is not null ? throw new RequestRejectedException(refusal.Code, refusal.Detail)
            : isCreate ? new CreateDatabaseOperation(name.Value, isLenient, foreignKeys)
            : new DropDatabaseOperation(name.Value, isLenient);
    }

    private static bool TakeForeignKeys(SqlTokens tokens, string form)
    {
        if (tokens.TakeWord("foreign_keys") && tokens.TakeSymbol('='))
        {
            if (tokens.TakeWord("OFF"))
            {
                return false;
            }

            if (tokens.TakeWord("ON"))
            {
                return true;
            }
        }

        throw Bad($"\"WITH\" goes on with \"foreign_keys = off\", or \"on\", which is the default: {form}. Nothing was done.");
    }

    private static void SkipSemicolons(SqlTokens tokens)
    {
        while (tokens.TakeSymbol(';'))
        {
        }
    }

    private static RequestRejectedException Bad(string detail) => new(FailureCode.BadRequest, detail);
}
