using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Threading;

namespace Bulla.Tests
{
    /// <summary>
    /// Runs every public static method of the test classes; names as arguments run those alone. Exit status 1 if
    /// one fails, or if a handle was left to a finaliser. `--leak` leaves one, `--load` only loads the library.
    /// </summary>
    public static class Program
    {
        private static readonly Type[] Suites =
        {
            typeof(SessionTests), typeof(ReadTests), typeof(WriteTests), typeof(ErrorTests), typeof(CallbackTests),
            typeof(ThreadTests), typeof(BadInputTests), typeof(ScreenGuardTests)
        };

        public static int Main(string[] arguments)
        {
            if (arguments.Contains("--load")) return Load();
            if (arguments.Contains("--leak"))
            {
                Leak();
                return Leaks();
            }
            int failed = 0;
            foreach (Type suite in Suites)
            {
                foreach (MethodInfo test in suite.GetMethods(BindingFlags.Public | BindingFlags.Static))
                {
                    if (arguments.Length > 0 && !arguments.Contains(test.Name)) continue;
                    if (!Run(test)) failed++;
                }
            }
            int leaks = Leaks();
            Console.WriteLine(failed == 0 && leaks == 0 ? "all passed" : failed + " failed");
            return failed == 0 && leaks == 0 ? 0 : 1;
        }

        private static bool Run(MethodInfo test)
        {
            var watch = Stopwatch.StartNew();
            try
            {
                test.Invoke(null, null);
                Console.WriteLine("ok " + test.Name + (watch.ElapsedMilliseconds > 1000 ? " (slow)" : ""));
                return true;
            }
            catch (TargetInvocationException e)
            {
                Console.WriteLine("FAILED " + test.Name + ": " + e.InnerException);
                return false;
            }
        }

        /// <summary>How many objects were left to a finaliser, or not freed at all.</summary>
        private static int Leaks()
        {
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            int made = Inside.Count("Made"), freed = Inside.Count("Freed"), finalized = Inside.Count("Finalized");
            Console.WriteLine("handles: " + made + " made, " + freed + " freed, " + finalized + " by a finaliser");
            return made == 0 ? 1 : finalized + Math.Abs(made - freed);
        }

        /// <summary>In a thread that ends, so that no stack still holds it.</summary>
        private static void Leak()
        {
            var thread = new Thread(() => Office.Desk());
            thread.Start();
            thread.Join();
        }

        private static int Load()
        {
            try
            {
                Console.WriteLine("loaded " + BullaLibrary.Version + " from " + BullaLibrary.Location);
                return 0;
            }
            catch (BullaLibraryException e)
            {
                Console.WriteLine(e.Message);
                return 1;
            }
        }
    }
}
