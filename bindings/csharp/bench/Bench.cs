using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Bulla.Bench
{
    /// <summary>
    /// Reads a sealed file from its start to its end in blocks of 1 MiB, through SealedStream and through the C API in
    /// turn. Prints the medians; fails if the stream has less than 85 % of the C API's speed.
    /// usage: Bench HOME FILE ROUNDS; libcread, which reads through the C API, lies beside it.
    /// </summary>
    public static class Program
    {
        private const double Least = 0.85;

        [DllImport("libcread", CallingConvention = CallingConvention.Cdecl)]
        private static extern IntPtr c_open(byte[] home, byte[] file);

        [DllImport("libcread", CallingConvention = CallingConvention.Cdecl)]
        private static extern ulong c_read_all(IntPtr opened);

        public static int Main(string[] arguments)
        {
            int rounds = int.Parse(arguments[2]);
            var block = new byte[1024 * 1024];
            var byStream = new List<double>();
            var byC = new List<double>();
            IntPtr opened = c_open(Path(arguments[0] + "-c"), Path(arguments[1]));
            if (opened == IntPtr.Zero) return 1;
            using (BullaSession session = BullaSession.Start(new SessionOptions { Home = arguments[0] }))
            using (SealedStream stream = session.OpenRead(arguments[1]))
            {
                for (int i = -1; i < rounds; i++) // the first warms up; who begins changes
                {
                    for (int turn = 0; turn < 2; turn++)
                    {
                        bool isStream = (i + turn) % 2 == 0;
                        var watch = Stopwatch.StartNew();
                        ulong bytes = isStream ? ReadAll(stream, block) : c_read_all(opened);
                        double seconds = watch.Elapsed.TotalSeconds;
                        if (bytes != (ulong)stream.Length) return 1;
                        if (i >= 0) (isStream ? byStream : byC).Add(seconds);
                    }
                }
                double s = Median(byStream), c = Median(byC), ratio = c / s;
                double size = stream.Length / 1e9;
                Console.WriteLine("{0:f2} GB in blocks of 1 MiB, {1} times each: C {2:f2} GB/s, SealedStream {3:f2} GB/s, " +
                    "ratio {4:f3} (at least {5:f2})", size, rounds, size / c, size / s, ratio, Least);
                return ratio >= Least ? 0 : 1;
            }
        }

        private static ulong ReadAll(SealedStream stream, byte[] block)
        {
            stream.Position = 0;
            ulong all = 0;
            int read;
            while ((read = stream.Read(block, 0, block.Length)) > 0) all += (ulong)read;
            return all;
        }

        private static byte[] Path(string path) => System.Text.Encoding.UTF8.GetBytes(path + "\0");

        private static double Median(List<double> of)
        {
            of.Sort();
            return of[of.Count / 2];
        }
    }
}
