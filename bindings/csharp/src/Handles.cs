using System;
using System.Runtime.InteropServices;
using System.Threading;

namespace Bulla
{
    /// <summary>
    /// What owns an object of the library. It is freed once no call uses it any more, also if it is disposed during
    /// one.
    /// </summary>
    internal abstract class BullaHandle : SafeHandle
    {
        // For the tests: objects made and freed, and those that somebody forgot to dispose.
        internal static int Made;
        internal static int Freed;
        internal static int Finalized;

        protected BullaHandle() : base(IntPtr.Zero, true)
        {
        }

        public override bool IsInvalid => handle == IntPtr.Zero;

        /// <summary>Takes over what a call gave. Made before the call, so that nothing can come between.</summary>
        internal void Adopt(IntPtr given)
        {
            if (given == IntPtr.Zero) return;
            Interlocked.Increment(ref Made);
            SetHandle(given);
        }

        protected override bool ReleaseHandle()
        {
            Interlocked.Increment(ref Freed);
            Free(handle);
            return true;
        }

        protected abstract void Free(IntPtr given);

        protected override void Dispose(bool disposing)
        {
            if (!disposing && !IsInvalid && !IsClosed) Interlocked.Increment(ref Finalized);
            base.Dispose(disposing);
            if (!disposing) Callbacks.Forget();
        }
    }

    /// <summary>
    /// Keeps a handle alive around a call that takes over something: that it is disposed already must be found before
    /// that is made, not while the call is prepared.
    /// </summary>
    internal struct Held : IDisposable
    {
        private readonly SafeHandle handle;

        internal Held(SafeHandle handle)
        {
            bool added = false;
            handle.DangerousAddRef(ref added);
            this.handle = handle;
        }

        /// <inheritdoc/>
        public void Dispose() => handle.DangerousRelease();
    }

    internal sealed class SessionHandle : BullaHandle
    {
        protected override void Free(IntPtr given) => NativeMethods.bulla_session_free(given);
    }

    internal sealed class FileHandle : BullaHandle
    {
        protected override void Free(IntPtr given) => NativeMethods.bulla_file_free(given);
    }

    internal sealed class WriterHandle : BullaHandle
    {
        protected override void Free(IntPtr given) => NativeMethods.bulla_writer_free(given);
    }

    internal sealed class SealerHandle : BullaHandle
    {
        protected override void Free(IntPtr given) => NativeMethods.bulla_sealer_free(given);
    }
}
