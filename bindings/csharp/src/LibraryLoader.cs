using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Bulla
{
    /// <summary>
    /// Finds the native library, once, and makes sure that it fits. In this order: the file that the environment
    /// variable BULLA_LIBRARY names, and then no other; the folders that the runtime was told of; beside this assembly
    /// and under it as in the package; where the system looks.
    /// </summary>
    internal static class LibraryLoader
    {
        private static readonly object Gate = new object();
        private static bool done;
        private static string failure;

        /// <summary>The library that is used: a path, or a name that the system knew.</summary>
        internal static string Loaded { get; private set; }

        /// <summary>Must run before any of <see cref="NativeMethods"/>; all ways in begin with it.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        internal static void Ensure()
        {
            lock (Gate)
            {
                if (!done)
                {
                    failure = Load();
                    done = true;
                }
                if (failure != null) throw new BullaLibraryException(failure);
            }
        }

        /// <summary>Null, or why not.</summary>
        private static string Load()
        {
            var tried = new StringBuilder();
            foreach (string candidate in Candidates())
            {
                string why;
                IntPtr module = NativeLoader.Open(candidate, out why);
                if (module == IntPtr.Zero)
                {
                    tried.Append("\n  ").Append(candidate).Append(": ").Append(why);
                    continue;
                }
                string misfit = Misfit(module);
                if (misfit != null) return "the bulla library in " + candidate + " does not fit: " + misfit;
                NativeLoader.Bind(NativeMethods.Library, candidate, module);
                Loaded = candidate;
                return null;
            }
            return "the bulla library was not found. It was looked for in:" + tried +
                "\nPut it into one of these places, or name its file in the environment variable BULLA_LIBRARY.";
        }

        private static IEnumerable<string> Candidates()
        {
            string named = Environment.GetEnvironmentVariable("BULLA_LIBRARY");
            if (!string.IsNullOrEmpty(named))
            {
                yield return Path.GetFullPath(named);
                yield break;
            }
            string file = Text.WidePaths ? "libbulla.dll" : "libbulla.so";
            string rid = (Text.WidePaths ? "win" : "linux") + (IntPtr.Size == 8 ? "-x64" : "-x86");
            foreach (string folder in Folders(rid).Distinct()) yield return Path.Combine(folder, file);
            // The name with the ABI's version, which is what is installed for programs.
            yield return Text.WidePaths ? file : file + "." + AbiVersion.Expected;
        }

        private static IEnumerable<string> Folders(string rid)
        {
            var told = AppDomain.CurrentDomain.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string;
            foreach (string each in (told ?? "").Split(Path.PathSeparator))
                if (Path.IsPathRooted(each)) yield return WithoutEnd(each);
            string own = typeof(LibraryLoader).Assembly.Location;
            string ofAssembly = string.IsNullOrEmpty(own) ? null : Path.GetDirectoryName(own);
            foreach (string each in new[] { ofAssembly, AppDomain.CurrentDomain.BaseDirectory })
            {
                if (string.IsNullOrEmpty(each)) continue;
                string beside = WithoutEnd(each);
                yield return beside;
                yield return Path.Combine(Path.Combine(Path.Combine(beside, "runtimes"), rid), "native");
            }
        }

        private static string WithoutEnd(string folder) =>
            folder.TrimEnd(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);

        /// <summary>Null, or why the library cannot be used.</summary>
        private static string Misfit(IntPtr module)
        {
            IntPtr version = NativeLoader.Symbol(module, "bulla_abi_version");
            if (version == IntPtr.Zero) return "it has no bulla_abi_version";
            uint abi = Marshal.GetDelegateForFunctionPointer<AbiVersionFn>(version)();
            if (abi != AbiVersion.Expected)
            {
                bool newer = abi > AbiVersion.Expected;
                return "the library is " + (newer ? "newer" : "older") + " than this Bulla.dll: its ABI is " + abi +
                    ", wanted is " + AbiVersion.Expected + ". Update the " + (newer ? "Bulla.dll" : "library") + ".";
            }
            foreach (MethodInfo each in typeof(NativeMethods).GetMethods(BindingFlags.NonPublic | BindingFlags.Static))
            {
                string name = each.Name == "bulla_trail_verify_of" ? "bulla_trail_verify" : each.Name;
                if (NativeLoader.Symbol(module, name) == IntPtr.Zero)
                    return "the library is older than this Bulla.dll: it has no " + name + ". Update the library.";
            }
            return null;
        }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint AbiVersionFn();
    }
}
