using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Bulla
{
    /// <summary>Strings on their way into a call: they live until this is disposed, and are wiped then.</summary>
    /// <remarks>
    /// Strict: what UTF-8 cannot hold, or what would end early, is refused. The runtime's own encoding would put other
    /// characters in place, and so name another file.
    /// </remarks>
    internal sealed unsafe class Text : IDisposable
    {
        private static readonly Encoding Utf8 = new UTF8Encoding(false, true);
        private readonly List<KeyValuePair<IntPtr, int>> allocated = new List<KeyValuePair<IntPtr, int>>();

        /// <summary>Whether paths go in as UTF-16, in which Windows has them.</summary>
        internal static readonly bool WidePaths = Path.DirectorySeparatorChar == '\\';

        internal byte* Utf8OrNull(string text, string what)
        {
            if (text == null) return null;
            RefuseNul(text, what);
            int length;
            try
            {
                length = Utf8.GetByteCount(text);
            }
            catch (EncoderFallbackException)
            {
                throw NotText(what);
            }
            byte* p = (byte*)Allocate(length + 1);
            fixed (char* chars = text)
            {
                if (length > 0) Utf8.GetBytes(chars, text.Length, p, length);
            }
            p[length] = 0;
            return p;
        }

        internal byte* Utf8Of(string text, string what)
        {
            if (text == null) throw new ArgumentNullException(what);
            return Utf8OrNull(text, what);
        }

        internal ushort* Utf16(string text, string what)
        {
            if (text == null) throw new ArgumentNullException(what);
            RefuseNul(text, what);
            ushort* p = (ushort*)Allocate(checked((text.Length + 1) * 2));
            for (int i = 0; i < text.Length; i++) p[i] = text[i];
            p[text.Length] = 0;
            return p;
        }

        internal byte** List(IList<string> texts, string what)
        {
            if (texts == null || texts.Count == 0) return null;
            byte** p = (byte**)Allocate(checked(texts.Count * sizeof(byte*)));
            for (int i = 0; i < texts.Count; i++) p[i] = Utf8Of(texts[i], what);
            return p;
        }

        internal static UIntPtr CountOf(IList<string> texts) => (UIntPtr)(texts == null ? 0 : texts.Count);

        private static void RefuseNul(string text, string what)
        {
            if (text.IndexOf('\0') >= 0) throw BullaException.BadArgument(what + " has a NUL in it");
        }

        private static BullaException NotText(string what) =>
            BullaException.BadArgument(what + " is no Unicode text: half of a surrogate pair stands alone in it");

        private IntPtr Allocate(int bytes)
        {
            IntPtr p = Marshal.AllocHGlobal(bytes);
            allocated.Add(new KeyValuePair<IntPtr, int>(p, bytes));
            return p;
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            foreach (var each in allocated)
            {
                // A passphrase may be among them.
                for (int i = 0; i < each.Value; i++) Marshal.WriteByte(each.Key, i, 0);
                Marshal.FreeHGlobal(each.Key);
            }
            allocated.Clear();
        }

        /// <summary>The string at a pointer; null for NULL.</summary>
        internal static string From(byte* text)
        {
            if (text == null) return null;
            int length = 0;
            while (text[length] != 0) length++;
            return length == 0 ? "" : Utf8.GetString(text, length);
        }

        /// <summary>The same of a string that is ours to free.</summary>
        internal static string Take(byte* text)
        {
            try
            {
                return From(text);
            }
            finally
            {
                NativeMethods.bulla_string_free(text);
            }
        }
    }
}
