using System;
using System.IO;

namespace Bulla.Interop
{
    /// <summary>What each language has, so that each can open what every other has sealed.</summary>
    public static class Program
    {
        private const int Block = 1024 * 1024;

        private static int Usage()
        {
            Console.Error.WriteLine("usage: interop seal HOME TEMPLATE IN OUT [IN OUT]...\n" +
                "       interop open HOME FILE OUT [FILE OUT]...\n       interop deny HOME FILE");
            return 2;
        }

        public static int Main(string[] arguments)
        {
            string verb = arguments.Length < 3 ? "" : arguments[0];
            int rest = arguments.Length - (verb == "seal" ? 3 : 2);
            if (verb == "deny" ? rest != 1 : rest < 2 || rest % 2 != 0 || (verb != "seal" && verb != "open"))
                return Usage();
            try
            {
                using (BullaSession session = BullaSession.Start(new SessionOptions { Home = arguments[1] }))
                {
                    switch (verb)
                    {
                        case "seal": return Seal(session, arguments);
                        case "open": return Open(session, arguments);
                        default: return Deny(session, arguments[2]);
                    }
                }
            }
            catch (BullaException e)
            {
                Console.Error.WriteLine((int)e.Code + "\t" + e.Name);
                return 1;
            }
        }

        private static int Seal(BullaSession session, string[] arguments)
        {
            using (Sealer sealer = Sealer.FromTemplate(session, File.ReadAllText(arguments[2])))
            {
                for (int i = 3; i < arguments.Length; i += 2)
                {
                    using (FileStream from = File.OpenRead(arguments[i]))
                    using (SealedWriter to = sealer.Begin(arguments[i + 1]))
                    {
                        from.CopyTo(to, Block);
                        to.Complete();
                    }
                }
            }
            return 0;
        }

        private static int Open(BullaSession session, string[] arguments)
        {
            for (int i = 2; i < arguments.Length; i += 2)
            {
                using (SealedStream from = session.OpenRead(arguments[i]))
                using (FileStream to = File.Create(arguments[i + 1]))
                    from.CopyTo(to, Block);
            }
            return 0;
        }

        private static int Deny(BullaSession session, string path)
        {
            try
            {
                session.Open(path).Dispose();
                return 0;
            }
            catch (BullaDeniedException e) when (e.Decision != null)
            {
                Console.WriteLine((int)e.Code + "\t" + e.Name);
                foreach (Refusal reason in e.Decision.Refused) Console.WriteLine(reason.Failed + "\t" + reason.Cause);
                return 3;
            }
        }
    }
}
