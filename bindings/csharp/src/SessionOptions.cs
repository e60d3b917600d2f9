using System.Collections.Generic;

namespace Bulla
{
    /// <summary>What a session starts with.</summary>
    public sealed class SessionOptions
    {
        /// <summary>The home folder; null for <c>$BULLA_HOME</c>, else the platform's own place.</summary>
        public string Home { get; set; }

        /// <summary>The passphrase of the identity's key file; null if it has none.</summary>
        public string Passphrase { get; set; }

        /// <summary>A badge in place of the home's; null for the home's.</summary>
        public string Badge { get; set; }

        /// <summary>Attestations beside the home's.</summary>
        public IList<string> Attestations { get; } = new List<string>();

        /// <summary>
        /// What the program really carries out. A right whose duties are not among them is not granted. For captures
        /// and the clipboard, <see cref="ScreenGuard.Duties"/> says what may be declared.
        /// </summary>
        public Duties Duties { get; set; }

        /// <summary>The ticket, case or call that the work is for: up to 256 bytes; null for none.</summary>
        public string Ticket { get; set; }

        /// <summary>
        /// What the program says of the device, as JSON: docs/policy.md, "Facts". It counts as asserted. Null for
        /// nothing.
        /// </summary>
        public string Asserted { get; set; }
    }

    /// <summary>How a file is opened.</summary>
    public sealed class OpenOptions
    {
        /// <summary>The right without which it is not opened.</summary>
        public Rights Right { get; set; } = Rights.View;

        /// <summary>Whether a license or content older than one that this device has seen will do.</summary>
        public bool AllowOlder { get; set; }
    }
}
