using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;

namespace Bulla.Tests
{
    public static class ReadTests
    {
        private const int Size = 300000;

        public static void Reads_and_seeks()
        {
            byte[] content = Office.Noise(Size, 5);
            Office.Seal("long.bulla", content);
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("long.bulla"))
            using (SealedStream stream = file.OpenRead())
            {
                session.Dispose(); // the file goes on
                var buffer = new byte[50000];
                Check.Equal((long)Size, stream.Length);
                Check.Equal(40000, file.ReadAt(16000, buffer, 7, 40000));
                Check.Bytes(Part(content, 16000, 40000), Part(buffer, 7, 40000));
                Check.Equal(3, file.ReadAt(Size - 3, buffer, 0, 10));
                Check.Equal(0, file.ReadAt(Size, buffer, 0, 10));
                Check.Equal(0L, stream.Position);
                Check.Equal(content[0], (byte)stream.ReadByte());
                Check.Equal(100L, stream.Seek(99, SeekOrigin.Current));
                Check.Equal(10, stream.Read(buffer, 3, 10));
                Check.Bytes(Part(content, 100, 10), Part(buffer, 3, 10));
                Check.Equal(Size - 5L, stream.Seek(-5, SeekOrigin.End));
                Check.Equal(5, stream.Read(buffer, 0, 10));
                Check.Equal(-1, stream.ReadByte());
                stream.Position = 0;
                Check.Bytes(content, Office.ReadAll(stream));
                Check.That(stream.CanRead && stream.CanSeek && !stream.CanWrite);
                Check.Throws<NotSupportedException>(() => stream.Write(buffer, 0, 1));
                Check.Throws<NotSupportedException>(() => stream.SetLength(1));
                stream.Flush();
            }
        }

        public static void Lines_by_a_StreamReader()
        {
            Office.Seal("cards.bulla", Office.Cards);
            using (BullaSession session = Office.Desk())
            using (var reader = new StreamReader(session.OpenRead("cards.bulla")))
            {
                Check.Equal("name,phone,ssn", reader.ReadLine());
                Check.Equal("Kim,010-1,900101", reader.ReadLine());
            }
        }

        public static void Exports()
        {
            byte[] content = Office.Noise(3000000, 6);
            Office.Seal("big.bulla", content);
            File.Delete("big.bin");
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("big.bulla"))
            {
                var seen = new List<BullaProgress>();
                Check.Equal((long)content.Length, file.Export("big.bin", false, new Told(seen.Add)));
                Check.Bytes(content, File.ReadAllBytes("big.bin"));
                Check.That(seen.Count > 1 && seen.Last().Done == content.Length && seen.Last().Total == content.Length);
                Check.Throws<BullaIOException>(BullaCode.Exists, () => file.Export("big.bin"));
                Check.Equal((long)content.Length, file.ExportAsync("big.bin", true).Result);

                var stop = new CancellationTokenSource();
                var cancelled = Check.Throws<OperationCanceledException>(
                    () => file.Export("new.bin", false, new Told(p => stop.Cancel()), stop.Token));
                Check.That(cancelled.CancellationToken == stop.Token && !File.Exists("new.bin"));
                Check.Throws<OperationCanceledException>(() => file.Export("new.bin", false, null, stop.Token));

                using (var memory = new MemoryStream())
                {
                    Check.Equal((long)content.Length, file.Export(memory, true));
                    Check.Bytes(content, memory.ToArray());
                }
            }
        }

        public static void Inspects()
        {
            string id = Office.Seal("seen.bulla", Office.Cards);
            Inspection seen = BullaLibrary.Inspect("seen.bulla");
            Check.Equal((long)Office.Cards.Length, seen.ContentSize);
            Check.That(seen.Json.Contains(id) && seen.Json.Contains("customer-data"));
            byte[] envelope = File.ReadAllBytes("seen.bulla");
            var kept = new Troubled(envelope);
            Check.Equal(seen.Json, BullaLibrary.Inspect(kept, true).Json);
            Check.Equal(0, kept.Disposed);
            BullaLibrary.Inspect(kept);
            Check.Equal(1, kept.Disposed);
            Check.That(BullaLibrary.IsSealed(envelope) && !BullaLibrary.IsSealed(Office.Bytes(Office.Cards)));
            Check.That(BullaLibrary.Version.Contains("."));
            Check.That(Path.IsPathRooted(BullaLibrary.Location));
        }

        public static void Metadata_comes_back()
        {
            var metadata = new Metadata
            {
                Name = "고객 😀.csv",
                Modified = DateTimeOffset.FromUnixTimeMilliseconds(-5),
                MediaType = "text/csv"
            };
            string id;
            using (Sealer sealer = Office.Issuer())
                id = sealer.SealBytes(Office.Bytes("x"), "meta.bulla",
                    new SealOptions { Metadata = metadata, Replace = true });
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("meta.bulla"))
            {
                Check.Equal(id, file.Id);
                Check.Equal(1L, file.Revision);
                Metadata got = file.Metadata;
                Check.Equal(metadata.Name, got.Name);
                Check.Equal(metadata.MediaType, got.MediaType);
                Check.Equal(metadata.Modified, got.Modified);
                Check.That(got.Created == null);
            }
        }

        private static byte[] Part(byte[] of, int from, int length) => of.Skip(from).Take(length).ToArray();
    }

    /// <summary>Told at once, in the thread that reports; <see cref="Progress{T}"/> would tell it later.</summary>
    public sealed class Told : IProgress<BullaProgress>
    {
        private readonly Action<BullaProgress> tell;

        public Told(Action<BullaProgress> tell)
        {
            this.tell = tell;
        }

        public void Report(BullaProgress value) => tell(value);
    }
}
