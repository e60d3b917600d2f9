using System;
using System.IO;
using System.Threading;

namespace Bulla.Tests
{
    /// <summary>The program's own streams under the library. What they throw comes back as the original.</summary>
    public static class CallbackTests
    {
        private static readonly byte[] Content = Office.Noise(300000, 3);

        private static byte[] Envelope()
        {
            Office.Seal("kept.bulla", Content);
            return File.ReadAllBytes("kept.bulla");
        }

        public static void Envelopes_in_streams()
        {
            var made = new Troubled();
            using (Sealer sealer = Office.Issuer())
            {
                Check.Equal(32, sealer.SealBytes(Content, made, true).Length);
                Check.Equal(0, made.Disposed);
            }
            var kept = new Troubled(made.ToArray());
            using (BullaSession session = Office.Desk())
            {
                var again = new MemoryStream();
                using (SealedFile file = session.Open(kept))
                {
                    Check.Bytes(Content, Office.ReadAll(file.OpenRead()));
                    Check.Throws<BullaStateException>(BullaCode.BadState, () => file.Save());
                    using (SealedWriter writer = file.SaveTo(again, true, new Metadata { Name = "n" }))
                    {
                        writer.Write(Content, 0, 5);
                        writer.Complete();
                    }
                    Check.Equal(0, kept.Disposed);
                }
                Check.Equal(1, kept.Disposed);
                using (SealedFile file = session.Open(again))
                {
                    Check.Equal(5L, file.Length);
                    Check.Equal("n", file.Metadata.Name);
                    Check.Equal(2L, file.Revision);
                }
            }
        }

        public static void What_a_source_throws()
        {
            var kept = new Troubled(Envelope());
            var original = new InvalidDataException("the database is gone");
            using (BullaSession session = Office.Desk())
            {
                kept.OnRead = () => throw original;
                Check.That(Check.Throws<InvalidDataException>(() => session.Open(kept, true)) == original);
                Check.That(Check.Throws<InvalidDataException>(() => BullaLibrary.Inspect(kept, true)) == original);
                kept.OnRead = () => { };
                using (SealedFile file = session.Open(kept))
                {
                    kept.OnRead = () => throw original;
                    var buffer = new byte[10];
                    Check.That(Check.Throws<InvalidDataException>(() => file.ReadAt(9, buffer, 0, 10)) == original);
                    Check.That(original.StackTrace.Contains("Troubled"), original.StackTrace); // where it was thrown
                    SealedStream stream = file.OpenRead();
                    var aggregate = Check.Throws<AggregateException>(() => stream.ReadAsync(buffer, 0, 10).Wait());
                    Check.That(aggregate.InnerException == original);
                    kept.OnRead = () => { };
                    Check.Equal(10, file.ReadAt(9, buffer, 0, 10)); // it goes on
                    kept.OnDispose = () => throw original;
                    Check.That(Check.Throws<InvalidDataException>(file.Dispose) == original);
                    kept.OnDispose = () => { };
                }
            }
            // Closed if it cannot even be opened.
            var plain = new Troubled(new byte[100]);
            using (BullaSession session = Office.Desk())
                Check.Throws<BullaNotSealedException>(BullaCode.NotSealed, () => session.Open(plain));
            Check.Equal(1, plain.Disposed);
        }

        public static void What_a_sink_throws()
        {
            var original = new TimeoutException("the server is slow");
            using (Sealer sealer = Office.Issuer())
            {
                var sink = new Troubled { OnWrite = () => throw original };
                Check.That(Check.Throws<TimeoutException>(() => sealer.SealBytes(Content, sink)) == original);
                Check.Equal(1, sink.Disposed);
                sink = new Troubled { OnFlush = () => throw original };
                using (SealedWriter writer = sealer.Begin(sink, true))
                    Check.That(Check.Throws<TimeoutException>(writer.Complete) == original);
                sink = new Troubled();
                using (SealedWriter writer = sealer.Begin(sink))
                {
                    sink.OnWrite = () => throw original;
                    Check.Throws<TimeoutException>(() =>
                    {
                        while (true) writer.Write(Content, 0, Content.Length);
                    });
                    sink.OnWrite = () => { };
                    Check.Throws<BullaStateException>(BullaCode.BadState, writer.Complete);
                }
            }
            Envelope();
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("kept.bulla"))
                Check.That(Check.Throws<TimeoutException>(
                    () => file.Export(new Troubled { OnWrite = () => throw original })) == original);
        }

        public static void What_progress_throws()
        {
            var original = new ApplicationException("the window was closed");
            Envelope();
            File.Delete("p.bin");
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("kept.bulla"))
                Check.That(Check.Throws<ApplicationException>(
                    () => file.Export("p.bin", false, new Told(p => throw original))) == original);
            Check.That(!File.Exists("p.bin"));
        }

        /// <summary>A sealed file whose envelope is the content of another one; and errors that cross both.</summary>
        public static void One_in_the_other()
        {
            byte[] envelope = Envelope();
            Office.Seal("outer.bulla", envelope);
            using (BullaSession session = Office.Desk())
            using (SealedFile inner = session.Open(session.OpenRead("outer.bulla")))
            {
                Check.Bytes(Content, Office.ReadAll(inner.OpenRead()));
            }
            var kept = new Troubled(envelope);
            using (BullaSession session = Office.Desk())
            {
                // An error of the library, thrown in a callback, is the one that comes back.
                kept.OnRead = () => session.Open("nowhere");
                Check.Throws<BullaIOException>(BullaCode.NotFound, () => session.Open(kept, true));
                // One that the callback handled does not.
                kept.OnRead = () => Check.Throws<BullaIOException>(() => session.Open("nowhere"));
                session.Open(kept, true).Dispose();
            }
        }

        public static void Streams_that_will_not_do()
        {
            using (BullaSession session = Office.Desk())
            using (Sealer sealer = Office.Issuer())
            {
                Check.Throws<ArgumentNullException>(() => session.Open((Stream)null));
                Check.Throws<ArgumentNullException>(() => sealer.Begin((Stream)null));
                var closed = new MemoryStream();
                closed.Dispose();
                Check.Throws<BullaArgumentException>(BullaCode.BadArgument, () => session.Open(closed));
                Check.Throws<BullaArgumentException>(BullaCode.BadArgument, () => sealer.Begin(closed));
                using (SealedWriter writer = sealer.Begin(new MemoryStream()))
                    Check.Throws<BullaArgumentException>(BullaCode.BadArgument, () => BullaLibrary.Inspect(writer));
            }
        }
    }
}
