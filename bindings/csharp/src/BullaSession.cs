using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Bulla
{
    /// <summary>
    /// A device at work: its identity, whom it trusts, who sits at it. Many threads may use it at once. Files, writers
    /// and sealers that were made with it go on when it is disposed.
    /// </summary>
    public sealed unsafe class BullaSession : IDisposable
    {
        internal SessionHandle Handle { get; } = new SessionHandle();

        private BullaSession()
        {
        }

        /// <summary>
        /// Starts a session of the device whose home it is, with its badge, attestations, lists and trail. A badge that
        /// does not count is no error: it grants nothing.
        /// </summary>
        /// <param name="options">What to start with; null for the default home, no passphrase, no duties.</param>
        /// <returns>The session.</returns>
        /// <exception cref="BullaLibraryException">The native library is missing, or does not fit.</exception>
        /// <exception cref="BullaException">
        /// The home is not complete, its secrets are exposed, the passphrase is wrong, its trail or lists do not hold.
        /// </exception>
        public static BullaSession Start(SessionOptions options = null)
        {
            LibraryLoader.Ensure();
            var session = new BullaSession();
            session.Begin(options ?? new SessionOptions());
            return session;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Begin(SessionOptions options)
        {
            using (var text = new Text())
            {
                IList<string> duties = Names.Of(options.Duties);
                var native = new NativeSessionOptions
                {
                    StructSize = (uint)sizeof(NativeSessionOptions),
                    Passphrase = text.Utf8OrNull(options.Passphrase, "the passphrase"),
                    Badge = text.Utf8OrNull(options.Badge, "the badge"),
                    Attestations = text.List(options.Attestations, "an attestation"),
                    AttestationCount = Text.CountOf(options.Attestations),
                    Duties = text.List(duties, "a duty"),
                    DutyCount = Text.CountOf(duties),
                    Ticket = text.Utf8OrNull(options.Ticket, "the ticket"),
                    Asserted = text.Utf8OrNull(options.Asserted, "what is asserted")
                };
                if (Text.WidePaths && options.Home != null) native.HomeW = text.Utf16(options.Home, "the home");
                else native.Home = text.Utf8OrNull(options.Home, "the home");
                IntPtr given, error;
                int status = NativeMethods.bulla_session_start(&native, &given, &error);
                Handle.Adopt(given);
                BullaException.Check(status, error);
            }
        }

        /// <summary>The thumbprint of the device's identity, which badges and policies name it by.</summary>
        public string Device
        {
            get
            {
                byte* thumbprint;
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_session_device(Handle, &thumbprint, &error), error);
                return Text.Take(thumbprint);
            }
        }

        /// <summary>
        /// Reads badge, attestations and lists of the home again. Files that are open are decided about anew at their
        /// next read: a new badge goes on, a revocation ends them.
        /// </summary>
        public void Refresh()
        {
            IntPtr error;
            BullaException.Check(NativeMethods.bulla_session_refresh(Handle, &error), error);
        }

        /// <summary>
        /// The same, with this badge and these attestations in place of those that the session was started with.
        /// </summary>
        /// <param name="badge">The badge. One that does not count is no error: it grants nothing.</param>
        /// <param name="attestations">Attestations beside the home's.</param>
        public void UseBadge(string badge, params string[] attestations)
        {
            using (var text = new Text())
            {
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_session_use_badge(Handle, text.Utf8Of(badge, nameof(badge)),
                    text.List(attestations, "an attestation"), Text.CountOf(attestations), &error), error);
            }
        }

        /// <summary>
        /// What would be decided about a sealed file now. Nothing is recorded, and no key is touched. A denial is a
        /// decision here, no exception.
        /// </summary>
        /// <param name="path">The sealed file; on Windows, too, no half of a surrogate pair may stand alone in it.</param>
        /// <param name="facts">Facts, as JSON, that stand in place of the session's own; null for none.</param>
        /// <returns>The decision.</returns>
        public Decision Explain(string path, string facts = null)
        {
            using (var text = new Text())
            {
                byte* json;
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_session_explain(Handle, text.Utf8Of(path, nameof(path)),
                    text.Utf8OrNull(facts, nameof(facts)), &json, &error), error);
                return Decision.Parse(Text.Take(json));
            }
        }

        /// <summary>Verifies the trail of the session's home, which must be its device's own.</summary>
        /// <returns>The report, as JSON: records, first and last time, device, and the last line's hash.</returns>
        /// <exception cref="BullaDeniedException">It was changed or cut; the message names the line.</exception>
        public string VerifyTrail()
        {
            byte* json;
            IntPtr error;
            BullaException.Check(NativeMethods.bulla_trail_verify_of(Handle, null, &json, &error), error);
            return Text.Take(json);
        }

        /// <summary>Opens a sealed file. The opening, or its denial, is recorded in the audit trail.</summary>
        /// <param name="path">The sealed file. On Windows any path that the system knows.</param>
        /// <param name="options">How; null to view the newest.</param>
        /// <returns>The open file.</returns>
        /// <exception cref="BullaNotSealedException">It is a plain file.</exception>
        /// <exception cref="BullaFormatException">It is no sound envelope.</exception>
        /// <exception cref="BullaTamperedException">It was changed.</exception>
        /// <exception cref="BullaDeniedException">Trust or policy do not let it be opened here and now.</exception>
        /// <exception cref="BullaIOException">It is missing, or cannot be read.</exception>
        public SealedFile Open(string path, OpenOptions options = null)
        {
            using (var text = new Text())
            {
                NativeOpenOptions native = ToNative(options);
                IntPtr given, error;
                var handle = new FileHandle();
                int status = Text.WidePaths
                    ? NativeMethods.bulla_file_open_w(Handle, text.Utf16(path, nameof(path)), &native, &given, &error)
                    : NativeMethods.bulla_file_open(Handle, text.Utf8Of(path, nameof(path)), &native, &given, &error);
                return Opened(handle, given, status, error);
            }
        }

        /// <summary>
        /// Opens an envelope that the program keeps itself. The storage under it is unknown, which denies where a
        /// policy asks for it. It is saved with <see cref="SealedFile.SaveTo"/>.
        /// </summary>
        /// <param name="envelope">
        /// A stream that can seek, with the envelope from its start to its end. It is used by one thread at a time, in
        /// whatever thread uses the file. What it throws comes out of the call that read it.
        /// </param>
        /// <param name="leaveOpen">Whether it stays open when the file is disposed.</param>
        /// <param name="options">How; null to view the newest.</param>
        /// <returns>The open file.</returns>
        public SealedFile Open(Stream envelope, bool leaveOpen = false, OpenOptions options = null)
        {
            NativeOpenOptions native = ToNative(options);
            HostStream host = Host.Source(envelope, leaveOpen);
            using (var held = new Held(Handle))
            {
                IntPtr given, error;
                var handle = new FileHandle();
                NativeSource source = Callbacks.Source(host);
                int status = NativeMethods.bulla_file_open_source(Handle, &source, &native, &given, &error);
                return Opened(handle, given, status, error);
            }
        }

        /// <summary>The same as <see cref="Open(string, OpenOptions)"/>, in another thread.</summary>
        /// <param name="path">The sealed file.</param>
        /// <param name="options">How; null to view the newest.</param>
        /// <param name="token">Looked at before it begins.</param>
        /// <returns>The open file.</returns>
        public Task<SealedFile> OpenAsync(string path, OpenOptions options = null,
            CancellationToken token = default(CancellationToken)) => Task.Run(() => Open(path, options), token);

        /// <summary>Opens a sealed file as a stream, which closes it.</summary>
        /// <param name="path">The sealed file.</param>
        /// <returns>The stream.</returns>
        public SealedStream OpenRead(string path)
        {
            SealedFile file = Open(path);
            try
            {
                return new SealedStream(file, true);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }

        private static NativeOpenOptions ToNative(OpenOptions options) => new NativeOpenOptions
        {
            StructSize = (uint)sizeof(NativeOpenOptions),
            Flags = options != null && options.AllowOlder ? 1u : 0u,
            Right = options == null ? 0 : (uint)options.Right
        };

        private static SealedFile Opened(FileHandle handle, IntPtr given, int status, IntPtr error)
        {
            handle.Adopt(given);
            try
            {
                BullaException.Check(status, error);
                return new SealedFile(handle);
            }
            catch
            {
                handle.Dispose();
                throw;
            }
        }

        /// <summary>Ends the session.</summary>
        public void Dispose() => Handle.Dispose();
    }
}
