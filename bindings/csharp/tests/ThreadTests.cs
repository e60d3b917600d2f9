using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Bulla.Tests
{
    public static class ThreadTests
    {
        private static byte[] Numbers(int count) => Enumerable.Range(0, count).SelectMany(BitConverter.GetBytes).ToArray();

        /// <summary>Each block goes to one of the threads, whole.</summary>
        public static void Two_threads_on_one_stream()
        {
            Office.Seal("numbers.bulla", Numbers(200000));
            using (BullaSession session = Office.Desk())
            using (SealedStream stream = session.OpenRead("numbers.bulla"))
            {
                var all = new List<int>();
                Action reader = () =>
                {
                    var mine = new List<int>();
                    var block = new byte[400];
                    while (stream.Read(block, 0, block.Length) == block.Length)
                        for (int i = 0; i < block.Length; i += 4) mine.Add(BitConverter.ToInt32(block, i));
                    lock (all) all.AddRange(mine);
                };
                Task.WaitAll(Enumerable.Range(0, 4).Select(_ => Task.Run(reader)).ToArray());
                Check.Equal(200000, all.Count);
                all.Sort();
                Check.That(all.Select((n, i) => n == i).All(same => same));
            }
        }

        public static void Many_threads_on_one_file()
        {
            byte[] content = Office.Noise(500000, 8);
            Office.Seal("shared.bulla", content);
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("shared.bulla"))
            {
                Parallel.For(0, 200, i =>
                {
                    var buffer = new byte[3000];
                    Check.Equal(3000, file.ReadAt(i * 2000, buffer, 0, 3000));
                    Check.That(buffer.SequenceEqual(content.Skip(i * 2000).Take(3000)));
                });
            }
        }

        /// <summary>The file closes after the read that uses it, which gets what it asked for.</summary>
        public static void Dispose_during_a_read()
        {
            byte[] content = Office.Noise(100000, 4);
            Office.Seal("slow.bulla", content);
            var kept = new Troubled(File.ReadAllBytes("slow.bulla"));
            using (BullaSession session = Office.Desk())
            using (var goOn = new ManualResetEvent(false))
            {
                SealedFile file = session.Open(kept);
                SealedStream stream = file.OpenRead();
                bool reading = false;
                kept.OnRead = () =>
                {
                    reading = true;
                    goOn.WaitOne();
                };
                var buffer = new byte[100];
                Task<int> read = stream.ReadAsync(buffer, 0, 100);
                Check.Soon(() => reading);
                Check.That(!read.IsCompleted); // and this thread was not held up
                stream.Dispose();
                file.Dispose();
                Check.Equal(0, kept.Disposed);
                goOn.Set();
                Check.Equal(100, read.Result);
                Check.Bytes(content.Take(100).ToArray(), buffer);
                Check.Soon(() => kept.Disposed == 1);
                Check.Throws<ObjectDisposedException>(() => file.ReadAt(0, buffer, 0, 1));
            }
        }

        public static void Cancelled_reads_leave_the_position()
        {
            byte[] content = Office.Noise(8 << 20, 4);
            Office.Seal("cancelled.bulla", content);
            var kept = new Troubled(File.ReadAllBytes("cancelled.bulla"));
            using (BullaSession session = Office.Desk())
            using (var stop = new CancellationTokenSource())
            using (SealedFile file = session.Open(kept))
            using (SealedStream stream = file.OpenRead())
            {
                var buffer = new byte[content.Length];
                stream.Position = 7;
                kept.OnRead = stop.Cancel;
                var cancelled = Check.Throws<AggregateException>(
                    () => stream.ReadAsync(buffer, 0, buffer.Length, stop.Token).Wait());
                Check.That(cancelled.InnerException is OperationCanceledException, "" + cancelled);
                Check.Equal(7L, stream.Position);
                kept.OnRead = () => { };
                Check.Equal(content.Length - 7, stream.ReadAsync(buffer, 0, buffer.Length).Result);
                Check.Equal((long)content.Length, stream.Position);
                Check.That(buffer.Take(content.Length - 7).SequenceEqual(content.Skip(7)));
                Check.That(stream.ReadAsync(buffer, 0, 1, stop.Token).IsCanceled);
            }
        }
    }
}
