using System;
using Bulla;

/// <summary>A program that has nothing but the package: prints a sealed file.</summary>
public static class Fresh
{
    public static void Main(string[] arguments)
    {
        using (BullaSession session = BullaSession.Start())
        using (SealedStream sealedFile = session.OpenRead(arguments[0]))
            sealedFile.CopyTo(Console.OpenStandardOutput());
    }
}
