using System;
using System.IO;
using System.Text;

namespace Bulla.Tests
{
    /// <summary>
    /// The folder that run.sh has made, which is the working folder: homes `issuer`, `desk` and `locked`, policies,
    /// a template with a permit.
    /// </summary>
    public static class Office
    {
        public const string Cards = "name,phone,ssn\nKim,010-1,900101\nLee,010-2,910202\n";

        public static bool OnWindows => Path.DirectorySeparatorChar == '\\';

        public static BullaSession Desk(Duties duties = Duties.None) =>
            BullaSession.Start(new SessionOptions { Home = "desk", Duties = duties, Ticket = "T-1" });

        public static Sealer Issuer(string policy = "all.json", bool batch = false) => Sealer.Create(new SealerOptions
        {
            Home = "issuer",
            Label = "customer-data",
            Policy = File.ReadAllText(policy),
            Recipients = File.ReadAllText("desk/identity.pub"),
            Batch = batch
        });

        public static string Seal(string path, byte[] content, string policy = "all.json")
        {
            using (Sealer sealer = Issuer(policy))
                return sealer.SealBytes(content, path, new SealOptions { Replace = true });
        }

        public static string Seal(string path, string content, string policy = "all.json") =>
            Seal(path, Bytes(content), policy);

        /// <summary>The desk's trail, which the library may have open for writing.</summary>
        public static string Trail()
        {
            using (var file = new FileStream("desk/trail.jsonl", FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete))
            using (var reader = new StreamReader(file))
                return reader.ReadToEnd();
        }

        public static byte[] Bytes(string text) => new UTF8Encoding(false, true).GetBytes(text);

        /// <summary>Bytes that look random and are the same for the same seed.</summary>
        public static byte[] Noise(int length, int seed)
        {
            var bytes = new byte[length];
            new Random(seed).NextBytes(bytes);
            return bytes;
        }

        public static byte[] ReadAll(Stream stream)
        {
            using (var all = new MemoryStream())
            {
                stream.CopyTo(all);
                return all.ToArray();
            }
        }

        public static byte[] Open(BullaSession session, string path)
        {
            using (SealedStream stream = session.OpenRead(path)) return ReadAll(stream);
        }
    }

    /// <summary>A stream that can be made to wait, or to throw.</summary>
    public sealed class Troubled : MemoryStream
    {
        public Action OnRead = () => { };
        public Action OnWrite = () => { };
        public Action OnFlush = () => { };
        public Action OnDispose = () => { };
        public int Disposed;

        public Troubled()
        {
        }

        public Troubled(byte[] content) : base(content)
        {
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            OnRead();
            return base.Read(buffer, offset, count);
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            OnWrite();
            base.Write(buffer, offset, count);
        }

        public override void Flush() => OnFlush();

        protected override void Dispose(bool disposing)
        {
            Disposed++;
            OnDispose();
            base.Dispose(disposing);
        }
    }
}
