using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Bulla
{
    /// <summary>
    /// An open sealed file. Many threads may use it at once. Disposed while one of them reads, it closes after that.
    /// </summary>
    public sealed unsafe class SealedFile : IDisposable
    {
        internal FileHandle Handle { get; }

        internal SealedFile(FileHandle handle)
        {
            Handle = handle;
        }

        /// <summary>The content's length in bytes. It was authenticated when the file was opened.</summary>
        public long Length
        {
            get
            {
                ulong size;
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_file_size(Handle, &size, &error), error);
                return checked((long)size);
            }
        }

        /// <summary>What may be done with the file, as last decided.</summary>
        public Rights Rights
        {
            get
            {
                uint rights;
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_file_rights(Handle, &rights, &error), error);
                return (Rights)rights;
            }
        }

        /// <summary>
        /// Whether all of these rights are granted: to show or grey out what a program offers. Before it happens, call
        /// <see cref="Use"/>.
        /// </summary>
        /// <param name="rights">One or more rights.</param>
        /// <returns>Whether they are.</returns>
        public bool May(Rights rights) => (Rights & rights) == rights;

        /// <summary>What the program must do while it uses a right.</summary>
        /// <param name="right">One right.</param>
        /// <returns>The duties.</returns>
        /// <exception cref="BullaDeniedException">The right is not granted.</exception>
        public RightDuties DutiesOf(Rights right)
        {
            uint duties;
            byte* columns;
            IntPtr error;
            int status = NativeMethods.bulla_file_duties(Handle, (uint)right, &duties, &columns, &error);
            BullaException.Check(status, error);
            string json = Text.Take(columns);
            IEnumerable<string> names = json == null
                ? Enumerable.Empty<string>()
                : JsonText.Parse(json).Elements().Select(each => each.Value);
            return new RightDuties((Duties)duties, names.ToList().AsReadOnly());
        }

        /// <summary>Until when, exclusive, reads succeed; null without an end.</summary>
        public DateTimeOffset? Until
        {
            get
            {
                ulong until;
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_file_until(Handle, &until, &error), error);
                if (until == ulong.MaxValue) return null;
                return DateTimeOffset.FromUnixTimeSeconds((long)Math.Min(until, 253402300799));
            }
        }

        /// <summary>What was decided: rights, until when, and why not more.</summary>
        public Decision Decision
        {
            get
            {
                byte* json;
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_file_decision(Handle, &json, &error), error);
                return Decision.Parse(Text.Take(json));
            }
        }

        /// <summary>
        /// The text of the watermark, ready to draw: who, at which device, when, for which ticket. It holds the present
        /// minute: get it anew from time to time.
        /// </summary>
        public string Watermark
        {
            get
            {
                byte* text;
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_file_watermark(Handle, &text, &error), error);
                return Text.Take(text);
            }
        }

        /// <summary>Name, type and times of the original.</summary>
        public Metadata Metadata
        {
            get
            {
                using (new Held(Handle))
                {
                    var native = new NativeMetadata { StructSize = (uint)sizeof(NativeMetadata) };
                    IntPtr error;
                    BullaException.Check(NativeMethods.bulla_file_metadata(Handle, &native, &error), error);
                    return Metadata.From(native);
                }
            }
        }

        /// <summary>The file's id: 32 hex characters, the same after each save.</summary>
        public string Id
        {
            get
            {
                using (new Held(Handle))
                {
                    byte* id;
                    IntPtr error;
                    BullaException.Check(NativeMethods.bulla_file_id(Handle, &id, &error), error);
                    return Text.From(id);
                }
            }
        }

        /// <summary>How often the file was saved, the first sealing included.</summary>
        public long Revision
        {
            get
            {
                ulong revision;
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_file_revision(Handle, &revision, &error), error);
                return (long)revision;
            }
        }

        /// <summary>
        /// Checks a right and records in the audit trail that it is used now: before the program prints, copies to the
        /// clipboard, lets the screen be captured, or exports by itself. If this throws, it must not happen.
        /// </summary>
        /// <param name="right">
        /// One right; not <see cref="Rights.View"/> or <see cref="Rights.Edit"/>, which reads and saves check.
        /// </param>
        /// <exception cref="BullaDeniedException">The right is not granted, or the decision has ended.</exception>
        public void Use(Rights right)
        {
            IntPtr error;
            BullaException.Check(NativeMethods.bulla_file_use(Handle, (uint)right, &error), error);
        }

        /// <summary>
        /// Reads at an offset, until so many bytes are read or the end is reached. Every byte was authenticated.
        /// </summary>
        /// <param name="position">Where: at 0 or more.</param>
        /// <param name="buffer">Where to.</param>
        /// <param name="offset">From where on in the buffer.</param>
        /// <param name="count">How many bytes.</param>
        /// <returns>How many bytes were read: fewer only at the end, 0 past it.</returns>
        /// <exception cref="BullaDeniedException">The decision has ended.</exception>
        /// <exception cref="BullaTamperedException">The file was changed.</exception>
        public int ReadAt(long position, byte[] buffer, int offset, int count)
        {
            if (position < 0) throw new ArgumentOutOfRangeException(nameof(position));
            Arrays.Check(buffer, offset, count);
            UIntPtr read;
            IntPtr error;
            fixed (byte* p = buffer)
            {
                int status = NativeMethods.bulla_file_pread(Handle, (ulong)position, p + offset, (UIntPtr)count, &read,
                    &error);
                BullaException.Check(status, error);
            }
            return (int)read;
        }

        /// <summary>A stream over the content, with a position of its own. The file is to be disposed after it.</summary>
        /// <returns>The stream.</returns>
        public SealedStream OpenRead() => new SealedStream(this, false);

        /// <summary>
        /// Writes the plain content to a file, which is there whole or not at all. It is recorded first.
        /// </summary>
        /// <param name="path">The file.</param>
        /// <param name="replace">Whether to replace a file that is there.</param>
        /// <param name="progress">Told how far it is, in the thread that calls.</param>
        /// <param name="token">Stops the work; then no file is left.</param>
        /// <returns>How many bytes.</returns>
        /// <exception cref="BullaDeniedException">The right to export is not granted.</exception>
        /// <exception cref="OperationCanceledException">It was stopped.</exception>
        public long Export(string path, bool replace = false, IProgress<BullaProgress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            using (var text = new Text())
            using (var relay = new ProgressRelay(progress, token))
            {
                NativeExportOptions options = ExportOptions(relay, replace);
                ulong bytes;
                IntPtr error;
                int status = Text.WidePaths
                    ? NativeMethods.bulla_file_export_w(Handle, text.Utf16(path, nameof(path)), &options, &bytes, &error)
                    : NativeMethods.bulla_file_export(Handle, text.Utf8Of(path, nameof(path)), &options, &bytes, &error);
                relay.Check(status, error);
                return (long)bytes;
            }
        }

        /// <summary>The same to a stream. What was written before a failure stays written.</summary>
        /// <param name="destination">The stream. What it throws comes out of this call.</param>
        /// <param name="leaveOpen">Whether it stays open.</param>
        /// <param name="progress">Told how far it is, in the thread that calls.</param>
        /// <param name="token">Stops the work.</param>
        /// <returns>How many bytes.</returns>
        public long Export(Stream destination, bool leaveOpen = false, IProgress<BullaProgress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            HostStream host = Host.Sink(destination, leaveOpen);
            using (new Held(Handle))
            using (var relay = new ProgressRelay(progress, token))
            {
                NativeExportOptions options = ExportOptions(relay, false);
                NativeSink sink = Callbacks.Sink(host);
                ulong bytes;
                IntPtr error;
                relay.Check(NativeMethods.bulla_file_export_sink(Handle, &sink, &options, &bytes, &error), error);
                return (long)bytes;
            }
        }

        /// <summary>The same as <see cref="Export(string, bool, IProgress{BullaProgress}, CancellationToken)"/>, in
        /// another thread.</summary>
        /// <param name="path">The file.</param>
        /// <param name="replace">Whether to replace a file that is there.</param>
        /// <param name="progress">Told how far it is, in the other thread.</param>
        /// <param name="token">Stops the work; then no file is left.</param>
        /// <returns>How many bytes.</returns>
        public Task<long> ExportAsync(string path, bool replace = false, IProgress<BullaProgress> progress = null,
            CancellationToken token = default(CancellationToken)) =>
            Task.Run(() => Export(path, replace, progress, token), token);

        /// <summary>
        /// Starts a save of a file that was opened from a path: all of its content anew, under the same license.
        /// <see cref="SealedWriter.Complete"/> puts it in the file's place, if that still is the one that was opened.
        /// This goes on showing the old content: open it again.
        /// </summary>
        /// <param name="metadata">Name, type and times; null for those that it has.</param>
        /// <returns>The writer.</returns>
        /// <exception cref="BullaDeniedException">The right to edit is not granted.</exception>
        public SealedWriter Save(Metadata metadata = null)
        {
            using (var text = new Text())
            {
                NativeMetadata native = metadata == null ? new NativeMetadata() : metadata.ToNative(text);
                IntPtr given, error;
                var handle = new WriterHandle();
                int status = NativeMethods.bulla_file_save(Handle, metadata == null ? null : &native, &given, &error);
                return SealedWriter.From(handle, given, status, error);
            }
        }

        /// <summary>
        /// Starts a save of which the whole new envelope goes to a stream, for envelopes that the program keeps itself.
        /// After <see cref="SealedWriter.Complete"/> it is complete; the program puts it in the old one's place.
        /// </summary>
        /// <param name="destination">The stream. What it throws comes out of the call that wrote to it.</param>
        /// <param name="leaveOpen">Whether it stays open when the writer is done.</param>
        /// <param name="metadata">Name, type and times; null for those that it has.</param>
        /// <returns>The writer.</returns>
        public SealedWriter SaveTo(Stream destination, bool leaveOpen = false, Metadata metadata = null)
        {
            HostStream host = Host.Sink(destination, leaveOpen);
            using (new Held(Handle))
            using (var text = new Text())
            {
                NativeMetadata native = metadata == null ? new NativeMetadata() : metadata.ToNative(text);
                NativeSink sink = Callbacks.Sink(host);
                IntPtr given, error;
                var handle = new WriterHandle();
                int status = NativeMethods.bulla_file_save_to(Handle, &sink, metadata == null ? null : &native, &given,
                    &error);
                return SealedWriter.From(handle, given, status, error);
            }
        }

        private static NativeExportOptions ExportOptions(ProgressRelay relay, bool replace) => new NativeExportOptions
        {
            StructSize = (uint)sizeof(NativeExportOptions),
            Flags = replace ? 1u : 0u,
            Progress = relay.Function,
            ProgressUser = relay.User
        };

        /// <summary>Closes the file.</summary>
        public void Dispose()
        {
            Handle.Dispose();
            Callbacks.ThrowAgain();
        }
    }

    internal static class Arrays
    {
        internal static void Check(byte[] buffer, int offset, int count)
        {
            if (buffer == null) throw new ArgumentNullException(nameof(buffer));
            if (offset < 0) throw new ArgumentOutOfRangeException(nameof(offset));
            if (count < 0) throw new ArgumentOutOfRangeException(nameof(count));
            if (count > buffer.Length - offset)
                throw new ArgumentException("the buffer has not so many bytes from that offset on");
        }
    }
}
