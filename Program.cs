namespace DistDb;

internal static class Program
{
    private static int Main() => 2;
}
