using System;
using System.IO;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Bulla
{
    /// <summary>
    /// What the library calls back. No exception crosses it: what a callback throws is kept for the call that the
    /// library is in, which throws it again as it was.
    /// </summary>
    internal static unsafe class Callbacks
    {
        private const CallingConvention C = CallingConvention.Cdecl;

        [UnmanagedFunctionPointer(C)]
        private delegate int ReadFn(IntPtr user, ulong offset, byte* buffer, UIntPtr length, UIntPtr* read);

        [UnmanagedFunctionPointer(C)]
        private delegate int SizeFn(IntPtr user, ulong* size);

        [UnmanagedFunctionPointer(C)]
        private delegate int WriteFn(IntPtr user, byte* data, UIntPtr length);

        [UnmanagedFunctionPointer(C)]
        private delegate void CloseFn(IntPtr user);

        [UnmanagedFunctionPointer(C)]
        private delegate int ProgressFn(IntPtr user, ulong done, ulong total);

        // The library keeps the pointers for as long as it likes: these must never be collected.
        private static readonly ReadFn KeptRead = Read;
        private static readonly SizeFn KeptSize = Size;
        private static readonly WriteFn KeptWrite = Write;
        private static readonly CloseFn KeptClose = Close;
        private static readonly ProgressFn KeptProgress = Progress;
        private static readonly IntPtr ReadPointer = Marshal.GetFunctionPointerForDelegate(KeptRead);
        private static readonly IntPtr SizePointer = Marshal.GetFunctionPointerForDelegate(KeptSize);
        private static readonly IntPtr WritePointer = Marshal.GetFunctionPointerForDelegate(KeptWrite);
        private static readonly IntPtr ClosePointer = Marshal.GetFunctionPointerForDelegate(KeptClose);
        private static readonly IntPtr ProgressPointer = Marshal.GetFunctionPointerForDelegate(KeptProgress);

        /// <summary>Callbacks run in the thread that called the library.</summary>
        [ThreadStatic]
        private static ExceptionDispatchInfo thrown;

        /// <summary>What a callback of this thread's last call threw, once.</summary>
        internal static ExceptionDispatchInfo Take()
        {
            ExceptionDispatchInfo taken = thrown;
            thrown = null;
            return taken;
        }

        internal static void Forget() => thrown = null;

        /// <summary>After a call that reports no errors, such as one that frees.</summary>
        internal static void ThrowAgain() => Take()?.Throw();

        /// <summary>A source over a stream. The library closes it, also if the call that it is given to fails.</summary>
        internal static NativeSource Source(HostStream stream) => new NativeSource
        {
            StructSize = (uint)sizeof(NativeSource),
            User = GCHandle.ToIntPtr(GCHandle.Alloc(stream)),
            ReadAt = ReadPointer,
            Size = SizePointer,
            Close = ClosePointer
        };

        /// <summary>The same for a sink.</summary>
        internal static NativeSink Sink(HostStream stream) => new NativeSink
        {
            StructSize = (uint)sizeof(NativeSink),
            User = GCHandle.ToIntPtr(GCHandle.Alloc(stream)),
            Write = WritePointer,
            Close = ClosePointer
        };

        internal static IntPtr ProgressFunction => ProgressPointer;

        /// <summary>Runs a callback's body: 0, or 1 if it threw.</summary>
        private static int Guard(Action body)
        {
            // A callback may itself use the library: what was thrown before stays with the outer call.
            ExceptionDispatchInfo before = Take();
            int status = 0;
            try
            {
                body();
            }
            catch (Exception e)
            {
                before = before ?? ExceptionDispatchInfo.Capture(e);
                status = 1;
            }
            thrown = before;
            return status;
        }

        private static T Target<T>(IntPtr user) => (T)GCHandle.FromIntPtr(user).Target;

        private static int Read(IntPtr user, ulong offset, byte* buffer, UIntPtr length, UIntPtr* read) =>
            Guard(() => *read = (UIntPtr)Target<HostStream>(user).ReadAt(offset, buffer, (ulong)length));

        private static int Size(IntPtr user, ulong* size) =>
            Guard(() => *size = checked((ulong)Target<HostStream>(user).Length));

        private static int Write(IntPtr user, byte* data, UIntPtr length) =>
            Guard(() => Target<HostStream>(user).Write(data, (ulong)length));

        private static void Close(IntPtr user) => Guard(() =>
        {
            GCHandle handle = GCHandle.FromIntPtr(user);
            var stream = (HostStream)handle.Target;
            handle.Free();
            stream.Close();
        });

        private static int Progress(IntPtr user, ulong done, ulong total)
        {
            bool goOn = false;
            int status = Guard(() => goOn = Target<ProgressRelay>(user).GoOn(done, total));
            return status == 0 && goOn ? 0 : 1;
        }
    }

    /// <summary>A stream of the program's under the library: read at offsets by one thread at a time.</summary>
    internal sealed unsafe class HostStream
    {
        private const int BufferSize = 256 * 1024;
        private readonly Stream stream;
        private readonly bool leaveOpen;
        private readonly bool written;
        private byte[] buffer;

        internal HostStream(Stream stream, bool leaveOpen, bool written)
        {
            this.stream = stream;
            this.leaveOpen = leaveOpen;
            this.written = written;
        }

        internal long Length
        {
            get
            {
                lock (stream) return stream.Length;
            }
        }

        internal int ReadAt(ulong offset, byte* to, ulong length)
        {
            lock (stream)
            {
                byte[] room = Buffer;
                if (offset > long.MaxValue) return 0;
                if (stream.Position != (long)offset) stream.Position = (long)offset;
                int read = stream.Read(room, 0, (int)Math.Min(length, (ulong)room.Length));
                if (read < 0 || read > room.Length) throw new IOException("the stream says that it read " + read);
                Marshal.Copy(room, 0, (IntPtr)to, read);
                return read;
            }
        }

        internal void Write(byte* data, ulong length)
        {
            byte[] room = Buffer;
            while (length > 0)
            {
                int n = (int)Math.Min(length, (ulong)room.Length);
                Marshal.Copy((IntPtr)data, room, 0, n);
                stream.Write(room, 0, n);
                data += n;
                length -= (ulong)n;
            }
        }

        internal void Close()
        {
            if (written) stream.Flush();
            if (!leaveOpen) stream.Dispose();
        }

        private byte[] Buffer => buffer ?? (buffer = new byte[BufferSize]);
    }

    /// <summary>Carries an <see cref="IProgress{T}"/> and a token through one call, on whose end it is disposed.</summary>
    internal sealed class ProgressRelay : IDisposable
    {
        private readonly IProgress<BullaProgress> progress;
        private readonly CancellationToken token;
        private GCHandle handle;

        internal ProgressRelay(IProgress<BullaProgress> progress, CancellationToken token)
        {
            token.ThrowIfCancellationRequested();
            this.progress = progress;
            this.token = token;
            if (progress != null || token.CanBeCanceled) handle = GCHandle.Alloc(this);
        }

        internal IntPtr Function => handle.IsAllocated ? Callbacks.ProgressFunction : IntPtr.Zero;

        internal IntPtr User => handle.IsAllocated ? GCHandle.ToIntPtr(handle) : IntPtr.Zero;

        internal bool GoOn(ulong done, ulong total)
        {
            progress?.Report(new BullaProgress((long)done, (long)total));
            return !token.IsCancellationRequested;
        }

        /// <summary>As <see cref="BullaException.Check"/>, but work that the token stopped was cancelled.</summary>
        internal void Check(int status, IntPtr error)
        {
            try
            {
                BullaException.Check(status, error);
            }
            catch (BullaStateException e) when (e.Code == BullaCode.Cancelled)
            {
                throw new OperationCanceledException(e.Message, e, token);
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            if (handle.IsAllocated) handle.Free();
        }
    }
}
