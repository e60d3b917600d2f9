namespace Bulla
{
    /// <summary>What an issuer's sealer is made of.</summary>
    public sealed class SealerOptions
    {
        /// <summary>The issuer's home folder; null for <c>$BULLA_HOME</c>, else the platform's own place.</summary>
        public string Home { get; set; }

        /// <summary>The passphrase of the root's key file; null if it has none.</summary>
        public string Passphrase { get; set; }

        /// <summary>In whose trail each file is recorded; null for nobody's.</summary>
        public BullaSession Session { get; set; }

        /// <summary>A label that stands in the clear: at most 256 bytes; null for none.</summary>
        public string Label { get; set; }

        /// <summary>The policy: JSON, at most 64 KiB.</summary>
        public string Policy { get; set; }

        /// <summary>To whom: public lines of identities, one a line, 1 to 500.</summary>
        public string Recipients { get; set; }

        /// <summary>
        /// Whether all files share a key that is wrapped once a recipient, not once a file: sealing and opening many
        /// then costs little more than one. Who can open one of them can open all.
        /// </summary>
        public bool Batch { get; set; }

        /// <summary>
        /// Whether recipients may differ in the kind of their keys: the file is then as weak as the weakest.
        /// </summary>
        public bool MixedKinds { get; set; }
    }

    /// <summary>How one file is sealed.</summary>
    public sealed class SealOptions
    {
        /// <summary>Whether to replace a file that is there. Otherwise it is left, and the call fails.</summary>
        public bool Replace { get; set; }

        /// <summary>Name, type and times; null for none, or for those of the plain file where there is one.</summary>
        public Metadata Metadata { get; set; }
    }
}
