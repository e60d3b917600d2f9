using System;
using System.Runtime.ExceptionServices;
using System.Text;

namespace Bulla
{
    /// <summary>What went wrong, with a stable code. Its subclasses say what kind of failure it is.</summary>
    /// <remarks>
    /// Messages are for people and logs. They hold no keys, contents or file names, and may change: programs look at
    /// <see cref="Code"/> or catch a subclass. Work that was cancelled ends in an
    /// <see cref="OperationCanceledException"/>, the use of what was disposed in an
    /// <see cref="ObjectDisposedException"/>, and what a stream of the program's own threw comes back as it was.
    /// </remarks>
    public class BullaException : Exception
    {
        /// <summary>The code.</summary>
        public BullaCode Code { get; }

        /// <summary>The code's stable name, such as <c>not-sealed</c>.</summary>
        public string Name { get; }

        internal BullaException(BullaCode code, string name, string message) : base(message)
        {
            Code = code;
            Name = name;
        }

        internal static BullaArgumentException BadArgument(string message) =>
            new BullaArgumentException(BullaCode.BadArgument, NameOf(BullaCode.BadArgument), message);

        internal static BullaStateException NotSupported(string message) =>
            new BullaStateException(BullaCode.NotSupported, NameOf(BullaCode.NotSupported), message);

        /// <summary>The name of a code, without the library: the enum's member in lower case.</summary>
        internal static string NameOf(BullaCode code)
        {
            var name = new StringBuilder();
            foreach (char c in code.ToString())
            {
                if (char.IsUpper(c) && name.Length > 0) name.Append('-');
                name.Append(char.ToLowerInvariant(c));
            }
            return name.ToString();
        }

        /// <summary>
        /// Throws what a call's status and error say, if it did not do what it was asked for; or what a callback threw
        /// meanwhile. Frees the error.
        /// </summary>
        internal static void Check(int status, IntPtr error)
        {
            ExceptionDispatchInfo own = Callbacks.Take();
            if (status == 0 && own == null) return;
            Exception theirs = status == 0 ? null : From(status, error);
            own?.Throw();
            throw theirs;
        }

        private static unsafe BullaException From(int status, IntPtr error)
        {
            string message, name, decision;
            try
            {
                message = Text.From(NativeMethods.bulla_error_message(error));
                name = Text.From(NativeMethods.bulla_error_name(error));
                decision = Text.From(NativeMethods.bulla_error_decision(error));
            }
            finally
            {
                NativeMethods.bulla_error_free(error);
            }
            return Of((BullaCode)status, name, message, decision);
        }

        private static BullaException Of(BullaCode code, string name, string message, string decision)
        {
            if (code == BullaCode.NotSealed) return new BullaNotSealedException(code, name, message);
            switch ((int)code / 100)
            {
                case 0: return new BullaArgumentException(code, name, message);
                case 1: return new BullaIOException(code, name, message);
                case 2: return new BullaFormatException(code, name, message);
                case 3: return new BullaTamperedException(code, name, message);
                case 4: return new BullaDeniedException(code, name, message, Decision.Parse(decision));
                case 5: return new BullaStateException(code, name, message);
                default: return new BullaInternalException(code, name, message);
            }
        }
    }

    /// <summary>A value that the program gave cannot be used: codes from 1 on.</summary>
    public sealed class BullaArgumentException : BullaException
    {
        internal BullaArgumentException(BullaCode code, string name, string message) : base(code, name, message)
        {
        }
    }

    /// <summary>Reading or writing failed, as with any file: codes from 100 on.</summary>
    public sealed class BullaIOException : BullaException
    {
        internal BullaIOException(BullaCode code, string name, string message) : base(code, name, message)
        {
        }
    }

    /// <summary>Not a sound sealed file, or a signed object that cannot be read: codes from 200 on.</summary>
    public class BullaFormatException : BullaException
    {
        internal BullaFormatException(BullaCode code, string name, string message) : base(code, name, message)
        {
        }
    }

    /// <summary>The file is not sealed. A plain file is never taken for a sealed one.</summary>
    public sealed class BullaNotSealedException : BullaFormatException
    {
        internal BullaNotSealedException(BullaCode code, string name, string message) : base(code, name, message)
        {
        }
    }

    /// <summary>
    /// The file was changed, or a secret is wrong: codes from 300 on. Show nothing of it to anybody, and report it.
    /// </summary>
    public sealed class BullaTamperedException : BullaException
    {
        internal BullaTamperedException(BullaCode code, string name, string message) : base(code, name, message)
        {
        }
    }

    /// <summary>Trust, policy or rights do not allow it: codes from 400 on.</summary>
    public sealed class BullaDeniedException : BullaException
    {
        /// <summary>
        /// The decision, where a policy was asked and denied: which conditions failed, what was known, and what would
        /// do. Null otherwise.
        /// </summary>
        public Decision Decision { get; }

        internal BullaDeniedException(BullaCode code, string name, string message, Decision decision)
            : base(code, name, message)
        {
            Decision = decision;
        }
    }

    /// <summary>
    /// An object that was used up, somebody who saved meanwhile, what this system cannot do: codes from 500 on.
    /// </summary>
    public sealed class BullaStateException : BullaException
    {
        internal BullaStateException(BullaCode code, string name, string message) : base(code, name, message)
        {
        }
    }

    /// <summary>A defect in the library: codes from 900 on, and those that this version does not know.</summary>
    public sealed class BullaInternalException : BullaException
    {
        internal BullaInternalException(BullaCode code, string name, string message) : base(code, name, message)
        {
        }
    }

    /// <summary>
    /// The native library is missing, or older or newer than this wrapper can use. The message says where it was
    /// looked for. The code is <see cref="BullaCode.NotSupported"/>.
    /// </summary>
    public sealed class BullaLibraryException : BullaException
    {
        internal BullaLibraryException(string message)
            : base(BullaCode.NotSupported, NameOf(BullaCode.NotSupported), message)
        {
        }
    }
}
