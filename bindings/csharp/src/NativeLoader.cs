using System;
using System.ComponentModel;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Bulla
{
    /// <summary>Loading libraries, as each system and each runtime does it.</summary>
    internal static class NativeLoader
    {
        private static IntPtr bound;

        /// <summary>Loads a library. Zero if that fails, with the reason.</summary>
        internal static IntPtr Open(string path, out string why)
        {
            IntPtr module;
            if (Text.WidePaths)
            {
                // With what lies beside it, never from the working folder.
                bool full = System.IO.Path.IsPathRooted(path);
                module = Windows.LoadLibraryExW(path, IntPtr.Zero, full ? 0x1100u : 0x1000u);
                why = module == IntPtr.Zero ? new Win32Exception(Marshal.GetLastWin32Error()).Message : null;
                return module;
            }
            module = Unix.Open(path);
            why = module == IntPtr.Zero ? Unix.Error() : null;
            return module;
        }

        /// <summary>The address of a function; zero if there is none.</summary>
        internal static IntPtr Symbol(IntPtr module, string name) =>
            Text.WidePaths ? Windows.GetProcAddress(module, name) : Unix.Symbol(module, name);

        /// <summary>
        /// From now on calls to the library of that name go to this one. The .NET Framework needs nothing: Windows
        /// finds what is loaded by its name.
        /// </summary>
        internal static void Bind(string name, string path, IntPtr module)
        {
            bound = module;
            if (Type.GetType("Mono.Runtime") != null)
            {
                Mono.mono_dllmap_insert(IntPtr.Zero, name, null, path, null);
                return;
            }
            // .NET Core 3.0 and later; this assembly is made for older ones, too.
            const string core = ", System.Runtime.InteropServices";
            Type libraries = Type.GetType("System.Runtime.InteropServices.NativeLibrary" + core);
            Type resolver = Type.GetType("System.Runtime.InteropServices.DllImportResolver" + core);
            if (libraries == null || resolver == null) return;
            MethodInfo resolve = typeof(NativeLoader).GetMethod("Resolve", BindingFlags.NonPublic | BindingFlags.Static);
            libraries.GetMethod("SetDllImportResolver").Invoke(null,
                new object[] { typeof(NativeLoader).Assembly, Delegate.CreateDelegate(resolver, resolve) });
        }

        private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? search) =>
            name == NativeMethods.Library ? bound : IntPtr.Zero;

        private static class Windows
        {
            [DllImport("kernel32", CharSet = CharSet.Unicode, SetLastError = true, ExactSpelling = true)]
            internal static extern IntPtr LoadLibraryExW(string path, IntPtr reserved, uint flags);

            [DllImport("kernel32", CharSet = CharSet.Ansi, ExactSpelling = true, BestFitMapping = false,
                ThrowOnUnmappableChar = true)]
            internal static extern IntPtr GetProcAddress(IntPtr module, string name);
        }

        private static class Mono
        {
            [DllImport("__Internal")]
            internal static extern void mono_dllmap_insert(IntPtr assembly, string name, string function,
                string toName, string toFunction);
        }

        /// <summary>The C library has these since glibc 2.34; before, libdl has them.</summary>
        private static unsafe class Unix
        {
            private const int Now = 2;
            private static bool inLibdl;

            internal static IntPtr Open(string path)
            {
                using (var text = new Text())
                {
                    byte* p = text.Utf8Of(path, "the library's path");
                    return Either(() => C.dlopen(p, Now), () => Dl.dlopen(p, Now));
                }
            }

            internal static IntPtr Symbol(IntPtr module, string name)
            {
                using (var text = new Text())
                {
                    byte* p = text.Utf8Of(name, "the function's name");
                    return Either(() => C.dlsym(module, p), () => Dl.dlsym(module, p));
                }
            }

            internal static string Error() => Text.From((byte*)Either(C.dlerror, Dl.dlerror)) ?? "no reason given";

            private static IntPtr Either(Func<IntPtr> inC, Func<IntPtr> inDl)
            {
                if (!inLibdl)
                {
                    try
                    {
                        return inC();
                    }
                    catch (EntryPointNotFoundException)
                    {
                        inLibdl = true;
                    }
                }
                return inDl();
            }

            private static class C
            {
                [DllImport("libc.so.6")]
                internal static extern IntPtr dlopen(byte* path, int flags);

                [DllImport("libc.so.6")]
                internal static extern IntPtr dlsym(IntPtr module, byte* name);

                [DllImport("libc.so.6")]
                internal static extern IntPtr dlerror();
            }

            private static class Dl
            {
                [DllImport("libdl.so.2")]
                internal static extern IntPtr dlopen(byte* path, int flags);

                [DllImport("libdl.so.2")]
                internal static extern IntPtr dlsym(IntPtr module, byte* name);

                [DllImport("libdl.so.2")]
                internal static extern IntPtr dlerror();
            }
        }
    }
}
