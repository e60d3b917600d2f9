using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Bulla
{
    /// <summary>
    /// Reads a sealed file. It can seek, also past the end, where there is nothing. Several threads may use one, but
    /// then share its position: each byte is read by one of them.
    /// </summary>
    public sealed class SealedStream : Stream
    {
        /// <summary>So much is read before a token is looked at again.</summary>
        private const int Piece = 1024 * 1024;

        private readonly object gate = new object();
        private readonly SealedFile file;
        private readonly bool ownsFile;
        private readonly long length;
        private long position;
        private volatile bool disposed;

        internal SealedStream(SealedFile file, bool ownsFile)
        {
            this.file = file;
            this.ownsFile = ownsFile;
            length = file.Length;
        }

        /// <summary>The file that is read: its rights, duties and watermark.</summary>
        public SealedFile File => file;

        /// <inheritdoc/>
        public override bool CanRead => !disposed;

        /// <inheritdoc/>
        public override bool CanSeek => !disposed;

        /// <summary>False.</summary>
        public override bool CanWrite => false;

        /// <inheritdoc/>
        public override long Length
        {
            get
            {
                RefuseDisposed();
                return length;
            }
        }

        /// <summary>Where the next read begins; past the end is allowed.</summary>
        public override long Position
        {
            get
            {
                RefuseDisposed();
                return Interlocked.Read(ref position);
            }
            set
            {
                if (value < 0) throw new ArgumentOutOfRangeException(nameof(value));
                RefuseDisposed();
                lock (gate) Interlocked.Exchange(ref position, value);
            }
        }

        /// <inheritdoc/>
        public override long Seek(long offset, SeekOrigin origin)
        {
            RefuseDisposed();
            lock (gate)
            {
                long from;
                switch (origin)
                {
                    case SeekOrigin.Begin: from = 0; break;
                    case SeekOrigin.Current: from = position; break;
                    case SeekOrigin.End: from = length; break;
                    default: throw new ArgumentException("unknown origin", nameof(origin));
                }
                if (offset > 0 && from > long.MaxValue - offset) throw new IOException("a position that is too large");
                if (from + offset < 0) throw new IOException("a position before the start");
                Interlocked.Exchange(ref position, from + offset);
                return position;
            }
        }

        /// <summary>Reads at the position, and moves it: as <see cref="SealedFile.ReadAt"/>.</summary>
        /// <param name="buffer">Where to.</param>
        /// <param name="offset">From where on in the buffer.</param>
        /// <param name="count">How many bytes.</param>
        /// <returns>How many bytes were read: fewer only at the end, 0 past it.</returns>
        public override int Read(byte[] buffer, int offset, int count)
        {
            Arrays.Check(buffer, offset, count);
            RefuseDisposed();
            lock (gate)
            {
                int read = file.ReadAt(position, buffer, offset, count);
                Interlocked.Exchange(ref position, position + read);
                return read;
            }
        }

        /// <summary>Reads in another thread, so that the one that calls is not held up.</summary>
        /// <param name="buffer">Where to. Not to be used before the end.</param>
        /// <param name="offset">From where on in the buffer.</param>
        /// <param name="count">How many bytes.</param>
        /// <param name="cancellationToken">Stops it; the position stays then.</param>
        /// <returns>How many bytes were read: fewer only at the end, 0 past it.</returns>
        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Arrays.Check(buffer, offset, count);
            RefuseDisposed();
            if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<int>(cancellationToken);
            return Task.Run(() => ReadInPieces(buffer, offset, count, cancellationToken), cancellationToken);
        }

        private int ReadInPieces(byte[] buffer, int offset, int count, CancellationToken token)
        {
            lock (gate)
            {
                int done = 0;
                int read;
                do
                {
                    token.ThrowIfCancellationRequested();
                    read = file.ReadAt(position + done, buffer, offset + done, Math.Min(count - done, Piece));
                    done += read;
                }
                while (read > 0 && done < count);
                Interlocked.Exchange(ref position, position + done);
                return done;
            }
        }

        /// <summary>Does nothing.</summary>
        public override void Flush()
        {
        }

        /// <summary>Not supported.</summary>
        /// <param name="value">A length.</param>
        public override void SetLength(long value) => throw new NotSupportedException("a sealed file is saved whole");

        /// <summary>Not supported.</summary>
        /// <param name="buffer">Bytes.</param>
        /// <param name="offset">From where on.</param>
        /// <param name="count">How many.</param>
        public override void Write(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException("a sealed file is saved with SealedFile.Save");

        private void RefuseDisposed()
        {
            if (disposed) throw new ObjectDisposedException(nameof(SealedStream));
        }

        /// <inheritdoc/>
        protected override void Dispose(bool disposing)
        {
            disposed = true;
            if (disposing && ownsFile) file.Dispose();
            base.Dispose(disposing);
        }
    }
}
