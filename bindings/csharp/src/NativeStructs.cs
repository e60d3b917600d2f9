using System;
using System.Runtime.InteropServices;

namespace Bulla
{
    // The structs of bulla.h. Fields that are not used stay zero.

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeMetadata
    {
        internal uint StructSize;
        internal uint Present;
        internal byte* Name;
        internal byte* MediaType;
        internal long Created;
        internal long Modified;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeExportOptions
    {
        internal uint StructSize;
        internal uint Flags;
        internal IntPtr Progress;
        internal IntPtr ProgressUser;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeSink
    {
        internal uint StructSize;
        internal uint Flags;
        internal IntPtr User;
        internal IntPtr Write;
        internal IntPtr Close;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeSource
    {
        internal uint StructSize;
        internal uint Flags;
        internal IntPtr User;
        internal IntPtr ReadAt;
        internal IntPtr Size;
        internal IntPtr Close;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct NativeOpenOptions
    {
        internal uint StructSize;
        internal uint Flags;
        internal uint Right;
        internal uint Reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeSealOptions
    {
        internal uint StructSize;
        internal uint Flags;
        internal NativeMetadata* Metadata;
        internal IntPtr Progress;
        internal IntPtr ProgressUser;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeSealerOptions
    {
        internal uint StructSize;
        internal uint Flags;
        internal byte* Home;
        internal ushort* HomeW;
        internal byte* Passphrase;
        internal IntPtr Session;
        internal byte* Label;
        internal byte* Policy;
        internal UIntPtr PolicyLen;
        internal byte* Recipients;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct NativeSessionOptions
    {
        internal uint StructSize;
        internal uint Flags;
        internal byte* Home;
        internal ushort* HomeW;
        internal byte* Passphrase;
        internal byte* Badge;
        internal byte** Attestations;
        internal UIntPtr AttestationCount;
        internal byte** Duties;
        internal UIntPtr DutyCount;
        internal byte* Ticket;
        internal byte* Asserted;
    }
}
