using System;
using System.Collections.Generic;
using System.Drawing;
using System.Drawing.Imaging;
using System.Threading;
using System.Windows.Forms;

/// <summary>
/// Waits until the screen shows something that stays, takes a picture of it and says what it holds: how many colours,
/// and what part of it is not its most frequent colour. usage: Shot FILE WIDTH HEIGHT SECONDS. Exit status 1: blank.
/// </summary>
public static class Shot
{
    private const double LeastDrawn = 0.03;
    private const int LeastColours = 20;

    public static int Main(string[] arguments)
    {
        var area = new Rectangle(0, 0, int.Parse(arguments[1]), int.Parse(arguments[2]));
        Bitmap last = Take(area);
        for (int i = 0; i < 2 * int.Parse(arguments[3]); i++)
        {
            Thread.Sleep(500);
            Bitmap now = Take(area);
            bool settled = Drawn(now, out int colours) >= LeastDrawn && colours >= LeastColours && Same(last, now);
            last.Dispose();
            last = now;
            if (settled) break;
        }
        double drawn = Drawn(last, out int seen);
        Console.WriteLine("{0} colours, {1:p1} drawn", seen, drawn);
        last.Save(arguments[0], ImageFormat.Png);
        return drawn >= LeastDrawn && seen >= LeastColours ? 0 : 1;
    }

    private static Bitmap Take(Rectangle area)
    {
        var picture = new Bitmap(area.Width, area.Height, PixelFormat.Format24bppRgb);
        using (Graphics graphics = Graphics.FromImage(picture))
            graphics.CopyFromScreen(area.Location, Point.Empty, area.Size);
        return picture;
    }

    private static double Drawn(Bitmap picture, out int colours)
    {
        var counts = new Dictionary<int, int>();
        int most = 0;
        for (int y = 0; y < picture.Height; y++)
        {
            for (int x = 0; x < picture.Width; x++)
            {
                int colour = picture.GetPixel(x, y).ToArgb();
                counts.TryGetValue(colour, out int n);
                counts[colour] = n + 1;
                most = Math.Max(most, n + 1);
            }
        }
        colours = counts.Count;
        return 1 - most / (double)(picture.Width * picture.Height);
    }

    private static bool Same(Bitmap a, Bitmap b)
    {
        for (int y = 0; y < a.Height; y += 2)
            for (int x = 0; x < a.Width; x += 2)
                if (a.GetPixel(x, y) != b.GetPixel(x, y)) return false;
        return true;
    }
}
