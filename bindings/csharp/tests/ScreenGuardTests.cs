using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;

namespace Bulla.Tests
{
    /// <summary>What the guard says of a window is what the system says of it.</summary>
    public static class ScreenGuardTests
    {
        public static void Declares_what_holds()
        {
            if (!Office.OnWindows)
            {
                ScreenGuard none = ScreenGuard.For((IntPtr)1);
                Check.That(!none.BlocksCapture && !none.BlocksClipboard);
                Check.That(none.WhyNotCapture.Length > 0 && none.WhyNotClipboard.Length > 0);
                Check.Equal(Duties.None, none.Duties);
                none.Follow((IntPtr)2);
                return;
            }
            IntPtr window = NewWindow();
            ScreenGuard guard = ScreenGuard.For(window);
            uint affinity;
            bool known = GetWindowDisplayAffinity(window, out affinity);
            Check.Equal(known && affinity == 0x11, guard.BlocksCapture);
            Check.That(guard.BlocksClipboard);
            Check.Equal(guard.BlocksCapture ? Duties.BlockCapture | Duties.BlockClipboard : Duties.BlockClipboard,
                guard.Duties);

            Check.That(OpenClipboard(window) && EmptyClipboard());
            SetClipboardData(1, Marshal.StringToHGlobalAnsi("Kim"));
            Check.That(CloseClipboard() && IsClipboardFormatAvailable(1));
            SendMessageW(window, 6, IntPtr.Zero, IntPtr.Zero); // WM_ACTIVATE, WA_INACTIVE
            Check.That(!IsClipboardFormatAvailable(1));

            IntPtr next = NewWindow();
            guard.Follow(next);
            Exception thrown = null;
            var other = new Thread(() =>
            {
                try
                {
                    guard.Follow(next);
                }
                catch (Exception e)
                {
                    thrown = e;
                }
            });
            other.Start();
            other.Join();
            Check.That(thrown is BullaArgumentException, "" + thrown);
            DestroyWindow(window);
            DestroyWindow(next);
            Check.Throws<BullaArgumentException>(BullaCode.BadArgument, () => ScreenGuard.For(IntPtr.Zero));
        }

        public static void Prints_and_copies_by_right()
        {
            IntPtr window = Office.OnWindows ? NewWindow() : IntPtr.Zero;
            ScreenGuard guard = ScreenGuard.For(window);
            int done = 0;
            Office.Seal("all.bulla", "x");
            Office.Seal("view.bulla", "x", "view.json");
            using (BullaSession session = Office.Desk(guard.Duties))
            {
                using (SealedFile file = session.Open("all.bulla"))
                {
                    guard.Print(file, () =>
                    {
                        Check.That(Office.Trail().Contains("\"event\":\"printed\""));
                        done++;
                    });
                    guard.Copy(file, () => done++);
                    Check.Equal(2, done);
                }
                using (SealedFile file = session.Open("view.bulla"))
                {
                    Check.Throws<BullaDeniedException>(BullaCode.MissingRight, () => guard.Print(file, () => done++));
                    Check.Throws<BullaDeniedException>(BullaCode.MissingRight, () => guard.Copy(file, () => done++));
                    Check.Equal(2, done);
                }
            }
            if (Office.OnWindows) DestroyWindow(window);
        }

        /// <summary>HWND_MESSAGE: needs no screen.</summary>
        private static readonly IntPtr MessageOnly = (IntPtr)(-3);

        private static IntPtr NewWindow()
        {
            IntPtr window = CreateWindowExW(0, "STATIC", "cards", 0, 0, 0, 10, 10, MessageOnly, IntPtr.Zero,
                IntPtr.Zero, IntPtr.Zero);
            Check.That(window != IntPtr.Zero);
            return window;
        }

        [DllImport("user32", CharSet = CharSet.Unicode)]
        private static extern IntPtr CreateWindowExW(uint extended, string type, string title, uint style, int x, int y,
            int width, int height, IntPtr parent, IntPtr menu, IntPtr instance, IntPtr data);

        [DllImport("user32")]
        private static extern bool DestroyWindow(IntPtr window);

        [DllImport("user32")]
        private static extern bool GetWindowDisplayAffinity(IntPtr window, out uint affinity);

        [DllImport("user32")]
        private static extern IntPtr SendMessageW(IntPtr window, uint message, IntPtr wide, IntPtr low);

        [DllImport("user32")]
        private static extern bool OpenClipboard(IntPtr window);

        [DllImport("user32")]
        private static extern bool EmptyClipboard();

        [DllImport("user32")]
        private static extern bool CloseClipboard();

        [DllImport("user32")]
        private static extern bool IsClipboardFormatAvailable(uint format);

        [DllImport("user32")]
        private static extern IntPtr SetClipboardData(uint format, IntPtr memory);
    }
}
