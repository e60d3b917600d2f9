using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Bulla.Tests
{
    public sealed class Failed : Exception
    {
        public Failed(string message) : base(message)
        {
        }
    }

    /// <summary>What tests check with.</summary>
    public static class Check
    {
        public static void That(bool holds, string what = "", [CallerFilePath] string file = "",
            [CallerLineNumber] int line = 0)
        {
            if (!holds) throw new Failed(System.IO.Path.GetFileName(file) + ":" + line + ": does not hold. " + what);
        }

        public static void Equal<T>(T wanted, T got, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        {
            That(EqualityComparer<T>.Default.Equals(wanted, got), "wanted: " + wanted + ", got: " + got, file, line);
        }

        public static void Bytes(byte[] wanted, byte[] got, [CallerFilePath] string file = "",
            [CallerLineNumber] int line = 0)
        {
            Equal(wanted.Length, got.Length, file, line);
            for (int i = 0; i < wanted.Length; i++) That(wanted[i] == got[i], "byte " + i, file, line);
        }

        /// <summary>Exactly this kind of exception.</summary>
        public static T Throws<T>(Action action, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
            where T : Exception
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                That(e.GetType() == typeof(T), "wanted: " + typeof(T).Name + ", got: " + e, file, line);
                return (T)e;
            }
            That(false, "nothing was thrown, wanted: " + typeof(T).Name, file, line);
            return null;
        }

        /// <summary>Such an exception with this code, and the name that goes with it.</summary>
        public static T Throws<T>(BullaCode code, Action action, [CallerFilePath] string file = "",
            [CallerLineNumber] int line = 0) where T : BullaException
        {
            T e = Throws<T>(action, file, line);
            That(e.Code == code, "wanted: " + code + ", got: " + e.Code + ": " + e.Message, file, line);
            That(e.Message.Length > 0 && e.Name == Inside.NameOf(code), e.Name, file, line);
            return e;
        }

        /// <summary>Waits for something that another thread does.</summary>
        public static void Soon(Func<bool> happens, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
        {
            for (int i = 0; i < 2000; i++)
            {
                if (happens()) return;
                Thread.Sleep(5);
            }
            That(false, "it did not happen in ten seconds", file, line);
        }
    }

    /// <summary>What the wrapper keeps to itself.</summary>
    public static class Inside
    {
        private const BindingFlags Hidden = BindingFlags.NonPublic | BindingFlags.Static;
        private static readonly Assembly Wrapper = typeof(BullaSession).Assembly;

        public static string NameOf(BullaCode code) => (string)Call("Bulla.BullaException", "NameOf", code);

        public static BullaException ExceptionOf(int code) =>
            (BullaException)Call("Bulla.BullaException", "Of", (BullaCode)code, "a-name", "a message", null);

        public static unsafe string NativeNameOf(BullaCode code)
        {
            object pointer = Call("Bulla.NativeMethods", "bulla_code_name", (int)code);
            return System.Runtime.InteropServices.Marshal.PtrToStringAnsi((IntPtr)Pointer.Unbox(pointer));
        }

        public static int Count(string field) =>
            (int)Wrapper.GetType("Bulla.BullaHandle").GetField(field, Hidden).GetValue(null);

        private static object Call(string type, string method, params object[] arguments) =>
            Wrapper.GetType(type).GetMethod(method, Hidden).Invoke(null, arguments);
    }
}
