using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;

namespace Bulla.Tests
{
    public static class SessionTests
    {
        /// <summary>First: brief.json was made a moment ago.</summary>
        public static void Decisions_end()
        {
            Office.Seal("brief.bulla", "soon gone", "brief.json");
            using (BullaSession session = Office.Desk())
            using (SealedFile file = session.Open("brief.bulla"))
            using (SealedStream stream = file.OpenRead())
            {
                Check.That(file.Until.HasValue);
                BullaException end = null;
                var one = new byte[1];
                for (int i = 0; end == null && i < 3000; i++)
                {
                    try
                    {
                        stream.Position = 0;
                        Check.Equal(1, stream.Read(one, 0, 1));
                        Thread.Sleep(10);
                    }
                    catch (BullaDeniedException e)
                    {
                        end = e;
                    }
                }
                Check.That(end != null && end.Code == BullaCode.Ended, "" + end);
                Check.Throws<BullaDeniedException>(BullaCode.Ended, () => file.Use(Rights.Print));
            }
        }

        public static void Sessions_start()
        {
            Check.Throws<BullaStateException>(BullaCode.HomeIncomplete,
                () => BullaSession.Start(new SessionOptions { Home = "nobody" }));
            Check.Throws<BullaTamperedException>(BullaCode.WrongPassphrase,
                () => BullaSession.Start(new SessionOptions { Home = "locked", Passphrase = "wrong" }));
            BullaSession.Start(new SessionOptions { Home = "locked", Passphrase = "correct horse" }).Dispose();
            Check.Throws<BullaArgumentException>(BullaCode.BadArgument,
                () => BullaSession.Start(new SessionOptions { Home = "desk", Asserted = "{" }));
            Check.Throws<BullaArgumentException>(BullaCode.BadArgument,
                () => BullaSession.Start(new SessionOptions { Home = "desk", Ticket = "" }));
            Check.Throws<BullaArgumentException>(BullaCode.BadArgument,
                () => BullaSession.Start(new SessionOptions { Home = "desk", Duties = (Duties)64 }));
            var options = new SessionOptions { Home = "desk", Badge = "no badge" };
            options.Attestations.Add("no attestation");
            using (BullaSession session = BullaSession.Start(options))
            {
                Check.Equal(43, session.Device.Length);
                session.Refresh();
                session.UseBadge("neither", "nor", "these");
                Check.Throws<ArgumentNullException>(() => session.UseBadge(null));
            }
        }

        public static void Explains()
        {
            Office.Seal("explained.bulla", "x", "nobody.json");
            using (BullaSession session = Office.Desk())
            {
                Decision decision = session.Explain("explained.bulla");
                Check.Equal(Rights.None, decision.Rights);
                Check.Equal("posture", decision.Refused.Single().Failed);
                Check.That(session.Explain("explained.bulla", "{\"posture\":[\"never\"]}").Rights == Rights.View);
                Check.Throws<BullaArgumentException>(BullaCode.BadArgument,
                    () => session.Explain("explained.bulla", "{\"tim\":1}"));
            }
        }

        public static void Trails()
        {
            Office.Seal("trail.bulla", "x");
            using (BullaSession session = Office.Desk())
            {
                Office.Open(session, "trail.bulla");
                Check.That(session.VerifyTrail().Contains("\"records\":"));
            }
            Check.That(BullaLibrary.VerifyTrail("desk/trail.jsonl").Contains("\"records\":"));
            string text = Office.Trail();
            File.WriteAllText("changed.jsonl", text.Replace("\"event\":\"opened\"", "\"event\":\"closed\""));
            Check.Throws<BullaDeniedException>(BullaCode.BadTrail, () => BullaLibrary.VerifyTrail("changed.jsonl"));
        }

        public static void Rights_and_duties()
        {
            Office.Seal("masked.bulla", Office.Cards, "masked.json");
            using (BullaSession session = Office.Desk(Duties.Watermark | Duties.Mask))
            using (SealedFile file = session.Open("masked.bulla"))
            {
                Check.Equal(Rights.View | Rights.Print, file.Rights);
                Check.That(file.May(Rights.Print) && !file.May(Rights.Print | Rights.Copy));
                RightDuties duties = file.DutiesOf(Rights.View);
                Check.Equal(Duties.Watermark | Duties.Mask, duties.Duties);
                Check.Equal("phone ssn", string.Join(" ", duties.MaskedColumns));
                Check.Equal(Rights.View | Rights.Print, file.Decision.Rights);
                Check.That(file.Watermark.Contains("desk") && file.Watermark.Contains("T-1"), file.Watermark);
                Check.That(file.Until > DateTimeOffset.UtcNow);
                file.Use(Rights.Print);
                Check.Throws<BullaDeniedException>(BullaCode.MissingRight, () => file.Use(Rights.Copy));
                Check.Throws<BullaDeniedException>(BullaCode.MissingRight, () => file.DutiesOf(Rights.Export));
                Check.Throws<BullaArgumentException>(BullaCode.BadArgument, () => file.Use(Rights.View));
                Check.Throws<BullaDeniedException>(BullaCode.MissingRight, () => file.Export("masked.csv"));
                Check.That(!File.Exists("masked.csv"));
                Check.Throws<BullaDeniedException>(BullaCode.MissingRight, () => file.Save());
            }
            using (BullaSession session = Office.Desk(Duties.Mask))
            {
                var denied = Check.Throws<BullaDeniedException>(BullaCode.Denied, () => session.Open("masked.bulla"));
                WithheldRight withheld = denied.Decision.Withheld.First();
                Check.Equal(Rights.View, withheld.Right);
                Check.Equal("watermark", withheld.Undeclared.Single());
            }
        }

        public static void Opens_for_a_right()
        {
            Office.Seal("viewed.bulla", "x", "view.json");
            using (BullaSession session = Office.Desk())
            {
                Check.Throws<BullaDeniedException>(BullaCode.MissingRight,
                    () => session.Open("viewed.bulla", new OpenOptions { Right = Rights.Print }));
                session.Open("viewed.bulla", new OpenOptions { AllowOlder = true }).Dispose();
                session.OpenAsync("viewed.bulla").Result.Dispose();
            }
        }
    }
}
