using System;
using System.IO;
using System.Linq;

namespace Bulla.Tests
{
    public static class ErrorTests
    {
        public static void Kinds()
        {
            File.WriteAllText("plain.txt", "just text, and more of it");
            using (BullaSession session = Office.Desk())
            {
                var plain = Check.Throws<BullaNotSealedException>(BullaCode.NotSealed, () => session.Open("plain.txt"));
                Check.That(plain is BullaFormatException && !plain.Message.Contains("plain.txt"));
                Check.Throws<BullaIOException>(BullaCode.NotFound, () => session.Open("nowhere"));
                Office.Seal("changed.bulla", Office.Noise(100000, 2));
                byte[] bytes = File.ReadAllBytes("changed.bulla");
                bytes[bytes.Length - 50000] ^= 1;
                File.WriteAllBytes("changed.bulla", bytes);
                Check.Throws<BullaTamperedException>(BullaCode.BadChunk, () => Office.Open(session, "changed.bulla"));
                Office.Seal("changed.bulla", "abc");
                bytes = File.ReadAllBytes("changed.bulla");
                File.WriteAllBytes("changed.bulla", bytes.Take(bytes.Length - 30).ToArray());
                Check.Throws<BullaFormatException>(BullaCode.BadLength, () => session.Open("changed.bulla"));
            }
        }

        public static void A_denial_carries_its_reasons()
        {
            Office.Seal("denied.bulla", "x", "nobody.json");
            using (BullaSession session = Office.Desk())
            {
                var denied = Check.Throws<BullaDeniedException>(BullaCode.Denied, () => session.Open("denied.bulla"));
                Refusal reason = denied.Decision.Refused.Single();
                Check.That(reason.Grant == null);
                Check.Equal("posture", reason.Failed);
                Check.Equal("unknown", reason.Cause);
                Check.Equal("attested", reason.Accept);
                Check.That(reason.Wanted.Contains("never") && reason.Message.Length > 0);
                Check.Equal(Rights.None, denied.Decision.Rights);
                Check.That(denied.Decision.Until == null && denied.Decision.Json.StartsWith("{"));

                Office.Seal("hours.bulla", "x", "hours.json");
                denied = Check.Throws<BullaDeniedException>(BullaCode.Denied, () => session.Open("hours.bulla"));
                reason = denied.Decision.Refused[1];
                Check.Equal(1, reason.Grant.Value);
                Check.Equal("valid", reason.Failed);
                Check.Equal("unmet", reason.Cause);
                Check.Equal("measured", reason.By);
                Check.Equal("badge", denied.Decision.Refused[0].Failed);
            }
        }

        public static void Every_code_has_its_name_and_kind()
        {
            foreach (BullaCode code in Enum.GetValues(typeof(BullaCode)))
            {
                Check.Equal(Inside.NativeNameOf(code), Inside.NameOf(code));
                if (code == BullaCode.Ok) continue;
                Check.That((Inside.ExceptionOf((int)code) is BullaInternalException) == (code == BullaCode.Internal));
            }
            Check.That(Inside.ExceptionOf(499) is BullaDeniedException); // of tomorrow
            Check.That(Inside.ExceptionOf(12345) is BullaInternalException);
        }
    }
}
