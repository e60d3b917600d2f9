using System;
using System.Runtime.CompilerServices;

namespace Bulla
{
    /// <summary>
    /// Keeps a window that shows sealed contents out of screen captures, and what was copied from it off the clipboard;
    /// lets it print and copy only with the right to. <see cref="Duties"/> says what the program may then declare.
    /// </summary>
    /// <remarks>
    /// A camera in front of the screen still sees the window. A program that reads the clipboard while the window has
    /// the focus still gets what is there: all copying has to go through <see cref="Copy"/>. Both are made for Windows;
    /// elsewhere nothing is declared, and what a policy grants with these duties stays closed.
    /// </remarks>
    public sealed class ScreenGuard
    {
        /// <summary>Whether the system keeps the window out of captures; it was asked.</summary>
        public bool BlocksCapture => WhyNotCapture == null;

        /// <summary>Whether the clipboard is cleared when the window loses the focus, or goes.</summary>
        public bool BlocksClipboard => WhyNotClipboard == null;

        /// <summary>Why it does not keep the window out of captures; null if it does.</summary>
        public string WhyNotCapture { get; }

        /// <summary>Why the clipboard is not cleared; null if it is.</summary>
        public string WhyNotClipboard { get; }

        /// <summary>What may truthfully be declared in <see cref="SessionOptions.Duties"/>.</summary>
        public Duties Duties =>
            (BlocksCapture ? Duties.BlockCapture : Duties.None) |
            (BlocksClipboard ? Duties.BlockClipboard : Duties.None);

        private ScreenGuard(string whyNotCapture, string whyNotClipboard)
        {
            WhyNotCapture = whyNotCapture;
            WhyNotClipboard = whyNotClipboard;
        }

        /// <summary>
        /// Guards a window, as far as this system can. Call it in the window's own thread, once it has been made.
        /// </summary>
        /// <param name="window">
        /// The <c>HWND</c> of a top-level window: <c>Form.Handle</c>, or <c>WindowInteropHelper.Handle</c>.
        /// </param>
        /// <returns>What could be done.</returns>
        /// <exception cref="BullaArgumentException">It is no window of this thread.</exception>
        public static ScreenGuard For(IntPtr window)
        {
            LibraryLoader.Ensure();
            return new ScreenGuard(Refusal(Protect, window), Refusal(GuardClipboard, window));
        }

        /// <summary>
        /// Guards the window that the program's toolkit made in place of the first, as Windows Forms does:
        /// call it in <c>OnHandleCreated</c>. What was declared has to hold on.
        /// </summary>
        /// <param name="window">The new window.</param>
        /// <exception cref="BullaStateException">
        /// It cannot be guarded as the first was: close what it shows.
        /// </exception>
        public void Follow(IntPtr window)
        {
            if (BlocksCapture) Protect(window);
            if (BlocksClipboard) GuardClipboard(window);
        }

        /// <summary>
        /// Prints, if the file grants it, and records it first. Without the right it throws, and nothing is printed.
        /// </summary>
        /// <param name="file">What is printed.</param>
        /// <param name="print">Prints it.</param>
        /// <exception cref="BullaDeniedException">The right to print is not granted.</exception>
        public void Print(SealedFile file, Action print) => With(file, Rights.Print, print);

        /// <summary>The same for putting contents on the clipboard.</summary>
        /// <param name="file">What is copied from.</param>
        /// <param name="copy">Copies it.</param>
        /// <exception cref="BullaDeniedException">The right to copy is not granted.</exception>
        public void Copy(SealedFile file, Action copy) => With(file, Rights.Copy, copy);

        private static void With(SealedFile file, Rights right, Action action)
        {
            if (file == null) throw new ArgumentNullException(nameof(file));
            if (action == null) throw new ArgumentNullException(nameof(action));
            file.Use(right);
            action();
        }

        private static string Refusal(Action<IntPtr> guard, IntPtr window)
        {
            try
            {
                guard(window);
                return null;
            }
            catch (BullaStateException e) when (e.Code == BullaCode.NotSupported)
            {
                return e.Message;
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static unsafe void Protect(IntPtr window)
        {
            IntPtr error;
            BullaException.Check(NativeMethods.bulla_window_protect(window, &error), error);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static unsafe void GuardClipboard(IntPtr window)
        {
            IntPtr error;
            BullaException.Check(NativeMethods.bulla_clipboard_guard(window, &error), error);
        }
    }
}
