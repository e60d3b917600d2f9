using System;
using System.IO;
using System.Threading;

namespace Bulla.Tests
{
    public static class WriteTests
    {
        public static void Complete_makes_the_file()
        {
            File.Delete("written.bulla");
            using (Sealer sealer = Office.Issuer())
            using (SealedWriter writer = sealer.Begin("written.bulla"))
            {
                byte[] cards = Office.Bytes(Office.Cards);
                writer.Write(cards, 0, 10);
                writer.WriteAsync(cards, 10, cards.Length - 10).Wait();
                writer.Write(new byte[0], 0, 0);
                writer.Flush();
                Check.That(!File.Exists("written.bulla"));
                Check.That(writer.CanWrite && !writer.CanRead && !writer.CanSeek);
                Check.Equal((long)cards.Length, writer.Position);
                Check.Throws<NotSupportedException>(() => writer.Seek(0, SeekOrigin.Begin));
                Check.Throws<NotSupportedException>(() => writer.Read(cards, 0, 1));
                Check.Equal(32, writer.FileId.Length);
                writer.CompleteAsync().Wait();
                Check.That(File.Exists("written.bulla"));
                Check.Throws<BullaStateException>(BullaCode.BadState, () => writer.Complete());
                Check.Throws<BullaStateException>(BullaCode.BadState, () => writer.Write(cards, 0, 1));
            }
            using (BullaSession session = Office.Desk())
                Check.Bytes(Office.Bytes(Office.Cards), Office.Open(session, "written.bulla"));
        }

        public static void Without_Complete_nothing_is_left()
        {
            int before = Directory.GetFileSystemEntries(".").Length;
            using (Sealer sealer = Office.Issuer())
            {
                Check.Throws<InvalidOperationException>(() =>
                {
                    using (SealedWriter writer = sealer.Begin("never.bulla"))
                    {
                        writer.Write(Office.Noise(200000, 1), 0, 200000);
                        throw new InvalidOperationException("the export failed");
                    }
                });
            }
            Check.That(!File.Exists("never.bulla"));
            Check.Equal(before, Directory.GetFileSystemEntries(".").Length);

            Office.Seal("stays.bulla", "old");
            using (BullaSession session = Office.Desk())
            {
                using (SealedFile file = session.Open("stays.bulla"))
                using (SealedWriter writer = file.Save())
                    writer.Write(new byte[9], 0, 9);
                Check.Bytes(Office.Bytes("old"), Office.Open(session, "stays.bulla"));
            }
        }

        public static void Saves()
        {
            Office.Seal("saved.bulla", "old");
            using (BullaSession session = Office.Desk())
            {
                using (SealedFile file = session.Open("saved.bulla"))
                using (SealedWriter first = file.Save(new Metadata { Name = "renamed.csv" }))
                using (SealedWriter second = file.Save())
                {
                    first.Write(Office.Bytes("new"), 0, 3);
                    first.Complete();
                    Check.Throws<BullaStateException>(BullaCode.ChangedMeanwhile, () => second.Complete());
                }
                using (SealedFile file = session.Open("saved.bulla"))
                {
                    Check.Equal(2L, file.Revision);
                    Check.Equal("renamed.csv", file.Metadata.Name);
                }
                Check.Bytes(Office.Bytes("new"), Office.Open(session, "saved.bulla"));
            }
        }

        public static void Seals_files()
        {
            File.WriteAllText("cards.csv", Office.Cards);
            foreach (string each in new[] { "one.bulla", "two.bulla", "three.bulla" }) File.Delete(each);
            using (Sealer sealer = Office.Issuer("all.json", true))
            {
                long done = 0;
                string id = sealer.SealFile("cards.csv", "one.bulla", null, new Told(p => done = p.Done));
                Check.Equal((long)Office.Cards.Length, done);
                Check.That(BullaLibrary.Inspect("one.bulla").Json.Contains(id));
                Check.Equal(32, sealer.SealFileAsync("cards.csv", "two.bulla").Result.Length);
                Check.Throws<BullaIOException>(BullaCode.Exists, () => sealer.SealFile("cards.csv", "one.bulla"));
                Check.Throws<BullaIOException>(BullaCode.NotFound, () => sealer.SealFile("none", "three.bulla"));
                var stop = new CancellationTokenSource();
                Check.Throws<OperationCanceledException>(() => sealer.SealFile("cards.csv", "three.bulla", null,
                    new Told(p => stop.Cancel()), stop.Token));
                Check.That(!File.Exists("three.bulla"));
            }
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("one.bulla"))
                Check.Equal("cards.csv", file.Metadata.Name);
        }

        public static void Seals_under_a_template()
        {
            string template = File.ReadAllText("cards.template");
            using (BullaSession session = Office.Desk())
            {
                Check.Throws<BullaDeniedException>(BullaCode.NotPermitted, () => Sealer.FromTemplate(session, template));
                Check.Throws<BullaFormatException>(BullaCode.BadToken, () => Sealer.FromTemplate(session, "none"));
                using (Sealer sealer = Sealer.FromTemplate(session, template, File.ReadAllText("desk.permit"), true))
                    sealer.SealBytes(Office.Bytes("made here"), "here.bulla", new SealOptions { Replace = true });
                Check.Bytes(Office.Bytes("made here"), Office.Open(session, "here.bulla"));
            }
        }

        public static void An_issuer_of_a_session_records()
        {
            using (BullaSession session = Office.Desk())
            {
                long before = Office.Trail().Length;
                using (Sealer sealer = Sealer.Create(new SealerOptions
                {
                    Home = "issuer",
                    Session = session,
                    Policy = File.ReadAllText("all.json"),
                    Recipients = File.ReadAllText("desk/identity.pub")
                }))
                    sealer.SealBytes(new byte[3], "recorded.bulla", new SealOptions { Replace = true });
                Check.That(Office.Trail().Length > before);
            }
            string to = File.ReadAllText("desk/identity.pub");
            var bad = new SealerOptions { Home = "issuer", Policy = "{", Recipients = to };
            Check.Throws<BullaArgumentException>(BullaCode.BadPolicy, () => Sealer.Create(bad));
        }
    }
}
