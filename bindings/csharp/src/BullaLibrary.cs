using System;
using System.IO;
using System.Runtime.CompilerServices;

namespace Bulla
{
    /// <summary>The native library, and what it does without a session.</summary>
    public static class BullaLibrary
    {
        /// <summary>The version of the native library, such as <c>0.1.0</c>.</summary>
        /// <exception cref="BullaLibraryException">It is missing, or does not fit.</exception>
        public static string Version
        {
            get
            {
                LibraryLoader.Ensure();
                return Native.Version();
            }
        }

        /// <summary>Where it was found: a path, or the name by which the system knew it.</summary>
        /// <exception cref="BullaLibraryException">It is missing, or does not fit.</exception>
        public static string Location
        {
            get
            {
                LibraryLoader.Ensure();
                return LibraryLoader.Loaded;
            }
        }

        /// <summary>
        /// Whether the first bytes of a file are those of a sealed one. Give 8 or more; fewer are none. It proves
        /// nothing.
        /// </summary>
        /// <param name="start">The first bytes.</param>
        /// <returns>Whether they are.</returns>
        public static bool IsSealed(byte[] start)
        {
            if (start == null) throw new ArgumentNullException(nameof(start));
            LibraryLoader.Ensure();
            return Native.IsSealed(start);
        }

        /// <summary>
        /// What an envelope says of itself in the clear. Needs no keys. Nothing of it is proved: for that, open the
        /// file.
        /// </summary>
        /// <param name="path">The sealed file.</param>
        /// <returns>What it says.</returns>
        public static Inspection Inspect(string path)
        {
            LibraryLoader.Ensure();
            return Native.Inspect(path);
        }

        /// <summary>The same of an envelope that the program keeps itself.</summary>
        /// <param name="envelope">A stream that can seek, with the envelope from its start to its end.</param>
        /// <param name="leaveOpen">Whether the stream stays open.</param>
        /// <returns>What it says.</returns>
        public static Inspection Inspect(Stream envelope, bool leaveOpen = false)
        {
            LibraryLoader.Ensure();
            return Native.Inspect(Host.Source(envelope, leaveOpen));
        }

        /// <summary>Verifies an audit trail from its first line to its last.</summary>
        /// <param name="path">The trail's file.</param>
        /// <returns>The report, as JSON: records, first and last time, device, and the last line's hash.</returns>
        /// <exception cref="BullaDeniedException">It was changed or cut; the message names the line.</exception>
        public static string VerifyTrail(string path)
        {
            LibraryLoader.Ensure();
            return Native.VerifyTrail(path);
        }

        private static unsafe class Native
        {
            [MethodImpl(MethodImplOptions.NoInlining)]
            internal static string Version() => Text.From(NativeMethods.bulla_version());

            [MethodImpl(MethodImplOptions.NoInlining)]
            internal static bool IsSealed(byte[] start)
            {
                fixed (byte* p = start) return NativeMethods.bulla_is_sealed(p, (UIntPtr)start.Length) != 0;
            }

            [MethodImpl(MethodImplOptions.NoInlining)]
            internal static Inspection Inspect(string path)
            {
                using (var text = new Text())
                {
                    ulong size;
                    byte* json;
                    IntPtr error;
                    int status = Text.WidePaths
                        ? NativeMethods.bulla_inspect_w(text.Utf16(path, nameof(path)), &size, &json, &error)
                        : NativeMethods.bulla_inspect(text.Utf8Of(path, nameof(path)), &size, &json, &error);
                    BullaException.Check(status, error);
                    return new Inspection((long)size, Text.Take(json));
                }
            }

            [MethodImpl(MethodImplOptions.NoInlining)]
            internal static Inspection Inspect(HostStream stream)
            {
                ulong size;
                byte* json;
                IntPtr error;
                NativeSource source = Callbacks.Source(stream);
                int status = NativeMethods.bulla_inspect_source(&source, &size, &json, &error);
                BullaException.Check(status, error);
                return new Inspection((long)size, Text.Take(json));
            }

            [MethodImpl(MethodImplOptions.NoInlining)]
            internal static string VerifyTrail(string path)
            {
                using (var text = new Text())
                {
                    byte* json;
                    IntPtr error;
                    BullaException.Check(NativeMethods.bulla_trail_verify(IntPtr.Zero, text.Utf8Of(path, nameof(path)),
                        &json, &error), error);
                    return Text.Take(json);
                }
            }
        }
    }

    /// <summary>What an envelope says of itself. Nothing of it is proved.</summary>
    public sealed class Inspection
    {
        /// <summary>Bytes of the content, as the envelope's length says.</summary>
        public long ContentSize { get; }

        /// <summary>Ids, label, policy, recipients and sizes, as JSON.</summary>
        public string Json { get; }

        internal Inspection(long contentSize, string json)
        {
            ContentSize = contentSize;
            Json = json;
        }
    }

    /// <summary>Checks the program's own streams before the library gets them.</summary>
    internal static class Host
    {
        internal static HostStream Source(Stream stream, bool leaveOpen)
        {
            if (stream == null) throw new ArgumentNullException(nameof(stream));
            if (!stream.CanRead || !stream.CanSeek)
                throw BullaException.BadArgument("the stream of an envelope must be one that can be read and can seek");
            return new HostStream(stream, leaveOpen, false);
        }

        internal static HostStream Sink(Stream stream, bool leaveOpen)
        {
            if (stream == null) throw new ArgumentNullException(nameof(stream));
            if (!stream.CanWrite) throw BullaException.BadArgument("the stream to write to cannot be written");
            return new HostStream(stream, leaveOpen, true);
        }
    }
}
