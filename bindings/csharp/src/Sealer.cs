using System;
using System.IO;
using System.Text;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;

namespace Bulla
{
    /// <summary>
    /// Makes sealed files for the same recipients under the same policy. Many threads may use it at once.
    /// </summary>
    public sealed unsafe class Sealer : IDisposable
    {
        private readonly SealerHandle handle = new SealerHandle();

        private Sealer()
        {
        }

        /// <summary>A sealer in the name of a root, whose key the home has.</summary>
        /// <param name="options">Whom it seals for, and under which policy.</param>
        /// <returns>The sealer.</returns>
        /// <exception cref="BullaArgumentException">The policy or the recipients cannot be used.</exception>
        public static Sealer Create(SealerOptions options)
        {
            if (options == null) throw new ArgumentNullException(nameof(options));
            if (options.Policy == null) throw BullaException.BadArgument("a sealer needs a policy");
            LibraryLoader.Ensure();
            var sealer = new Sealer();
            sealer.Begin(options);
            return sealer;
        }

        /// <summary>
        /// A sealer of a device that has a permit for a template. Each file is recorded in the session's trail.
        /// </summary>
        /// <param name="session">The device's session.</param>
        /// <param name="template">The template's text, as it stands in its file.</param>
        /// <param name="permit">The permit's; null for the one of the session's home that counts longest.</param>
        /// <param name="batch">As <see cref="SealerOptions.Batch"/>.</param>
        /// <returns>The sealer.</returns>
        /// <exception cref="BullaDeniedException">No permit fits, or who sealed the template is not trusted.</exception>
        public static Sealer FromTemplate(BullaSession session, string template, string permit = null,
            bool batch = false)
        {
            if (session == null) throw new ArgumentNullException(nameof(session));
            var sealer = new Sealer();
            using (var text = new Text())
            {
                IntPtr given, error;
                int status = NativeMethods.bulla_sealer_from_template(session.Handle,
                    text.Utf8Of(template, nameof(template)), text.Utf8OrNull(permit, nameof(permit)), batch ? 1u : 0u,
                    &given, &error);
                sealer.handle.Adopt(given);
                BullaException.Check(status, error);
            }
            return sealer;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Begin(SealerOptions options)
        {
            using (var text = new Text())
            {
                byte* policy = text.Utf8OrNull(options.Policy, "the policy");
                var native = new NativeSealerOptions
                {
                    StructSize = (uint)sizeof(NativeSealerOptions),
                    Flags = (options.Batch ? 1u : 0u) | (options.MixedKinds ? 2u : 0u),
                    Passphrase = text.Utf8OrNull(options.Passphrase, "the passphrase"),
                    Label = text.Utf8OrNull(options.Label, "the label"),
                    Policy = policy,
                    PolicyLen = (UIntPtr)Encoding.UTF8.GetByteCount(options.Policy),
                    Recipients = text.Utf8OrNull(options.Recipients, "the recipients")
                };
                if (Text.WidePaths && options.Home != null) native.HomeW = text.Utf16(options.Home, "the home");
                else native.Home = text.Utf8OrNull(options.Home, "the home");
                IntPtr given, error;
                int status;
                if (options.Session == null)
                {
                    status = NativeMethods.bulla_sealer_new(&native, &given, &error);
                }
                else
                {
                    using (new Held(options.Session.Handle))
                    {
                        native.Session = options.Session.Handle.DangerousGetHandle();
                        status = NativeMethods.bulla_sealer_new(&native, &given, &error);
                    }
                }
                handle.Adopt(given);
                BullaException.Check(status, error);
            }
        }

        /// <summary>Seals a plain file, which stays.</summary>
        /// <param name="from">The plain file.</param>
        /// <param name="to">The sealed one.</param>
        /// <param name="options">How; null for the plain file's name and times.</param>
        /// <param name="progress">Told how far it is, in the thread that calls.</param>
        /// <param name="token">Stops the work; then no file is left.</param>
        /// <returns>The new file's id.</returns>
        /// <exception cref="OperationCanceledException">It was stopped.</exception>
        public string SealFile(string from, string to, SealOptions options = null,
            IProgress<BullaProgress> progress = null, CancellationToken token = default(CancellationToken))
        {
            using (var text = new Text())
            using (var relay = new ProgressRelay(progress, token))
            {
                NativeMetadata metadata;
                NativeSealOptions native = ToNative(options, text, &metadata);
                native.Progress = relay.Function;
                native.ProgressUser = relay.User;
                byte* id;
                IntPtr error;
                int status = Text.WidePaths
                    ? NativeMethods.bulla_sealer_seal_file_w(handle, text.Utf16(from, nameof(from)),
                        text.Utf16(to, nameof(to)), &native, &id, &error)
                    : NativeMethods.bulla_sealer_seal_file(handle, text.Utf8Of(from, nameof(from)),
                        text.Utf8Of(to, nameof(to)), &native, &id, &error);
                relay.Check(status, error);
                return Text.Take(id);
            }
        }

        /// <summary>The same as <see cref="SealFile"/>, in another thread.</summary>
        /// <param name="from">The plain file.</param>
        /// <param name="to">The sealed one.</param>
        /// <param name="options">How; null for the plain file's name and times.</param>
        /// <param name="progress">Told how far it is, in the other thread.</param>
        /// <param name="token">Stops the work; then no file is left.</param>
        /// <returns>The new file's id.</returns>
        public Task<string> SealFileAsync(string from, string to, SealOptions options = null,
            IProgress<BullaProgress> progress = null, CancellationToken token = default(CancellationToken)) =>
            Task.Run(() => SealFile(from, to, options, progress, token), token);

        /// <summary>Seals bytes into a file.</summary>
        /// <param name="content">The content.</param>
        /// <param name="to">The sealed file.</param>
        /// <param name="options">How.</param>
        /// <returns>The new file's id.</returns>
        public string SealBytes(byte[] content, string to, SealOptions options = null)
        {
            if (content == null) throw new ArgumentNullException(nameof(content));
            using (SealedWriter writer = Begin(to, options)) return Whole(writer, content);
        }

        /// <summary>Seals bytes into a stream.</summary>
        /// <param name="content">The content.</param>
        /// <param name="to">Gets the envelope. What it throws comes out of this call.</param>
        /// <param name="leaveOpen">Whether it stays open.</param>
        /// <param name="options">How.</param>
        /// <returns>The new file's id.</returns>
        public string SealBytes(byte[] content, Stream to, bool leaveOpen = false, SealOptions options = null)
        {
            if (content == null) throw new ArgumentNullException(nameof(content));
            using (SealedWriter writer = Begin(to, leaveOpen, options)) return Whole(writer, content);
        }

        private static string Whole(SealedWriter writer, byte[] content)
        {
            writer.Write(content, 0, content.Length);
            writer.Complete();
            return writer.FileId;
        }

        /// <summary>Starts a sealed file. Nothing is there before <see cref="SealedWriter.Complete"/>.</summary>
        /// <param name="path">The sealed file.</param>
        /// <param name="options">How.</param>
        /// <returns>The writer.</returns>
        public SealedWriter Begin(string path, SealOptions options = null)
        {
            using (var text = new Text())
            {
                NativeMetadata metadata;
                NativeSealOptions native = ToNative(options, text, &metadata);
                IntPtr given, error;
                var writer = new WriterHandle();
                int status = Text.WidePaths
                    ? NativeMethods.bulla_sealer_begin_w(handle, text.Utf16(path, nameof(path)), &native, &given, &error)
                    : NativeMethods.bulla_sealer_begin(handle, text.Utf8Of(path, nameof(path)), &native, &given, &error);
                return SealedWriter.From(writer, given, status, error);
            }
        }

        /// <summary>
        /// Starts an envelope that goes to a stream. It is complete after <see cref="SealedWriter.Complete"/>; a part of
        /// it is refused as cut.
        /// </summary>
        /// <param name="destination">The stream. What it throws comes out of the call that wrote to it.</param>
        /// <param name="leaveOpen">Whether it stays open when the writer is done.</param>
        /// <param name="options">How.</param>
        /// <returns>The writer.</returns>
        public SealedWriter Begin(Stream destination, bool leaveOpen = false, SealOptions options = null)
        {
            HostStream host = Host.Sink(destination, leaveOpen);
            using (new Held(handle))
            using (var text = new Text())
            {
                NativeMetadata metadata;
                NativeSealOptions native = ToNative(options, text, &metadata);
                NativeSink sink = Callbacks.Sink(host);
                IntPtr given, error;
                var writer = new WriterHandle();
                int status = NativeMethods.bulla_sealer_begin_sink(handle, &sink, &native, &given, &error);
                return SealedWriter.From(writer, given, status, error);
            }
        }

        private static NativeSealOptions ToNative(SealOptions options, Text text, NativeMetadata* metadata)
        {
            var native = new NativeSealOptions { StructSize = (uint)sizeof(NativeSealOptions) };
            if (options == null) return native;
            native.Flags = options.Replace ? 1u : 0u;
            if (options.Metadata != null)
            {
                *metadata = options.Metadata.ToNative(text);
                native.Metadata = metadata;
            }
            return native;
        }

        /// <summary>Frees the sealer. Writers that it gave go on.</summary>
        public void Dispose() => handle.Dispose();
    }
}
