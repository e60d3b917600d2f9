using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Bulla
{
    /// <summary>
    /// New content of a sealed file. It comes to be in <see cref="Complete"/> only: disposed without that, also while an
    /// exception flies, nothing is left, and a file that was to be replaced stays as it was.
    /// </summary>
    public sealed unsafe class SealedWriter : Stream
    {
        private readonly object gate = new object();
        private readonly WriterHandle handle;
        private long written;
        private volatile bool disposed;

        private SealedWriter(WriterHandle handle)
        {
            this.handle = handle;
        }

        internal static SealedWriter From(WriterHandle handle, IntPtr given, int status, IntPtr error)
        {
            handle.Adopt(given);
            try
            {
                BullaException.Check(status, error);
                return new SealedWriter(handle);
            }
            catch
            {
                handle.Dispose();
                throw;
            }
        }

        /// <summary>The id of the file that is written: 32 hex characters.</summary>
        public string FileId
        {
            get
            {
                using (new Held(handle))
                {
                    byte* id;
                    IntPtr error;
                    BullaException.Check(NativeMethods.bulla_writer_file_id(handle, &id, &error), error);
                    return Text.From(id);
                }
            }
        }

        /// <summary>
        /// Writes the last part, syncs, and puts the file in place. After it the writer can only be disposed.
        /// </summary>
        /// <exception cref="BullaStateException">
        /// Somebody else saved the file meanwhile; or after an error, or the second time.
        /// </exception>
        /// <exception cref="BullaIOException">The file cannot be written, or one is there by now.</exception>
        /// <exception cref="BullaDeniedException">The decision under which it is saved has ended.</exception>
        public void Complete()
        {
            lock (gate)
            {
                IntPtr error;
                BullaException.Check(NativeMethods.bulla_writer_finish(handle, &error), error);
            }
        }

        /// <summary>The same as <see cref="Complete"/>, in another thread.</summary>
        /// <returns>Its end.</returns>
        public Task CompleteAsync() => Task.Run((Action)Complete);

        /// <summary>Seals so many more bytes: all of them, or the writer has failed.</summary>
        /// <param name="buffer">Bytes.</param>
        /// <param name="offset">From where on.</param>
        /// <param name="count">How many.</param>
        public override void Write(byte[] buffer, int offset, int count)
        {
            Arrays.Check(buffer, offset, count);
            RefuseDisposed();
            lock (gate)
            {
                IntPtr error;
                fixed (byte* p = buffer)
                    BullaException.Check(NativeMethods.bulla_writer_write(handle, p + offset, (UIntPtr)count, &error),
                        error);
                Interlocked.Add(ref written, count);
            }
        }

        /// <summary>Writes in another thread, so that the one that calls is not held up.</summary>
        /// <param name="buffer">Bytes. Not to be changed before the end.</param>
        /// <param name="offset">From where on.</param>
        /// <param name="count">How many.</param>
        /// <param name="cancellationToken">Looked at before it begins.</param>
        /// <returns>Its end.</returns>
        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Arrays.Check(buffer, offset, count);
            RefuseDisposed();
            if (cancellationToken.IsCancellationRequested) return Task.FromCanceled(cancellationToken);
            return Task.Run(() => Write(buffer, offset, count), cancellationToken);
        }

        /// <summary>Does nothing: only <see cref="Complete"/> makes the file.</summary>
        public override void Flush()
        {
        }

        /// <summary>False.</summary>
        public override bool CanRead => false;

        /// <summary>False.</summary>
        public override bool CanSeek => false;

        /// <inheritdoc/>
        public override bool CanWrite => !disposed;

        /// <summary>How many bytes were written.</summary>
        public override long Length => Interlocked.Read(ref written);

        /// <summary>How many bytes were written. It cannot be set.</summary>
        public override long Position
        {
            get => Interlocked.Read(ref written);
            set => throw new NotSupportedException("a sealed file is written from its start to its end");
        }

        /// <summary>Not supported.</summary>
        /// <param name="buffer">Where to.</param>
        /// <param name="offset">From where on.</param>
        /// <param name="count">How many.</param>
        /// <returns>Nothing.</returns>
        public override int Read(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException("this only writes");

        /// <summary>Not supported.</summary>
        /// <param name="offset">How far.</param>
        /// <param name="origin">From where.</param>
        /// <returns>Nothing.</returns>
        public override long Seek(long offset, SeekOrigin origin) =>
            throw new NotSupportedException("a sealed file is written from its start to its end");

        /// <summary>Not supported.</summary>
        /// <param name="value">A length.</param>
        public override void SetLength(long value) =>
            throw new NotSupportedException("a sealed file is written from its start to its end");

        private void RefuseDisposed()
        {
            if (disposed) throw new ObjectDisposedException(nameof(SealedWriter));
        }

        /// <inheritdoc/>
        protected override void Dispose(bool disposing)
        {
            disposed = true;
            if (disposing)
            {
                handle.Dispose();
                Callbacks.ThrowAgain();
            }
            base.Dispose(disposing);
        }
    }
}
