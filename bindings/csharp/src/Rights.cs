using System;
using System.Collections.Generic;

namespace Bulla
{
    /// <summary>What a policy may grant. No right contains another.</summary>
    [Flags]
    public enum Rights
    {
        /// <summary>Nothing.</summary>
        None = 0,

        /// <summary>Read the contents in a program.</summary>
        View = 1,

        /// <summary>Save changed contents back, sealed under the same license.</summary>
        Edit = 2,

        /// <summary>Print.</summary>
        Print = 4,

        /// <summary>Put contents on the clipboard.</summary>
        Copy = 8,

        /// <summary>Take pictures of the screen.</summary>
        Capture = 16,

        /// <summary>Let plain bytes leave.</summary>
        Export = 32
    }

    /// <summary>
    /// What a program must do while it uses a right. It declares at the start of a session which of them it really
    /// carries out; a right whose duties are not among them is not granted.
    /// </summary>
    [Flags]
    public enum Duties
    {
        /// <summary>Nothing.</summary>
        None = 0,

        /// <summary>Draw the file's watermark over what is shown or printed.</summary>
        Watermark = 1,

        /// <summary>Keep the screen from being captured: see <see cref="ScreenGuard"/>.</summary>
        BlockCapture = 2,

        /// <summary>Keep contents from the clipboard: see <see cref="ScreenGuard"/>.</summary>
        BlockClipboard = 4,

        /// <summary>Hide the named columns.</summary>
        Mask = 8,

        /// <summary>Remove decrypted remains when the file is closed.</summary>
        Wipe = 16
    }

    /// <summary>The duties on one right.</summary>
    public sealed class RightDuties
    {
        /// <summary>The duties.</summary>
        public Duties Duties { get; }

        /// <summary>The columns to hide, with <see cref="Bulla.Duties.Mask"/>; empty otherwise.</summary>
        public IReadOnlyList<string> MaskedColumns { get; }

        internal RightDuties(Duties duties, IReadOnlyList<string> maskedColumns)
        {
            Duties = duties;
            MaskedColumns = maskedColumns;
        }

        /// <summary>Whether all of these duties are among them.</summary>
        /// <param name="duties">One or more duties.</param>
        /// <returns>Whether they are.</returns>
        public bool Has(Duties duties) => (Duties & duties) == duties;
    }

    internal static class Names
    {
        private static readonly KeyValuePair<Duties, string>[] OfDuties =
        {
            new KeyValuePair<Duties, string>(Duties.Watermark, "watermark"),
            new KeyValuePair<Duties, string>(Duties.BlockCapture, "block-capture"),
            new KeyValuePair<Duties, string>(Duties.BlockClipboard, "block-clipboard"),
            new KeyValuePair<Duties, string>(Duties.Mask, "mask"),
            new KeyValuePair<Duties, string>(Duties.Wipe, "wipe")
        };

        internal static IList<string> Of(Duties duties)
        {
            var names = new List<string>();
            foreach (var each in OfDuties)
            {
                if ((duties & each.Key) != 0) names.Add(each.Value);
                duties &= ~each.Key;
            }
            if (duties != 0) throw BullaException.BadArgument("duties has a bit that is no duty");
            return names;
        }
    }
}
