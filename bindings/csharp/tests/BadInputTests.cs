using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;

namespace Bulla.Tests
{
    public static class BadInputTests
    {
        private static readonly string[] Lone = { "\ud800.bulla", "a\udc00", "\udc00\ud800", "x\udbff" };

        /// <summary>
        /// Never another file than the one that was named. Windows has such files; elsewhere they are refused.
        /// </summary>
        public static void Lone_surrogates()
        {
            using (BullaSession session = Office.Desk())
            using (Sealer sealer = Office.Issuer())
            {
                foreach (string name in Lone)
                {
                    string[] before = Directory.GetFileSystemEntries(".");
                    if (Office.OnWindows && SystemCan(name))
                    {
                        sealer.SealBytes(new byte[3], name);
                        Check.That(File.Exists(name));
                        Check.Equal(3L, BullaLibrary.Inspect(name).ContentSize);
                        Check.Equal(3, Office.Open(session, name).Length);
                        File.Delete(name);
                    }
                    else if (!Office.OnWindows)
                    {
                        Refused(() => sealer.SealBytes(new byte[3], name));
                        Refused(() => session.Open(name));
                        Refused(() => BullaLibrary.Inspect(name));
                        Refused(() => BullaSession.Start(new SessionOptions { Home = name }));
                    }
                    Refused(() => session.Explain(name));
                    Refused(() => BullaLibrary.VerifyTrail(name));
                    Refused(() => BullaSession.Start(new SessionOptions { Home = "desk", Ticket = name }));
                    Refused(() => sealer.SealBytes(new byte[0], new MemoryStream(), false,
                        new SealOptions { Metadata = new Metadata { Name = name } }));
                    Check.Equal(before.Length, Directory.GetFileSystemEntries(".").Length);
                }
            }
        }

        private static void Refused(Action action) => Check.Throws<BullaArgumentException>(BullaCode.BadArgument, action);

        private static bool SystemCan(string name)
        {
            try
            {
                File.WriteAllText(name, "x");
                File.Delete(name);
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        }

        public static void Odd_paths()
        {
            using (BullaSession session = Office.Desk())
            using (Sealer sealer = Office.Issuer())
            {
                Office.Seal("odd.bulla", "x");
                Refused(() => session.Open("odd.bulla\0.txt"));
                Refused(() => sealer.SealBytes(new byte[1], "cut\0off.bulla"));
                Check.That(!File.Exists("cut"));
                Check.Throws<ArgumentNullException>(() => session.Open((string)null));
                Check.Throws<ArgumentNullException>(() => sealer.SealFile(null, "x"));
                Check.Throws<ArgumentNullException>(() => Sealer.Create(null));
                Check.Throws<ArgumentNullException>(() => Sealer.FromTemplate(null, "x"));
                BullaException empty = null;
                try
                {
                    session.Open("");
                }
                catch (BullaException e)
                {
                    empty = e;
                }
                Check.That(empty is BullaArgumentException || empty is BullaIOException, "" + empty);
                foreach (string good in new[] { "고객 명단.bulla", "😀.bulla", "./a b.bulla" })
                {
                    Office.Seal(good, "x");
                    Check.Equal(1, Office.Open(session, good).Length);
                }
            }
        }

        public static void Empty_arrays()
        {
            var none = new byte[0];
            Office.Seal("empty.bulla", none);
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("empty.bulla"))
            using (SealedStream stream = file.OpenRead())
            {
                Check.Equal(0L, file.Length);
                Check.Equal(0, stream.Read(none, 0, 0));
                Check.Equal(0, stream.ReadAsync(none, 0, 0).Result);
                Check.Equal(0, file.ReadAt(5, none, 0, 0));
                Check.Equal(0, stream.Read(new byte[9], 9, 0));
                session.UseBadge("", new string[0]);
            }
            Check.That(!BullaLibrary.IsSealed(none));
            using (Sealer sealer = Office.Issuer())
            {
                var policy = new SealerOptions { Home = "issuer", Policy = "", Recipients = "" };
                Check.Throws<BullaArgumentException>(() => Sealer.Create(policy));
                using (SealedWriter writer = sealer.Begin(new MemoryStream()))
                {
                    writer.Write(none, 0, 0);
                    writer.Complete();
                }
            }
        }

        public static void Bounds()
        {
            var ten = new byte[10];
            Office.Seal("ten.bulla", ten);
            using (BullaSession session = Office.Desk())
            using (SealedStream stream = session.OpenRead("ten.bulla"))
            {
                Check.Throws<ArgumentNullException>(() => stream.Read(null, 0, 0));
                Check.Throws<ArgumentOutOfRangeException>(() => stream.Read(ten, -1, 1));
                Check.Throws<ArgumentOutOfRangeException>(() => stream.Read(ten, 0, -1));
                Check.Throws<ArgumentException>(() => stream.Read(ten, 5, 6));
                Check.Throws<ArgumentException>(() => stream.Read(ten, int.MaxValue, int.MaxValue));
                Check.Throws<ArgumentException>(() => { stream.ReadAsync(ten, 11, 0); });
                Check.Throws<ArgumentOutOfRangeException>(() => stream.File.ReadAt(-1, ten, 0, 1));
                Check.Throws<ArgumentOutOfRangeException>(() => stream.Position = -1);
                Check.Throws<IOException>(() => stream.Seek(-11, SeekOrigin.End));
                Check.Throws<ArgumentException>(() => stream.Seek(0, (SeekOrigin)9));
                Check.Equal(0L, stream.Position);
            }
        }

        public static void Offsets_above_2_39()
        {
            Office.Seal("short.bulla", "content");
            var buffer = new byte[10];
            using (BullaSession session = Office.Desk())
            using (SealedStream stream = session.OpenRead("short.bulla"))
            {
                foreach (long far in new[] { (1L << 39) + 1, 1L << 40, 1L << 62, long.MaxValue })
                {
                    stream.Position = far;
                    Check.Equal(far, stream.Position);
                    Check.Equal(0, stream.Read(buffer, 0, 10));
                    Check.Equal(far, stream.Position);
                    Check.Equal(0, stream.File.ReadAt(far, buffer, 0, 10));
                }
                Check.Throws<IOException>(() => stream.Seek(1, SeekOrigin.Current));
                Check.Equal(0L, stream.Seek(long.MinValue + 1 + long.MaxValue, SeekOrigin.Begin));
                Check.Throws<IOException>(() => stream.Seek(long.MinValue, SeekOrigin.End));
                Check.Equal(7, stream.Read(buffer, 0, 10));
            }
        }

        public static void After_Dispose()
        {
            Office.Seal("gone.bulla", "x");
            var buffer = new byte[10];
            BullaSession session = Office.Desk();
            SealedFile file = session.Open("gone.bulla");
            SealedStream stream = file.OpenRead();
            stream.Dispose();
            stream.Dispose();
            Check.That(!stream.CanRead && !stream.CanSeek);
            Gone(() => stream.Read(buffer, 0, 1));
            Gone(() => { stream.ReadAsync(buffer, 0, 1); });
            Gone(() => Check.Equal(0L, stream.Position));
            Gone(() => Check.Equal(0L, stream.Length));
            Gone(() => stream.Seek(0, SeekOrigin.Begin));
            Check.Equal(1, file.ReadAt(0, buffer, 0, 1)); // not the stream's to close
            SealedStream other = file.OpenRead();
            file.Dispose();
            file.Dispose();
            Gone(() => other.Read(buffer, 0, 1));
            Gone(() => Check.Equal(0L, file.Length));
            Gone(() => Check.That(file.Id == null));
            Gone(() => Check.That(file.Metadata == null));
            Gone(() => file.Export(new MemoryStream()));
            session.Dispose();
            session.Dispose();
            Gone(() => session.Open("gone.bulla"));
            var kept = new Troubled(new byte[100]);
            Gone(() => session.Open(kept));
            Gone(() => session.Refresh());
            Gone(() => session.VerifyTrail());
            Sealer sealer = Office.Issuer();
            SealedWriter writer = sealer.Begin("gone-too.bulla");
            sealer.Dispose();
            Gone(() => sealer.Begin("gone-too.bulla"));
            Gone(() => sealer.Begin(new MemoryStream()));
            writer.Write(buffer, 0, 1); // goes on without it
            writer.Dispose();
            Gone(() => writer.Write(buffer, 0, 1));
            Gone(() => writer.Complete());
            Gone(() => Check.That(writer.FileId == null));
            Check.That(!File.Exists("gone-too.bulla"));
        }

        /// <summary>A stream given to what was disposed is held by nobody.</summary>
        public static void Streams_are_let_go()
        {
            Office.Seal("let-go.bulla", "x");
            BullaSession session = Office.Desk();
            SealedFile file = session.Open("let-go.bulla");
            Sealer sealer = Office.Issuer();
            file.Dispose();
            session.Dispose();
            sealer.Dispose();
            var streams = new List<WeakReference>();
            var thread = new Thread(() =>
            {
                foreach (Action<Stream> use in new Action<Stream>[]
                {
                    s => file.Export(s), s => file.SaveTo(s), s => sealer.Begin(s), s => session.Open(s)
                })
                {
                    var stream = new MemoryStream(new byte[10]);
                    streams.Add(new WeakReference(stream));
                    Gone(() => use(stream));
                }
            });
            thread.Start();
            thread.Join();
            Check.Equal(4, streams.Count);
            Check.Soon(() =>
            {
                GC.Collect();
                return streams.All(each => !each.IsAlive);
            });
        }

        private static void Gone(Action action) => Check.Throws<ObjectDisposedException>(action);
    }
}
